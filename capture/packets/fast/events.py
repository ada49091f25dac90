"""From the events of a compiled loop to columns."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numba import types
from numpy.typing import NDArray

from capture.packets.columns import SetValues
from capture.packets.compiling import compiled
from capture.packets.fast.interning import distinct, distinct_pairs, several_fields, texts, wide
from capture.packets.fast.merging import spread
from capture.packets.fast.out import Out
from capture.packets.fast.slots import HEAP, NUMBER, Slot

_U32, _U64 = types.uint32[::1], types.uint64[::1]


@compiled(types.Tuple((types.int64[::1], _U32, _U64, _U64))(types.uint64[:, ::1], types.int64, types.int64))
def by_slot(events, used, slots):  # type: ignore[no-untyped-def]
    """Events sorted by slot, in the order they were written within each.

    Answers (begin int64 (slots + 1,), packet, first, second): slot s has [begin[s], begin[s + 1]).
    """
    begin = np.zeros(slots + 1, np.int64)
    for k in range(used):
        begin[np.int64(events[k, 0] >> np.uint64(32)) + 1] += 1
    for slot in range(slots):
        begin[slot + 1] += begin[slot]
    to = begin[:-1].copy()
    packet, first, second = np.empty(used, np.uint32), np.empty(used, np.uint64), np.empty(used, np.uint64)
    for k in range(used):
        s = np.int64(events[k, 0] >> np.uint64(32))
        at = to[s]
        to[s] = at + 1
        packet[at] = np.uint32(events[k, 0] & np.uint64(0xFFFFFFFF))
        first[at] = events[k, 1]
        second[at] = events[k, 2]
    return begin, packet, first, second


def columns(out: Out, slots: Sequence[Slot], data: NDArray[np.uint8], fields: Collection[str]) -> list[tuple[str, SetValues]]:
    """The columns of those `slots` whose field is wanted. Events of one slot were written in order of packets.

    A field that several slots have comes several times.
    """
    found: list[tuple[str, SetValues]] = []
    begin, packet, first, second = by_slot(out.events, int(out.used[0]), len(slots))
    for s, slot in enumerate(slots):
        low, high = int(begin[s]), int(begin[s + 1])
        if low == high or not any(field in fields for field in slot.fields or (slot.field,)):
            continue
        of = packet[low:high]
        if slot.together is not None:
            source = out.heap if slot.kind == HEAP else data
            code, known = distinct(source, first[low:high], second[low:high])
            found += [(name, spread(of, code, column, len(known))) for name, column in slot.together(known) if name in fields]
            continue
        if slot.many is not None:
            source = out.heap if slot.kind == HEAP else data
            several = several_fields(source, of, first[low:high], second[low:high], slot.many)
            found += [(name, column) for name, column in several if name in fields]
            continue
        if slot.kind == NUMBER:
            code, values = wide(first[low:high])
            packets, codes = distinct_pairs(of, code)
            column = SetValues(packets, codes, values)
        else:
            source = out.heap if slot.kind == HEAP else data
            column = texts(source, of, first[low:high], second[low:high], slot.finish)
        if len(column.packet):
            found.append((slot.field, column))
    return found
