"""The 510 recorded answers of a real Pilosa 1.4.1, over HTTP, on both backends: after load.py, in their order.

Every answer is exact, as far as Pilosa itself answers twice alike, or sane: what the naive engine says, which must be what the
record says where that has a `sane_body`. Where Pilosa is wrong the sane answer alone is right.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from indexing.calls import QueryError
from proxy.pql.parse import parse
from tests.differential.judging import PARSE_ERROR, ties_sorted, without_shard
from tests.differential.naive import Asked, Naive
from tests.differential.naive_data import Index, Unsaid, loaded
from tests.product_servers import Peer, load_module

# Where we are different on purpose, by the entry's id: the reason, as docs/query-language.md has it.
DELIBERATE: dict[str, str] = {}


@dataclass
class Entry:
    """One line of the corpus, and what the naive engine says to it (None: nothing)."""

    id: str
    method: str
    path: str
    pql: str
    status: int
    compare: str
    rest: dict[str, Any]
    sane: Any = None

    @property
    def pilosa_is_wrong(self) -> bool:
        """Whether the record and the naive engine differ in more than what Pilosa leaves to chance."""
        recorded = self.rest.get("body")
        if self.sane is None or recorded is None:
            return False
        cut = self.compare.endswith("cut")
        return bool(ties_sorted(json.loads(recorded), cut) != ties_sorted(self.sane, cut))


@pytest.fixture(scope="module")
def entries(shared: Path) -> list[Entry]:
    """All, with the naive engine's answers: it has carried out the writes before each."""
    load = load_module(shared)
    indexes = loaded(load)
    for index, attributes in load.ATTRS:
        Naive(indexes[index]).answer(parse(attributes))
    found = []
    for line in (shared / "pilosa" / "corpus_dev.jsonl").read_text(encoding="utf-8").splitlines():
        raw = json.loads(line)
        entry = Entry(raw["id"], raw["method"], raw["path"], raw["pql"], raw["status"], raw["compare"], raw)
        if "/query" in entry.path and raw["index"] in indexes:
            entry.sane = _sane(indexes[raw["index"]], entry)
        found.append(entry)
    return found


def _sane(index: Index, entry: Entry) -> Any:
    parameters = parse_qs(urlsplit(entry.path).query)
    flags = [parameters.get(name) == ["true"] for name in ("columnAttrs", "excludeRowAttrs", "excludeColumns")]
    try:
        calls = parse(entry.pql)
        if "too many write commands" in entry.rest.get("body", ""):
            return None
        shards = [int(part) for part in parameters["shards"][0].split(",")] if "shards" in parameters else None
        answer = Naive(index).answer(calls, Asked(shards, *flags))
    except (Unsaid, QueryError, ValueError):
        return None
    return answer if entry.status == 200 else None


def test_the_record_and_the_naive_engine_agree(entries: list[Entry]) -> None:
    """The judge is right where the record knows better than Pilosa, and differs from Pilosa only in what is known to be wrong."""
    differ = []
    for entry in entries:
        if sane := entry.rest.get("sane_body"):
            assert entry.sane == json.loads(sane), entry.pql
        elif entry.pilosa_is_wrong:
            differ.append(entry)
    assert len([entry for entry in entries if entry.sane is not None]) > 400
    for entry in differ:
        known = ("Sum(", "Min(", "Max(", "MinRow(", "MaxRow(", "Row(i < 0)", "Row(p < 15)")
        assert any(name in entry.pql for name in known), (entry.id, entry.pql)


def test_every_recorded_answer(entries: list[Entry], product: Peer, shared: Path) -> None:
    product.load(shared)
    failed = []
    for entry in entries:
        body = entry.pql.encode() if entry.method != "GET" else None
        status, answer = product.ask(entry.method, entry.path, body, entry.rest.get("headers"))
        why = _complaint(entry, status, answer)
        if why and entry.id not in DELIBERATE:
            failed.append(f"{entry.id} {entry.path} {entry.pql[:160]}\n    {why}")
        elif not why and entry.id in DELIBERATE:
            failed.append(f"{entry.id} is no difference any more: {DELIBERATE[entry.id]}")
    assert not failed, f"{len(failed)} of {len(entries)} on {product.name}:\n" + "\n".join(failed)


def _complaint(entry: Entry, status: int, answer: bytes) -> str:
    """What is wrong with an answer; "" if nothing is."""
    text = answer.decode("utf-8", "replace")
    if entry.compare == "panic":
        return "" if 400 <= status < 500 or status == 500 else f"{status} for what Pilosa panics at: {text[:200]}"
    expected = entry.rest.get("body")
    if status != entry.status:
        return f"{entry.status} expected, got {status}: {text[:200]}"
    if entry.pilosa_is_wrong:
        wanted, right = entry.sane, text.endswith("\n") and _same(entry, json.loads(text), entry.sane)
        return "" if right else f"sane: {json.dumps(wanted)[:200]}\n    got:  {text[:200]}"
    if expected is None:
        right = hashlib.sha256(answer).hexdigest() == entry.rest["body_sha256"]
        return "" if right else f"another digest: {text[:200]}"
    if entry.compare == "exact":
        right = text == expected
    elif entry.compare == "parse-error":
        right = json.loads(text)["error"].startswith(PARSE_ERROR)
    elif entry.compare == "error-any-shard":
        right = without_shard(text) == without_shard(expected)
    else:
        right = _same(entry, json.loads(text), json.loads(expected))
    return "" if right else f"expected: {expected[:200]!r}\n    got:      {text[:200]!r}"


def _same(entry: Entry, one: Any, other: Any) -> bool:
    cut = entry.compare.endswith("cut")
    return bool(ties_sorted(one, cut) == ties_sorted(other, cut))
