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
from proxy.locate import locate
from proxy.packets import PacketRow, rows_of
from proxy.pql.unparse import unparse

FIRST_PACKETS = 50
FIRST_COLUMNS = 200  # of results whose columns are no packets
FIRST_ROWS = 200
# Of packets in a result: field, heading, whether it is a number
PACKET_FIELDS = (
    ("netsrc", "Source", False),
    ("transsrc", "Port", True),
    ("netdst", "Destination", False),
    ("transdst", "Port", True),
    ("transproto", "Transport", False),
    ("appproto", "Application", False),
    ("tcp-flagset", "Flags", False),
)
_HARMLESS = frozenset({"columnAttrs", "excludeRowAttrs", "excludeColumns"})  # options that do not change which packets are meant


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
    packets: list[dict[str, Any]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)
    left_out: int = 0


def shown(where: Where, call: Call, result: Result) -> Shown:
    """A result with its links. `where.base` is not used: each call stands for itself."""
    pql = unparse(call)
    linked = len(pql) <= LONGEST_LINKED
    while call.name == "Options" and call.children and _HARMLESS.issuperset(call.args):
        call = call.children[0]
    packets = _packets_of(call)
    url = where.url("/explore/", packets) if packets is not None and linked else ""
    one = Shown(_kind(result), pql if linked else pql[:LONGEST_LINKED] + "…", url)
    if isinstance(result, CountResult):
        one.count = result.count
    elif isinstance(result, ValCountResult):
        one.value, one.count = result.value, result.count
        name = call.args.get("field")
        if call.name in ("Min", "Max", "Sum") and isinstance(name, str) and linked:
            # Those that are counted: with that number, or (a sum) with any
            equal = Condition("!=", None) if call.name == "Sum" else Condition("==", result.value)
            having = Call("Row", args={"condition": (name, equal)})
            one.url = where.url("/explore/", narrowed(call.children[0] if call.children else None, having))
    elif isinstance(result, RowResult):
        columns = np.asarray(result.columns, np.uint64)
        one.count = len(columns)
        found = rows_of(where.index, locate(where.index, columns[:FIRST_PACKETS]), [name for name, _, _ in PACKET_FIELDS])
        one.packets = [_packet_row(where, packets if linked else None, each) for each in found]
        first = len(one.packets)
        if not first:  # Shift gives columns that are no packets
            one.columns = columns[:FIRST_COLUMNS].tolist()
            first = len(one.columns)
        one.left_out = len(columns) - first
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
        base = call.args.get("filter")
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
    if call.name in ("Count", "TopN") and len(call.children) == 1:
        return call.children[0]
    return None


def _packet_row(where: Where, base: Call | None, packet: PacketRow) -> dict[str, Any]:
    """A packet with its values, each with the page of those of the result's packets that have it."""
    cells = []
    for name, _, is_number in PACKET_FIELDS:
        values = packet.fields.get(name, [])
        urls = ["" if base is None else where.url("/explore/", narrowed(base, row(name, value))) for value in values]
        cells.append({"name": name, "is_number": is_number, "values": list(zip(values, urls, strict=True))})
    return {"row": packet, "cells": cells}


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
        "values": [(name if name in FIELDS else "", str(number) if key is None else key) for name, number, key in parts],
        "count": count,
        "share": round(share, 2),
        "url": where.url("/explore/", call) if linked and known else "",
    }
