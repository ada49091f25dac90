"""One read in ids -> the PQL to send, round by round, and the typed result of what comes back.

Handlers are generators: they yield lists of PQL calls, are sent their JSON results, and return the result.

Where Pilosa 1.4.1 answers wrongly, the right answer is asked for another way:

- TopN looks at a cache that is up to ten seconds old, holds the field's cacheSize, and takes `n` per shard: GroupBy knows all.
- Min and Max count in one shard only, and find nothing where all values are the base: the count is a question of its own.
- MinRow and MaxRow count in one shard, and MaxRow knows nothing of imports: they are made of Rows or GroupBy.
- GroupBy of three or more Rows may never end: see indexing.backends.pilosa_groups.
- Sum under a filter: see pilosa_text.sums.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any

import numpy as np

from indexing.backends.pilosa_groups import Groups, from_offset
from indexing.calls import (
    Call,
    CountResult,
    GroupCount,
    GroupCountsResult,
    Pair,
    PairsResult,
    Result,
    RowResult,
    RowsResult,
    ValCountResult,
)
from indexing.client import pilosa_names
from indexing.client.contract import ClientIndex
from indexing.client.pilosa_text import bitmap, literal, summed, sums, times
from indexing.roaring import MAX_ROW

Asking = Generator[list[str], list[Any], Result]
_IDS_AT_ONCE = 10_000


def ask(call: Call, index: ClientIndex) -> Asking:
    """The generator of a call that was checked."""
    return _HANDLERS.get(call.name, _row)(call, index)


def _row(call: Call, index: ClientIndex) -> Asking:
    (answer,) = yield [bitmap(call, index)]
    return RowResult(np.array(answer["columns"], np.uint64), answer["attrs"])


def _count(call: Call, index: ClientIndex) -> Asking:
    (answer,) = yield [f"Count({bitmap(call.children[0], index)})"]
    return CountResult(answer)


def _under(call: Call, index: ClientIndex) -> str:
    return bitmap(call.children[0], index) if len(call.children) == 1 else ""


def _value(call: Call, index: ClientIndex) -> Asking:
    name = call.args.get("field")
    options = index.fields.get(name) if isinstance(name, str) else None
    if options is None or options.type != "int":
        return ValCountResult(0, 0)
    under = _under(call, index)
    if call.name == "Sum":
        if under:
            answers = yield sums(under, str(name), options)
            return ValCountResult(*summed(answers, options))
        (answer,) = yield [f"Sum(field={name})"]
        return ValCountResult(answer["value"], answer["count"])
    (answer,) = yield [f"{call.name}({under}{',' if under else ''}field={name})"]
    value = answer["value"]
    if answer["count"] == 0:  # there is nothing, or there is nothing but the base
        value = pilosa_names.base(options)
    having = f"Row({name} >< [{value},{value}])"
    (count,) = yield [f"Count(Intersect({under},{having}))" if under else f"Count({having})"]
    return ValCountResult(value if count else 0, count)


def _topn(call: Call, index: ClientIndex) -> Asking:
    args = call.args
    name = args.get("field")
    options = index.fields.get(name) if isinstance(name, str) else None
    if options is None:
        return PairsResult([], "")
    name = str(name)
    under = _under(call, index)
    parts = [name, *([under] if under else [])]
    if options.type not in ("set", "mutex") or options.cache_type == "none":
        yield [f"TopN({','.join(parts)},n=1)"]  # refused, unless there is nothing yet
        return PairsResult([], name)
    ids = [row for row in args.get("ids") or [] if row <= MAX_ROW]  # greater ones would wrap around and name other rows
    if args.get("ids") and not ids:
        return PairsResult([], name)
    more = _per_shard(args)
    totals: dict[int, int] = {}
    if more:
        if not ids:
            (answer,) = yield [f"Rows({name})"]
            ids = answer["rows"] or []
        for at in range(0, len(ids), _IDS_AT_ONCE):
            some = ",".join(map(str, ids[at : at + _IDS_AT_ONCE]))
            (pairs,) = yield [f"TopN({','.join([*parts, f'ids=[{some}]', *more])})"]
            totals.update((pair["id"], pair["count"]) for pair in pairs)
    elif ids:
        wanted = sorted(set(ids))
        row = "Count(Intersect({under},Row({name}={row})))" if under else "Count(Row({name}={row}))"
        for at in range(0, len(wanted), _IDS_AT_ONCE):
            chosen = wanted[at : at + _IDS_AT_ONCE]
            counts = yield [row.format(under=under, name=name, row=one) for one in chosen]
            totals.update(zip(chosen, counts, strict=True))
    else:
        totals.update((yield from _groups(name, under)))
    found = sorted(((row, count) for row, count in totals.items() if count), key=lambda pair: (-pair[1], pair[0]))
    n = args.get("n") or 0
    if n and not args.get("ids"):
        found = found[:n]
    return PairsResult([Pair(row, count) for row, count in found], name)


def _per_shard(args: dict[str, Any]) -> list[str]:
    """Arguments that Pilosa applies to each shard by itself, and that are part of what is asked."""
    given = [f"{name}={args[name]}" for name in ("threshold", "tanimotoThreshold") if (args.get(name) or 0) > 1]
    if args.get("tanimotoThreshold") == 1:
        given.append("tanimotoThreshold=1")
    values = args.get("attrValues")
    if isinstance(args.get("attrName"), str) and args["attrName"] and isinstance(values, list) and values:
        scalars = [literal(value) for value in values if isinstance(value, str | int | bool | float)]
        if scalars:
            given += [f"attrName={literal(args['attrName'])}", f"attrValues=[{','.join(scalars)}]"]
    return given


def _groups(name: str, under: str, limit: str = "") -> Generator[list[str], list[Any], list[tuple[int, int]]]:
    """(row, count) of a field's standard view, ascending, of rows that have any."""
    (answer,) = yield [f"GroupBy(Rows({name}){f',filter={under}' if under else ''}{limit})"]
    return [(group["group"][0]["rowID"], group["count"]) for group in answer or []]


def _extreme_row(call: Call, index: ClientIndex) -> Asking:
    name = call.args.get("field")
    options = index.fields.get(name) if isinstance(name, str) else None
    name = str(name) if name is not None else ""
    if options is None or options.type == "int" or options.no_standard_view:
        return PairsResult([Pair(0, 0)], name)
    first = call.name == "MinRow"
    under = _under(call, index)
    pairs = yield from _groups(name, under, ",limit=1" if first else "")
    if not pairs:
        return PairsResult([Pair(0, 0)], name)
    row, count = pairs[0 if first else -1]
    return PairsResult([Pair(row, count if under else 1)], name)


def _rows_text(call: Call, index: ClientIndex) -> str:
    args = call.args
    given = [f"{name}={args[name]}" for name in ("limit", "column") if args.get(name) is not None]
    kind = index.fields[args["field"]].type
    if args.get("previous") is not None:
        # Of a bool field Pilosa takes nothing but a bool, which it reads as row 0 or 1
        previous = ("true" if args["previous"] else "false") if kind == "bool" else min(args["previous"], MAX_ROW - 1)
        given.append(f"previous={previous}")
    if kind == "time":
        given += times(args)
    return f"Rows({','.join([args['field'], *given])})"


def _rows(call: Call, index: ClientIndex) -> Asking:
    options, limit = index.fields[call.args["field"]], None
    if options.type == "time" and (options.no_standard_view or any(call.args.get(end) is not None for end in ("from", "to"))):
        # Of several views Pilosa counts down one limit: rows of later ones are missing (executeRowsShard, filterWithLimit)
        limit = call.args.get("limit")
        call = replace(call, args={**call.args, "limit": None})
    (answer,) = yield [_rows_text(call, index)]
    return RowsResult((answer["rows"] or [])[:limit], call.args["field"])


def _group_by(call: Call, index: ClientIndex) -> Asking:
    under = bitmap(call.args["filter"], index) if call.args.get("filter") is not None else ""
    if len(call.children) > 2:
        fields = [index.fields[child.args["field"]] for child in call.children]
        if any(options.type == "int" or options.no_standard_view for options in fields):
            return GroupCountsResult([])
        groups = Groups([child.args for child in call.children], under, call.args.get("limit"))
        yield from groups.ask()
        return GroupCountsResult(from_offset(groups.found, call.args.get("offset")))
    parts = [_rows_text(child, index) for child in call.children]
    if under:
        parts.append(f"filter={under}")
    parts += [f"{name}={call.args[name]}" for name in ("limit", "offset") if call.args.get(name) is not None]
    (answer,) = yield [f"GroupBy({','.join(parts)})"]
    return GroupCountsResult(
        [GroupCount([(row["field"], row["rowID"], None) for row in group["group"]], group["count"]) for group in answer or []]
    )


_HANDLERS: dict[str, Callable[[Call, ClientIndex], Asking]] = {
    "Count": _count,
    "Sum": _value,
    "Min": _value,
    "Max": _value,
    "TopN": _topn,
    "Rows": _rows,
    "MinRow": _extreme_row,
    "MaxRow": _extreme_row,
    "GroupBy": _group_by,
}
