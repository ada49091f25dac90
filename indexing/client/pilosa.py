"""Client indexes on a real Pilosa 1.4.1 cluster.

Indexes and fields are made without keys there: ids alone go to it. What Pilosa answers rightly is passed on; the rest is asked
for another way (pilosa_asking, pilosa_text). Every answer is exact, or an exception says why there is none (pilosa_cluster).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np

from indexing.backends import pilosa_schema
from indexing.backends.pilosa_cluster import Cluster
from indexing.backends.pilosa_http import refused
from indexing.backends.pilosa_import import Importer
from indexing.backends.pilosa_query import Questions
from indexing.calls import BoolResult, Call, NoResult, QueryError, Result, ValCountResult
from indexing.client import pilosa_bulk, pilosa_names
from indexing.client.contract import I64, U64, Answered, Attributes, ClientIndex, Wanted
from indexing.client.pilosa_asking import Asking, ask
from indexing.client.pilosa_text import changed, write
from indexing.roaring import SHARD_EXPONENT

_WRITES = frozenset({"Set", "Clear", "ClearRow", "Store", "SetRowAttrs", "SetColumnAttrs"})
# Pilosa looks for the shards that there are once a request: these come first in one, so that they see all before them.
_SEES_SHARDS = frozenset({"ClearRow", "Store"})
_ATTRS = frozenset({"SetRowAttrs", "SetColumnAttrs"})
_WRITES_AT_ONCE = 2000  # Pilosa takes 5,000, and some of ours are two of its
_NO_SHARD = (1 << 43) - 1
_SHARDS_AT_ONCE = 5000


@dataclass(frozen=True)
class _Under:
    """What a call is asked under. shards: None: all."""

    shards: tuple[int, ...] | None
    exclude_row_attrs: bool
    exclude_columns: bool


class PilosaClients:
    """See indexing.client.contract.ClientEngine."""

    def __init__(self, cluster: Cluster, importer: Importer) -> None:
        self._cluster = cluster
        self._bulk = pilosa_bulk.Bulk(cluster, importer)
        self._questions = Questions(cluster)

    # Schema

    def create_index(self, index: ClientIndex) -> None:
        """See ClientEngine."""
        self._make(index, list(index.fields))

    def create_field(self, index: ClientIndex, name: str) -> None:
        """See ClientEngine."""
        self._make(index, [name])

    def _make(self, index: ClientIndex, names: Sequence[str]) -> None:
        options: dict[str, dict[str, Any]] = {}
        for name in names:
            pilosa_names.check_field(name)
            if pilosa_names.has_mirror(index.fields[name]):
                options[pilosa_names.mirror(name)] = pilosa_names.MIRROR_OPTIONS
            options[name] = pilosa_names.made_with(index.fields[name])
        made = {"keys": False, "trackExistence": index.options.track_existence}
        pilosa_schema.make(self._cluster, pilosa_names.physical(index.name), made, options)

    def delete_index(self, index: ClientIndex) -> None:
        """See ClientEngine."""
        pilosa_schema.drop(self._cluster, pilosa_names.physical(index.name))

    def delete_field(self, index: ClientIndex, name: str) -> None:
        """See ClientEngine."""
        physical = pilosa_names.physical(index.name)
        pilosa_schema.drop_field(self._cluster, physical, name)
        options = index.fields.get(name)
        if options is not None and pilosa_names.has_mirror(options):
            pilosa_schema.drop_field(self._cluster, physical, pilosa_names.mirror(name))

    # Questions

    def query(self, index: ClientIndex, calls: Sequence[Call], wanted: Wanted) -> Answered:
        """See ClientEngine."""
        shards = tuple(wanted.shards) if wanted.shards else None
        first = _Under(shards, wanted.exclude_row_attrs, wanted.exclude_columns)
        unwrapped = [_unwrapped(call, first) for call in calls]
        attrs = wanted.column_attrs
        for call in calls:
            attrs = _column_attrs(call, attrs)
        out = Answered([])
        found: dict[int, Attributes] = {}
        for kind, some in groupby(unwrapped, key=lambda one: (one[0].name in _WRITES, one[1])):
            under = kind[1]
            if kind[0]:
                out.results += self._write(index, [call for call, _ in some], under)
            else:
                out.results += self._read(index, [call for call, _ in some], under, found if attrs else None)
        out.column_attrs = sorted(found.items())
        return out

    def _read(
        self, index: ClientIndex, calls: Sequence[Call], under: _Under, attrs: dict[int, Attributes] | None
    ) -> list[Result]:
        """Runs the calls' generators, all of a round in one request. attrs: takes those of columns."""
        asking: list[Asking] = [ask(call, index) for call in calls]
        results: dict[int, Result] = {}
        asked: dict[int, list[str]] = {}

        def step(at: int, answers: list[Any] | None) -> None:
            try:
                asked[at] = asking[at].send(answers) if answers is not None else next(asking[at])
            except StopIteration as end:
                results[at] = end.value

        for at in range(len(asking)):
            step(at, None)
        while asked:
            taken, asked = asked, {}
            answers = iter(self._post(index, "".join(text for some in taken.values() for text in some), under, attrs))
            for at, some in taken.items():
                step(at, [next(answers) for _ in some])
        return [results[at] for at in range(len(asking))]

    def _write(self, index: ClientIndex, calls: Sequence[Call], under: _Under) -> list[Result]:
        for call in calls:
            pilosa_bulk.check_value(index, call)
        members = self._cluster.members()
        results: list[Result] = []
        for some in _together(calls):
            texts = [write(call, index) for call in some]
            answers = iter(self._post(index, "".join(text for one in texts for text in one), under))
            for call, one in zip(some, texts, strict=True):
                said = [next(answers) for _ in one]
                results.append(NoResult() if call.name in _ATTRS else BoolResult(changed(call, index, said)))
        self._cluster.same(members)
        return results

    def _post(self, index: ClientIndex, pql: str, under: _Under, attrs: dict[int, Attributes] | None = None) -> list[Any]:
        options = {
            "shards": "" if under.shards is None else ",".join(map(str, under.shards)),
            "excludeRowAttrs": "true" if under.exclude_row_attrs else "",
            "excludeColumns": "true" if under.exclude_columns else "",
            "columnAttrs": "true" if attrs is not None else "",
        }
        given = "&".join(f"{name}={value}" for name, value in options.items() if value)
        answer = self._questions.answer(pilosa_names.physical(index.name), pql, given)
        for one in answer.get("columnAttrs") or []:
            if attrs is not None:
                attrs[one["id"]] = one["attrs"]
        results: list[Any] = answer["results"]
        return results

    # Bulk

    def import_bits(
        self, index: ClientIndex, name: str, rows: U64, columns: U64, timestamps: I64 | None = None, clear: bool = False
    ) -> None:
        """See ClientEngine."""
        self._bulk.bits(index, name, rows, columns, timestamps, clear)

    def import_values(self, index: ClientIndex, name: str, columns: U64, values: I64, clear: bool = False) -> None:
        """See ClientEngine."""
        self._bulk.values(index, name, columns, values, clear)

    def import_roaring(
        self, index: ClientIndex, name: str, shard: int, views: Sequence[tuple[str, bytes]], clear: bool = False
    ) -> None:
        """See ClientEngine."""
        self._bulk.roaring(index, name, shard, views, clear)

    def export(self, index: ClientIndex, name: str, shard: int) -> tuple[U64, U64]:
        """See ClientEngine. The rows first, then the columns of each."""
        options = index.fields[name]
        none = np.zeros(0, np.uint64)
        if options.type == "int" or options.no_standard_view:
            return none, none
        under = _Under((shard,), True, False)
        rows = ["false", "true"]
        if options.type != "bool":
            rows = self._post(index, f"Rows({name})", under)[0]["rows"] or []
        found_rows, found_columns = [none], [none]
        for at in range(0, len(rows), 500):
            some = rows[at : at + 500]
            answers = self._post(index, "".join(f"Row({name}={row})" for row in some), under)
            for number, (row, answer) in enumerate(zip(some, answers, strict=True)):
                columns = np.array(answer["columns"], np.uint64)
                found_rows.append(np.full(columns.size, number if options.type == "bool" else row, np.uint64))
                found_columns.append(columns)
        return np.concatenate(found_rows), np.concatenate(found_columns)

    # What there is

    def shards(self, index: ClientIndex) -> list[int]:
        """See ClientEngine. Pilosa tells the greatest alone: up to that each is asked for, unless that is too far.

        The greatest itself is one in any case, if it is not 0, which Pilosa says of an empty index too."""
        physical = pilosa_names.physical(index.name)
        tops = self._cluster.opened(lambda host: self._cluster.http.json_of(host, "/internal/shards/max")["standard"])
        greatest = max((top.get(physical, 0) for top in tops), default=0)
        asked = self._any(index)
        if not asked:
            return [greatest] if greatest else []
        if greatest > _SHARDS_AT_ONCE and index.options.track_existence:
            (answer,) = self._post(index, "Not(Union())", _Under(None, True, False))
            columns = np.array(answer["columns"], np.uint64)
            return sorted({*np.unique(columns >> np.uint64(SHARD_EXPONENT)).tolist(), greatest})
        found: list[int] = []
        step = max(_SHARDS_AT_ONCE // len(asked), 1)
        for first in range(0, greatest + 1, step):
            some = range(first, min(first + step, greatest + 1))
            text = "".join(f"Options({one},shards=[{shard}])" for shard in some for one in asked)
            answers = self._post(index, text, _Under(None, True, False))
            size = len(asked)
            found += [shard for at, shard in enumerate(some) if any(answers[at * size : (at + 1) * size])]
        return sorted({*found, greatest}) if greatest else found

    def _any(self, index: ClientIndex) -> list[str]:
        """PQL that answers 0 or nothing where there is nothing. All fields: bits of import-roaring are in no existence."""
        texts: list[str] = ["Count(Not(Union()))"] if index.options.track_existence else []
        for name, options in index.fields.items():
            if options.type == "int":
                texts.append(f"Count(Row({name} != null))")
            elif options.type == "bool":
                texts.append(f"Count(Union(Row({name}=true),Row({name}=false)))")
            else:
                texts.append(f"GroupBy(Rows({name}),limit=1)")
        return texts

    def bit_depths(self, index: ClientIndex) -> dict[str, int]:
        """See ClientEngine."""
        known = pilosa_schema.read(self._cluster).get(pilosa_names.physical(index.name))
        found: dict[str, int] = {}
        for name, options in index.fields.items():
            if options.type != "int":
                continue
            if pilosa_names.base(options) == options.base:
                given = known.options.get(name, {}) if known is not None else {}
                found[name] = int(given.get("bitDepth", 0))
            else:  # Pilosa's is of another base: that of what is there now
                ends = self._read(
                    index, [Call(end, args={"field": name}) for end in ("Min", "Max")], _Under(None, True, False), None
                )
                far = [abs(end.value - options.base) for end in ends if isinstance(end, ValCountResult) and end.count]
                found[name] = max((one.bit_length() for one in far), default=0)
        return found

    def attributes(self, index: ClientIndex, name: str | None) -> dict[int, dict[str, Any]]:
        """See ClientEngine."""
        path = f"/internal/index/{pilosa_names.physical(index.name)}" + (f"/field/{name}" if name else "") + "/attr/diff"
        status, body = self._cluster.http.ask("POST", path, b'{"blocks":[]}')
        if status != 200:
            raise refused(f"POST {path}", status, body)
        found: dict[str, dict[str, Any]] = json.loads(body)["attrs"] or {}
        return {int(one): attrs for one, attrs in sorted(found.items(), key=lambda pair: int(pair[0]))}


def _together(calls: Sequence[Call]) -> Iterator[list[Call]]:
    """Runs of writes that may go in one request."""
    some: list[Call] = []
    for call in calls:
        if some and (call.name in _SEES_SHARDS or len(some) >= _WRITES_AT_ONCE):
            yield some
            some = []
        some.append(call)
    if some:
        yield some


def _unwrapped(call: Call, under: _Under) -> tuple[Call, _Under]:
    """A call without the Options() around it, and what it is to be asked under."""
    while call.name == "Options":
        args = call.args
        shards = args.get("shards")
        if shards is not None:
            under = replace(under, shards=tuple(shards) or (_NO_SHARD,))
        under = replace(
            under,
            exclude_row_attrs=args.get("excludeRowAttrs", under.exclude_row_attrs),
            exclude_columns=args.get("excludeColumns", under.exclude_columns),
        )
        if not call.children:
            raise QueryError("Options() requires an input call", call.position)
        call = call.children[0]
    return call, under


def _column_attrs(call: Call, wanted: bool) -> bool:
    """Whether attributes of columns are asked for: an Options() call asks for the whole request."""
    while call.name == "Options" and call.children:
        wanted = call.args.get("columnAttrs", wanted)
        call = call.children[0]
    return wanted
