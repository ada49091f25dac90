"""MQTT in compiled loops: types of all control packets of a segment (see capture.packets.applications.mqtt)."""

from __future__ import annotations

import numpy as np

from capture.packets.compiling import compiled
from capture.packets.fast.out import EXTRACT, number, room
from capture.packets.fast.slots import NUMBER, Slot

TYPE = 0
SLOTS = (Slot("mqtt-type", NUMBER),)


@compiled()
def _size(data, at, end):  # type: ignore[no-untyped-def]
    """Bytes of the control packet whose remaining length begins at `at`; 0 where that is cut, or longer than four bytes."""
    length = np.int64(0)
    for k in range(min(np.int64(4), end - at)):
        byte = np.int64(data[at + k])
        length |= (byte & 0x7F) << (7 * k)
        if not byte & 0x80:
            return 2 + k + length
    return np.int64(0)


@compiled(EXTRACT)
def extract(data, payloads, packets, out):  # type: ignore[no-untyped-def]
    """Types of the MQTT control packets in `packets`, of each packet every type once."""
    for k in range(len(packets)):
        i = packets[k]
        at, end = payloads.at[i], payloads.end[i]
        out = room(out, 16, 0)
        seen = np.int64(0)
        while at < end:
            kind = np.int64(data[at]) >> 4
            size = _size(data, at + 1, end)
            if kind == 0 or size == 0:
                break
            if not seen >> kind & 1:
                seen |= 1 << kind
                number(out, TYPE, i, kind)
            at += size
    return out
