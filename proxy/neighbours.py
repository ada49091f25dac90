"""The packets before and behind one: in the result that it was found in, in its conversation, in its capture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils.http import urlencode

from capture.packets.batch import NO_TIME
from capture.services.errors import Refused
from indexing.calls import Call
from proxy.analysis.counter import count_of
from proxy.api.packets import LARGEST_SORT
from proxy.api.question import question_of
from proxy.flows.listed import packets_in
from proxy.flows.triples import COMMUNITY_ID, STACK, tagged
from proxy.links import LONGEST_LINKED
from proxy.packets import PacketRow, page_by_time, page_of

# What says which result a packet was found in: pages of packets hand it on to the pages of one.
RESULT = ("q", "lang", "job", "from", "to", "order")


@dataclass(frozen=True)
class Beside:
    """Columns before and behind, None: there is none."""

    previous: int | None
    next: int | None


def result_of(given: QueryDict) -> str:
    """The part of a query string that says which result it shows: "" or "?q=...". It is added to links to packets, if it is not
    so long that a page of them could not hold it."""
    pairs = [(name, value) for name in RESULT for value in given.getlist(name) if value]
    text = f"?{urlencode(pairs)}" if pairs else ""
    return text if len(text) <= LONGEST_LINKED else ""


def in_result(given: QueryDict, row: PacketRow) -> Beside | None:
    """Of a packet that was found in what a query string asks for; None where it asks for nothing. Raises Refused, QueryError."""
    if not result_of(given):
        return None
    asked = given.copy()
    asked["index"] = row.index
    question = question_of(asked)
    order = given.get("order") or "capture"
    last_first, by = order.startswith("-"), order.removeprefix("-")
    if by not in ("capture", "time"):
        raise Refused(f"order must be capture, time, -capture or -time, not {order!r}", option="order")
    if by == "time" and count_of(question.index, question.call)[0] > LARGEST_SORT:
        by = "capture"
    found = _beside(row, question.call, by_time=by == "time")
    return Beside(found.next, found.previous) if last_first else found


def in_flow(row: PacketRow, values: list[dict[str, Any]]) -> Beside | None:
    """In the packet's conversation; None if it is of none. values: as indexed."""
    known = {one["field"]: one["value"] for one in values}
    if COMMUNITY_ID not in known:
        return None
    call = packets_in(row.job, known.get(STACK), known[COMMUNITY_ID], tagged(row.index) is not None)
    return _beside(row, call)


def _beside(row: PacketRow, call: Call, *, by_time: bool = False) -> Beside:
    return Beside(*(_one(row, call, by_time, last_first) for last_first in (True, False)))


def _one(row: PacketRow, call: Call, by_time: bool, last_first: bool) -> int | None:
    if by_time:
        at = (NO_TIME if row.time_ns is None else row.time_ns, row.column)
        rows, _ = page_by_time(row.index, call, [], 1, at, last_first=last_first)
    else:
        rows, _ = page_of(row.index, call, [], 1, row.column, last_first=last_first)
    return rows[0].column if rows else None
