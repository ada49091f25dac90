"""`from` and `to`: a range of whole seconds as a union of time rows, the longest rows that fit."""

from __future__ import annotations

from django.db.models import Max, Min

from capture.packets.registry import FIELDS
from capture.packets.values import row_of_text
from capture.services.errors import Refused
from indexing.calls import Call, RowRef
from indexing.models import Batch, BatchState

NS = 1_000_000_000
SECOND = FIELDS["time-second"]
# Longest first.
ROWS = sorted((one for one in FIELDS.values() if one.encoding == "time" and not one.plugin), key=lambda one: -one.seconds)


def time_range(index: str, begin: str, end: str) -> Call | None:
    """Packets from `begin` (inclusive) to `end` (exclusive), RFC 3339, UTC where no zone is given; either may be empty.

    None if both are. Packets without a time stamp are never in a range. Raises Refused, naming the parameter."""
    if not begin and not end:
        return None
    batches = Batch.objects.filter(index__name=index, state=BatchState.VISIBLE)
    known = batches.aggregate(first=Min("first_time_ns"), last=Max("last_time_ns"))
    if known["first"] is None:
        return Call("Union")
    low, high = known["first"] // NS, known["last"] // NS + 1
    if begin:
        low = max(low, _seconds("from", begin))
    if end:
        high = min(high, _seconds("to", end))
    return Call("Union", [Call("Row", args={"row": RowRef(name, at)}) for name, at in cover(low, high)])


def cover(low: int, high: int) -> list[tuple[str, int]]:
    """Time rows that together are exactly the seconds low .. high - 1, in order: (field, epoch second that it begins with)."""
    rows = []
    at = max(low, 0)
    while at < high:
        one = next(one for one in ROWS if at % one.seconds == 0 and at + one.seconds <= high)
        rows.append((one.name, at))
        at += one.seconds
    return rows


def _seconds(parameter: str, text: str) -> int:
    row = row_of_text(SECOND, text) if "." not in text else None
    if row is None:
        example = "2012-04-02T02:28:30Z"
        raise Refused(f"{parameter} must be a time to the second, for example {example}, not {text!r}", option=parameter)
    return row
