"""`FrameNumber(from=, to=)`: packets by their number in their job's capture, from 1, both ends inclusive."""

from __future__ import annotations

from typing import Any

from indexing.calls import Call, QueryError
from proxy.by_record.batches import columns, visible

NAME = "FrameNumber"
_GREATEST = (1 << 63) - 1


def frame_number(index: str, call: Call) -> Call:
    """The call as columns; see proxy.resolve. Raises QueryError."""
    if call.children or call.args.keys() - {"from", "to"}:
        raise QueryError(f"{NAME}() takes from= and to=, numbers of packets", call.position)
    low, high = _number(call, "from", 1), _number(call, "to", _GREATEST)
    if low > high:
        return Call("Union", position=call.position)
    some = visible(index).filter(first_number__lte=high, last_number__gte=low)
    found = columns(
        some,
        lambda batch: low <= batch.first_number and batch.last_number <= high,  # type: ignore[operator]  # it has packets
        lambda _, locator: (locator["number"] >= low) & (locator["number"] <= high),
    )
    made = found.call()
    made.position = call.position
    return made


def _number(call: Call, name: str, otherwise: int) -> int:
    value: Any = call.args.get(name, otherwise)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise QueryError(f"{NAME}(): {name} must be a number of a packet, not {value!r}", call.position)
    return min(value, _GREATEST)
