"""Every recorded answer of a real Pilosa 1.4.1: what it read we read, what it could not read we refuse in its words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from indexing.calls import QueryError
from proxy.pql.parse import parse


def test_parses_what_pilosa_parsed_and_refuses_what_it_refused(shared: Path) -> None:
    lines = (shared / "pilosa" / "corpus_dev.jsonl").read_text().splitlines()
    entries = [e for e in map(json.loads, lines) if "/query" in e["path"]]
    parsed = refused = 0
    for entry in entries:
        body = json.loads(entry["body"]) if entry.get("body") else {}
        error = body.get("error", "")
        if not error.startswith("parsing: "):
            parse(entry["pql"])
            parsed += 1
            continue
        with pytest.raises(QueryError) as caught:
            parse(entry["pql"])
        assert str(caught.value) == error, entry["pql"]
        refused += 1
    assert parsed + refused == len(entries)
    assert parsed > 450
    assert refused >= 5
