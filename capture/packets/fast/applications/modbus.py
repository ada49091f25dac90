"""Modbus over TCP in compiled loops: function codes of all messages of a segment (see capture.packets.applications.modbus)."""

from __future__ import annotations

import numpy as np

from capture.packets.compiling import compiled
from capture.packets.fast.out import EXTRACT, number, room
from capture.packets.fast.slots import NUMBER, Slot

FUNCTION = 0
SLOTS = (Slot("modbus-function", NUMBER),)


@compiled(EXTRACT)
def extract(data, payloads, packets, out):  # type: ignore[no-untyped-def]
    """Function codes of the Modbus messages in `packets`."""
    for k in range(len(packets)):
        i = packets[k]
        at, end = payloads.at[i], payloads.end[i]
        out = room(out, 1 + (end - at) // 8, 0)  # a message is of eight bytes at least
        while at + 8 <= end:
            length = np.int64(data[at + 4]) << 8 | np.int64(data[at + 5])
            if data[at + 2] != 0 or data[at + 3] != 0 or not 2 <= length <= 254:
                break
            number(out, FUNCTION, i, data[at + 7] & 0x7F)
            at += 6 + length
    return out
