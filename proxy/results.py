"""Results of PQL as the console shows them: every count and every value leads to its packets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from capture.packets.registry import FIELDS
from indexing.calls import (
    BoolResult,
    Call,
    Condition,
    CountResult,
    GroupCountsResult,
    NoResult,
    PairsResult,
    Result,
    RowResult,
    RowsResult,
    ValCountResult,
)
from proxy.ask import BITMAP_CALLS
from proxy.links import LONGEST_LINKED, Where, narrowed, row
from proxy.pql.unparse import unparse

FIRST_COLUMNS = 200
FIRST_ROWS = 1000


@dataclass
class Shown:
    """One result. kind names its template part."""

    kind: str
    pql: str
    url: str = ""
    count: int | None = None
    value: int | None = None
    note: str = ""
    columns: list[int] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)
    left_out: int = 0


def shown(where: Where, call: Call, result: Result) -> Shown:
    """A result with its links. `where.base` is not used: each call stands for itself."""
    pql = unparse(call)
    linked = len(pql) <= LONGEST_LINKED
    packets = _packets_of(call)
    url = where.url("/explore/", packets) if packets is not None and linked else ""
    one = Shown(_kind(result), pql if linked else pql[:LONGEST_LINKED] + "…", url)
    if isinstance(result, CountResult):
        one.count = result.count
    elif isinstance(result, ValCountResult):
        one.value, one.count = result.value, result.count
        name = call.args.get("field")
        if call.name in ("Min", "Max") and isinstance(name, str) and linked:
            equal = Call("Row", args={"condition": (name, Condition("==", result.value))})
            one.url = where.url("/explore/", narrowed(call.children[0] if call.children else None, equal))
    elif isinstance(result, RowResult):
        columns = np.asarray(result.columns, np.uint64)
        one.count, one.left_out = len(columns), max(0, len(columns) - FIRST_COLUMNS)
        one.columns = columns[:FIRST_COLUMNS].tolist()
    elif isinstance(result, PairsResult):
        base = call.children[0] if call.children else None
        largest = max((pair.count for pair in result.pairs), default=1) or 1
        one.fields, one.left_out = [result.field], max(0, len(result.pairs) - FIRST_ROWS)
        one.note = "" if result.exact else "counts may be off: the rank cache was not exact"
        one.rows = [
            _value_row(where, base, [(result.field, pair.id, pair.key)], linked, pair.count, 100 * pair.count / largest)
            for pair in result.pairs[:FIRST_ROWS]
        ]
    elif isinstance(result, RowsResult):
        keys: list[Any] = list(result.keys) if result.keys is not None else [None] * len(result.ids)
        one.fields, one.left_out = [result.field], max(0, len(keys) - FIRST_ROWS)
        ids = list(result.ids) or [0] * len(keys)
        one.rows = [
            _value_row(where, None, [(result.field, i, key)], linked)
            for i, key in list(zip(ids, keys, strict=False))[:FIRST_ROWS]
        ]
    elif isinstance(result, GroupCountsResult):
        base = next((child for child in call.children if child.name in BITMAP_CALLS), None)
        largest = max((group.count for group in result.groups), default=1) or 1
        one.fields = [name for name, _, _ in result.groups[0].group] if result.groups else []
        one.left_out = max(0, len(result.groups) - FIRST_ROWS)
        one.rows = [
            _value_row(where, base, group.group, linked, group.count, 100 * group.count / largest)
            for group in result.groups[:FIRST_ROWS]
        ]
    elif isinstance(result, BoolResult):
        one.note = "changed" if result.changed else "nothing changed"
    return one


def _kind(result: Result) -> str:
    kinds = {CountResult: "count", ValCountResult: "value", RowResult: "columns", BoolResult: "note", NoResult: "note"}
    return kinds.get(type(result), "table")


def _packets_of(call: Call) -> Call | None:
    """The packets that a call counts, if they are one bitmap."""
    if call.name in BITMAP_CALLS:
        return call
    if call.name in ("Count", "Sum", "Min", "Max", "TopN") and len(call.children) == 1:
        return call.children[0]
    return None


def _value_row(
    where: Where,
    base: Call | None,
    parts: list[tuple[str, int, str | None]],
    linked: bool,
    count: int | None = None,
    share: float = 0.0,
) -> dict[str, Any]:
    call = base
    for name, number, key in parts:
        call = narrowed(call, row(name, str(number) if key is None else key))
    known = all(name in FIELDS for name, _, _ in parts)
    return {
        "values": [str(number) if key is None else key for _, number, key in parts],
        "count": count,
        "share": round(share, 2),
        "url": where.url("/explore/", call) if linked and known else "",
    }
