"""Recorded answers of a real Pilosa 1.4.1: the same ones of client indexes on a real Pilosa, or those of the naive engine.

The recorded ones are wrong, without saying so, where sums under a filter subtract negative values outside of it, and where Min,
Max, MinRow and MaxRow count in one shard; a few comparisons among the writes are wrong, too.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from indexing import store, translation
from indexing.calls import QueryError
from indexing.client.engine import engine
from proxy.pql.parse import parse
from tests.differential.naive import Asked, Naive
from tests.differential.naive_data import Index, Unsaid, loaded
from tests.pilosa import PilosaServer
from tests.product_servers import load_module
from tests.proxy.client import corpus

_WRONG = ("Sum(", "Min(", "Max(", "MinRow(", "MaxRow(", "Row(i < 0)", "Row(p < 15)")


@pytest.mark.django_db(transaction=True)
def test_every_recorded_query(pilosa_server: PilosaServer, shared: Path) -> None:
    load = load_module(shared)
    known, naive = corpus.indexes(load), loaded(load)
    for name, attributes in load.ATTRS:
        Naive(naive[name]).answer(parse(attributes))
    wrong, checked = [], 0
    with override_settings(INDEX_URL=pilosa_server.url):
        translation.clear_cache()
        try:
            corpus.fill(load, engine(), known)
            for entry in corpus.entries(shared, known):
                sane = _sane(naive[entry.raw["index"]], entry)
                status, text = entry.answer(known)
                why = entry.complaint(status, text)
                if why and sane is not None and any(name in entry.raw["pql"] for name in _WRONG):
                    why = "" if json.loads(text) == sane else f"{why}\n      naively  {json.dumps(sane)[:160]}"
                checked += 1
                if why:
                    wrong.append(f"{entry.raw['id']} {entry.raw['compare']} {entry.raw['pql'][:120]}\n      {why}")
        finally:
            store.close()
    assert checked > 450
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong)


def _sane(index: Index, entry: corpus.Entry) -> Any:
    """The naive engine's answer; it has carried out the writes before this one."""
    wanted = entry.wanted()
    if "too many write commands" in (entry.raw.get("body") or ""):
        return None
    asked = Asked(wanted.shards, wanted.column_attrs, wanted.exclude_row_attrs, wanted.exclude_columns)
    try:
        return Naive(index).answer(parse(entry.raw["pql"]), asked)
    except (Unsaid, QueryError, ValueError):
        return None
