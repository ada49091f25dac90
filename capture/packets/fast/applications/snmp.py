"""SNMP in compiled loops: the version, first element of the message's sequence (see capture.packets.applications.snmp)."""

from __future__ import annotations

import numpy as np

from capture.packets.compiling import compiled
from capture.packets.fast.out import EXTRACT, number, room
from capture.packets.fast.slots import NUMBER, Slot

VERSION = 0
SLOTS = (Slot("snmp-version", NUMBER),)


@compiled(EXTRACT)
def extract(data, payloads, packets, out):  # type: ignore[no-untyped-def]
    """Versions of the SNMP messages in `packets`."""
    for k in range(len(packets)):
        i = packets[k]
        at, end = payloads.at[i], payloads.end[i]
        out = room(out, 1, 0)
        if end - at < 5:
            continue
        length = np.int64(data[at + 1])
        at += 2 + (length & 0x7F if length & 0x80 else 0)
        if at + 2 < end and data[at] == 2 and data[at + 1] == 1:
            number(out, VERSION, i, data[at + 2])
    return out
