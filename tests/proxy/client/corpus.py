"""The recorded corpus without HTTP: load.py's data through the engine, and each entry through parse, keys, engine and render."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np

from indexing import translation
from indexing.calls import QueryError
from indexing.client.contract import ClientEngine, ClientIndex, FieldOptions, IndexOptions, Wanted
from indexing.client.names import COLUMN_KEYS
from proxy.client.ask import ask_client
from proxy.pql.render import error_json, render_json

_OPTIONS = {
    "type": "type",
    "keys": "keys",
    "cacheType": "cache_type",
    "cacheSize": "cache_size",
    "min": "minimum",
    "max": "maximum",
    "timeQuantum": "time_quantum",
    "noStandardView": "no_standard_view",
}


def indexes(load: ModuleType) -> dict[str, ClientIndex]:
    """load.py's indexes."""
    return {
        name: ClientIndex(
            name,
            IndexOptions(load.INDEX_OPTS[name].get("keys", False), load.INDEX_OPTS[name].get("trackExistence", True)),
            {field: FieldOptions(**{_OPTIONS[key]: value for key, value in options.items()}) for field, options in fields},
        )
        for name, fields in load.FIELDS.items()
    }


def fill(load: ModuleType, engine: ClientEngine, known: dict[str, ClientIndex]) -> None:
    """Makes them and imports all, in load.py's groups and order."""
    for index in known.values():
        engine.delete_index(index)
        engine.create_index(index)
    groups: dict[tuple[str, str, int], list[tuple[Any, Any, Any]]] = {}
    for index, field, row, column, stamp in load.bits():
        shard = column >> 20 if isinstance(column, int) else 0
        groups.setdefault((index, field, shard), []).append((row, column, stamp))
    for (name, field, _), some in groups.items():
        index = known[name]
        options = index.fields[field]
        rows, columns = [one[0] for one in some], [one[1] for one in some]
        if index.options.keys:
            columns = translation.resolve(name, {COLUMN_KEYS: [key.encode() for key in columns]})[COLUMN_KEYS].tolist()
        ids = np.array(columns, np.uint64)
        if options.type == "int":
            engine.import_values(index, field, ids, np.array(rows, np.int64))
            continue
        if options.keys:
            rows = translation.resolve(name, {field: [key.encode() for key in rows]})[field].tolist()
        stamps = np.array([(one[2] or 0) * 10**9 for one in some], np.int64)
        engine.import_bits(index, field, np.array(rows, np.uint64), ids, stamps if stamps.any() else None)
    for name, text in load.ATTRS:
        ask_client(known[name], text)


@dataclass
class Entry:
    """One recorded answer to a query."""

    raw: dict[str, Any]

    def wanted(self) -> Wanted:
        """What its address asks for."""
        given = {name: values[0] for name, values in parse_qs(urlsplit(self.raw["path"]).query).items()}
        flags = [given.get(name) == "true" for name in ("columnAttrs", "excludeRowAttrs", "excludeColumns")]
        shards = [int(one) for one in given["shards"].split(",")] if "shards" in given else None
        return Wanted(shards, *flags)

    def answer(self, known: dict[str, ClientIndex]) -> tuple[int, str]:
        """What we say: status and body."""
        try:
            answer = ask_client(known[self.raw["index"]], self.raw["pql"], self.wanted())
        except QueryError as error:
            return error.status, error_json(error).decode()
        return 200, render_json(answer.results, answer.calls, False, answer.column_attrs).decode()

    def complaint(self, status: int, text: str) -> str:
        """What is wrong with an answer; "" if nothing is. By check_corpus.py, and `sane_body` where there is one."""
        raw = self.raw
        expected = raw.get("sane_body", raw.get("body"))
        kind = raw["compare"]
        if kind == "panic":
            return "" if 200 <= status < 500 else f"{status}"
        if status != raw["status"]:
            return f"{raw['status']} {(expected or '')[:200]!r} expected, got {status} {text[:200]!r}"
        if kind == "parse-error":
            right = json.loads(text)["error"].startswith("parsing: parsing: \nparse error near")
        elif kind == "error-any-shard":
            right = re.sub(r"shard \d+", "shard N", text) == re.sub(r"shard \d+", "shard N", expected or "")
        elif expected is None:
            right = hashlib.sha256(text.encode()).hexdigest() == raw["body_sha256"]
        elif kind.startswith("topn-ties"):
            right = _ties(text, kind.endswith("cut")) == _ties(expected, kind.endswith("cut"))
        else:
            right = text == expected
        return "" if right else f"expected {(expected or 'another digest')[:160]!r}\n      got      {text[:160]!r}"


def _ties(text: str, cut: bool) -> list[Any]:
    """Pairs of equal counts in one order; cut: which of the last count are there is left to chance."""
    out = []
    for result in json.loads(text)["results"]:
        if isinstance(result, list) and result and "id" in result[0]:
            least = result[-1]["count"] if cut else None
            result = sorted((-pair["count"], json.dumps(pair) if pair["count"] != least else "") for pair in result)
        out.append(result)
    return out


def entries(shared: Path, known: dict[str, ClientIndex]) -> list[Entry]:
    """The queries of the corpus to indexes that there are; what HTTP itself refuses is not ours."""
    found = []
    for line in (shared / "pilosa" / "corpus_dev.jsonl").read_text(encoding="utf-8").splitlines():
        raw = json.loads(line)
        if "/query" in raw["path"] and raw["index"] in known and raw["tag"] != "error-param":
            found.append(Entry(raw))
    return found
