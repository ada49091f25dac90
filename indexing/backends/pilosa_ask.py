"""One call -> the PQL to send and the typed result of what comes back.

Each handler is a generator: it yields lists of PQL calls, is sent their JSON results, and returns the result. So calls that
need a second look (Min, Max, TopN of a field that may have outgrown its cache) share their requests with all others.

Where Pilosa 1.4.1 answers wrongly, the right answer is asked for another way:

- TopN is asked without `n` and `threshold` (Pilosa applies both per shard) and cut here; equal counts by id.
- Min and Max count in one shard only: the count comes from a second question.
- MaxRow knows nothing of imports: it is made of Rows or GroupBy.
- TopN of a field whose cache a killed node has lost a part of is made of GroupBy.
- GroupBy of three or more Rows may never end: see pilosa_groups.
- Sum under a filter subtracts negative values outside the filter as well: refused for fields that can have any.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Protocol

import numpy as np

from indexing.backends import pilosa_top
from indexing.backends.check import Schema
from indexing.backends.pilosa_groups import Groups, from_offset
from indexing.backends.pilosa_pql import bitmap
from indexing.backends.tally import I64, U64, top
from indexing.calls import (
    Call,
    CountResult,
    GroupCount,
    GroupCountsResult,
    Pair,
    PairsResult,
    QueryError,
    Result,
    RowResult,
    RowsResult,
    ValCountResult,
)
from indexing.roaring import MAX_ROW

# Rows of a field that TopN is asked of without a look at its cache, or to look at that cache: some 60 bytes each.
_MOST_ROWS = 1_000_000

Asking = Generator[list[str], list[Any], Result]


class Caches(Protocol):
    """What is known of the TopN caches of an index's fields."""

    def size(self, field: str) -> int:
        """Rows that the field's cache holds per fragment; 0: no cache."""

    def fits(self, field: str) -> bool | None:
        """Whether the field has no more rows than that; None: not known (any more)."""

    def remember(self, field: str, fits: bool) -> None:
        """Keeps the answer for a while."""

    def warm(self, field: str) -> bool | None:
        """Whether the field's cache holds every row, in each shard; None: not known (any more)."""

    def remember_warm(self, field: str, warm: bool) -> None:
        """Keeps the answer for as long as the nodes run."""

    def shards(self) -> int | None:
        """So many shards had all columns of the mask when it was last asked; 0: too many; None: not known."""

    def remember_shards(self, shards: int | None) -> None:
        """Keeps that for a while; None: forgets it."""

    def settled(self, counts: tuple[int, ...]) -> bool:
        """Whether these counts, of the same columns each time, have been the same for a while (see pilosa_top)."""


class OfSomeShards:
    """The same, where a question is of chosen shards: then nothing is asked of others."""

    def __init__(self, caches: Caches) -> None:
        self.size, self.fits, self.remember = caches.size, caches.fits, caches.remember
        self._warm, self.remember_warm = caches.warm, caches.remember_warm

    def warm(self, field: str) -> bool | None:
        return self._warm(field) or False

    def shards(self) -> int | None:
        return 0

    def remember_shards(self, shards: int | None) -> None:
        pass

    def settled(self, counts: tuple[int, ...]) -> bool:
        return False


def goes_by_cache(call: Call) -> bool:
    """Whether the answer may rest on what caches hold."""
    return call.name == "TopN" or (call.name == "Options" and any(goes_by_cache(child) for child in call.children))


def ask(call: Call, schema: Schema, caches: Caches) -> Asking:
    """The generator of a checked call."""
    handler = _HANDLERS.get(call.name, _row)
    return handler(call, schema, caches)


def _row(call: Call, schema: Schema, caches: Caches) -> Asking:
    (answer,) = yield [bitmap(call, schema)]
    return RowResult(np.array(answer.get("columns") or [], np.uint64), answer.get("attrs") or {})


def _count(call: Call, schema: Schema, caches: Caches) -> Asking:
    (answer,) = yield [f"Count({bitmap(call.children[0], schema)})"]
    return CountResult(answer)


def _input(call: Call, schema: Schema) -> str:
    return bitmap(call.children[0], schema) if call.children else ""


def _sum(call: Call, schema: Schema, caches: Caches) -> Asking:
    name = call.args.get("field") or ""
    field = schema.get(name)
    if field is None or field.kind != "int":
        return ValCountResult(0, 0)
    under = _input(call, schema)
    if call.name == "Sum":
        if under and field.minimum < 0:
            raise QueryError(
                f"Sum() of {name}, which can be negative, is not answered rightly by Pilosa under a filter", call.position
            )
        (answer,) = yield [f"Sum({under}{',' if under else ''} field={name})"]
        return ValCountResult(answer["value"], answer["count"])
    (answer,) = yield [f"{call.name}({under}{',' if under else ''} field={name})"]
    if answer["count"] == 0:
        return ValCountResult(0, 0)
    value = answer["value"]
    having = f"Row({name} >< [{value},{value}])"
    (count,) = yield [f"Count(Intersect({under},{having}))" if under else f"Count({having})"]
    return ValCountResult(value, count)


def _topn(call: Call, schema: Schema, caches: Caches) -> Asking:
    field = call.args.get("field")
    if field is None:
        return PairsResult([], "")
    ids = call.args.get("ids") or None
    if ids:
        ids = [row for row in ids if row <= MAX_ROW]  # greater ones would wrap around and name other rows
        if not ids:
            return PairsResult([], field)
    parts = [field, *([_input(call, schema)] if call.children else [])]
    if ids:
        parts.append(f"ids=[{','.join(map(str, ids))}]")
    if call.args.get("attrName") and call.args.get("attrValues"):
        parts.append(f"attrName={_literal(call.args['attrName'])}")
        parts.append(f"attrValues=[{','.join(map(_literal, call.args['attrValues']))}]")
    size, fits = caches.size(field), caches.fits(field)
    warm: bool | None = True
    if not ids and size and "attrName" not in call.args:
        warm = yield from _is_warm(field, caches)
        if warm is False:
            return (yield from _from_storage(call, field, parts[1:]))
    n = call.args.get("n") or 0
    if not ids and fits and 0 < n <= pilosa_top.MOST_ROWS and len(parts) == 2 and pilosa_top.is_masked(call.children[0]):
        if caches.shards() is None:
            caches.remember_shards(pilosa_top.shards_of((yield pilosa_top.shards_asked())))
        if shards := caches.shards():
            first = yield from pilosa_top.first_rows(parts, n, shards, caches.settled)
            if first is not None:
                return _pairs(field, *top(*first, n, call.args.get("threshold") or 0), exact=warm is True)
    asked = [f"TopN({','.join(parts)})"]
    probing = not ids and fits is None and size > 0
    if probing:  # a field with more rows than its cache holds has a row id beyond that size
        asked.append(f"Rows({field}, previous={size - 1}, limit=1)")
    pairs, *beyond = yield asked
    if probing:
        fits = not beyond[0]["rows"]
        if not fits:
            (every,) = yield [f"Rows({field}, limit={size + 1})"]
            fits = len(every["rows"]) <= size
        caches.remember(field, fits)
    rows = np.fromiter((pair["id"] for pair in pairs), np.uint64, len(pairs))
    counts = np.fromiter((pair["count"] for pair in pairs), np.int64, len(pairs))
    rows, counts = top(rows, counts, 0 if ids else n, call.args.get("threshold") or 0)
    return _pairs(field, rows, counts, exact=bool(ids) or (fits is not False and warm is True))


def _is_warm(field: str, caches: Caches) -> Generator[list[str], list[Any], bool | None]:
    """Whether it is known that each shard's cache of the field holds all rows that the shard has. Of many shards it is not.

    None: nor will it be, for there are too many rows to look at, or to count without the cache.

    A node writes its caches once a minute and when it ends in order. One that was killed comes back with those of then, and TopN
    without what came since."""
    known = caches.warm(field)
    if known:
        return True
    (every,) = yield [f"Rows({field}, limit={_MOST_ROWS + 1})"]
    if len(every["rows"] or []) > _MOST_ROWS:
        return None
    if known is False:
        return False
    if caches.shards() is None:
        caches.remember_shards(pilosa_top.shards_of((yield pilosa_top.shards_asked())))
    shards = caches.shards()
    if not shards:
        caches.remember_warm(field, False)
        return False
    warm = True
    for shard in range(shards):  # one after the other: of what is held meanwhile, and how long it takes, there are bounds
        pairs, groups = yield [f"Options({call},shards=[{shard}])" for call in (f"TopN({field})", f"GroupBy(Rows({field}))")]
        cached = {pair["id"] for pair in pairs or []}
        if not all(group["group"][0]["rowID"] in cached for group in groups or []):
            warm = False
            break
    caches.remember_warm(field, warm)
    return warm


def _from_storage(call: Call, field: str, under: list[str]) -> Asking:
    """TopN without a look at the cache: each row's columns are counted."""
    filters = [f"filter={one}" for one in under]
    (groups,) = yield [f"GroupBy({','.join([f'Rows({field})', *filters])})"]
    groups = groups or []
    rows = np.fromiter((group["group"][0]["rowID"] for group in groups), np.uint64, len(groups))
    counts = np.fromiter((group["count"] for group in groups), np.int64, len(groups))
    rows, counts = top(rows, counts, call.args.get("n") or 0, call.args.get("threshold") or 0)
    return _pairs(field, rows, counts)


def _pairs(field: str, rows: U64, counts: I64, exact: bool = True) -> PairsResult:
    return PairsResult([Pair(row, count) for row, count in zip(rows.tolist(), counts.tolist(), strict=True)], field, exact)


def _extreme_row(call: Call, schema: Schema, caches: Caches) -> Asking:
    field = call.args["field"]
    if schema[field].kind == "int":
        return PairsResult([Pair(0, 0)], field)
    first = call.name == "MinRow"
    if not call.children:
        (answer,) = yield [f"Rows({field})"]
        ids = answer["rows"] or []
        return PairsResult([Pair(ids[0 if first else -1], 1) if ids else Pair(0, 0)], field)
    (groups,) = yield [f"GroupBy(Rows({field}),filter={_input(call, schema)})"]
    if not groups:
        return PairsResult([Pair(0, 0)], field)
    found = groups[0 if first else -1]  # by row id
    return PairsResult([Pair(found["group"][0]["rowID"], found["count"])], field)


def _rows_text(call: Call) -> str:
    given = [f"{name}={call.args[name]}" for name in ("previous", "limit", "column") if call.args.get(name) is not None]
    return f"Rows({','.join([call.args['field'], *given])})"


def _rows(call: Call, schema: Schema, caches: Caches) -> Asking:
    field = call.args["field"]
    if schema[field].kind == "int" or (call.args.get("previous") or 0) >= MAX_ROW:
        return RowsResult([], field)
    (answer,) = yield [_rows_text(call)]
    return RowsResult(answer["rows"] or [], field)


def _group_by(call: Call, schema: Schema, caches: Caches) -> Asking:
    if any(schema[child.args["field"]].kind == "int" for child in call.children):
        return GroupCountsResult([])
    under = bitmap(call.args["filter"], schema) if call.args.get("filter") is not None else ""
    if len(call.children) > 2:
        groups = Groups([child.args for child in call.children], under, call.args.get("limit"))
        yield from groups.ask()
        return GroupCountsResult(from_offset(groups.found, call.args.get("offset")))
    parts = [_rows_text(child) for child in call.children]
    if under:
        parts.append(f"filter={under}")
    parts += [f"{name}={call.args[name]}" for name in ("limit", "offset") if call.args.get(name) is not None]
    (answer,) = yield [f"GroupBy({','.join(parts)})"]
    return GroupCountsResult(
        [GroupCount([(row["field"], row["rowID"], None) for row in group["group"]], group["count"]) for group in answer or []]
    )


def _options(call: Call, schema: Schema, caches: Caches) -> Asking:
    given = [f"{name}=true" for name in ("excludeColumns", "excludeRowAttrs") if call.args.get(name)]
    chosen = call.args.get("shards")
    if chosen is not None:
        given.append(f"shards=[{','.join(map(str, chosen))}]")
    # Pilosa fails at Rows within Options. Of chosen shards GroupBy has the same rows; what TopN asks of its cache is of all.
    by_groups = chosen is not None and call.children[0].name != "TopN"

    def option(text: str) -> str:
        if text.startswith("Rows("):
            if not by_groups or "column=" in text:
                return text
            text = f"GroupBy({text})"
        return f"Options({','.join([text, *given])})"

    def answered(text: str, answer: Any) -> Any:
        if text.startswith("Rows(") and not isinstance(answer, dict):
            return {"rows": [group["group"][0]["rowID"] for group in answer or []]}
        return answer

    inner = ask(call.children[0], schema, OfSomeShards(caches))
    try:
        asked = next(inner)
        while True:
            answers = yield [option(text) for text in asked]
            asked = inner.send([answered(text, answer) for text, answer in zip(asked, answers, strict=True)])
    except StopIteration as end:
        result: Result = end.value
        return result


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return '"' + "".join(map(_character, str(value))) + '"'


def _character(one: str) -> str:
    """Printable ASCII as it is, the rest escaped as Go's strconv.Unquote reads it: it refuses surrogates."""
    if " " <= one <= "~" and one not in '"\\':
        return one
    code = ord(one)
    if 0xD800 <= code < 0xE000:
        code = 0xFFFD  # half a pair is no text
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


_HANDLERS: dict[str, Callable[[Call, Schema, Caches], Asking]] = {
    "Count": _count,
    "Sum": _sum,
    "Min": _sum,
    "Max": _sum,
    "TopN": _topn,
    "Rows": _rows,
    "MinRow": _extreme_row,
    "MaxRow": _extreme_row,
    "GroupBy": _group_by,
    "Options": _options,
}
