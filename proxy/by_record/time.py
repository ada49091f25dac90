"""`Time(from=, to=)`: packets by their time, to the nanosecond: from (inclusive) up to to (exclusive).

Whole seconds are rows of the index; of the seconds at both ends, where they are cut, the stored times are looked at.
"""

from __future__ import annotations

from django.db.models import Max, Min

from indexing.calls import Call, QueryError, RowRef
from proxy.by_record.batches import columns, visible
from proxy.moments import NS, nanoseconds
from proxy.spans import LAST, cover

NAME = "Time"


def time(index: str, call: Call) -> Call:
    """The call as rows and columns; see proxy.resolve. Raises QueryError."""
    if call.children or call.args.keys() - {"from", "to"} or not call.args:
        raise QueryError(f"{NAME}() takes from= and to=, times", call.position)
    low, high = max(0, _moment(call, "from", 0)), min(LAST * NS, _moment(call, "to", LAST * NS))
    made = within(index, low, high)
    made.position = call.position
    return made


def within(index: str, low: int, high: int) -> Call:
    """The packets from low to high - 1, nanoseconds since 1970, not negative."""
    known = visible(index).aggregate(first=Min("first_time_ns"), last=Max("last_time_ns"))
    if known["first"] is None:
        return Call("Union")
    low, high = max(low, known["first"] // NS * NS), min(high, (known["last"] // NS + 1) * NS)
    if low >= high:
        return Call("Union")
    first, last = -(-low // NS), high // NS  # the whole seconds
    if first > last:
        return _edges(index, [(low, high)])
    cut = [(low, first * NS)] * (low < first * NS) + [(last * NS, high)] * (last * NS < high)
    rows = [Call("Row", args={"row": RowRef(name, at)}) for name, at in cover(first, last)]
    return Call("Union", [*rows, *([_edges(index, cut)] if cut else [])])


def _edges(index: str, some: list[tuple[int, int]]) -> Call:
    found = []
    for low, high in some:
        batches = visible(index).filter(first_time_ns__lt=high, last_time_ns__gte=low)
        found.append(
            columns(
                batches,
                lambda batch: False,  # a packet without a time may be among those of any batch
                lambda _, locator, low=low, high=high: (locator["time_ns"] >= low) & (locator["time_ns"] < high),  # type: ignore[misc]
            ).call()
        )
    return found[0] if len(found) == 1 else Call("Union", found)


def _moment(call: Call, name: str, otherwise: int) -> int:
    value = call.args.get(name)
    if value is None:
        return otherwise
    found = nanoseconds(value) if isinstance(value, str) else None
    if found is None:
        raise QueryError(f'{NAME}(): {name} must be a time such as "2012-04-02T02:28:30.5Z", not {value!r}', call.position)
    return found
