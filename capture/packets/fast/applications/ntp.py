"""NTP in compiled loops. RFC 5905, 7.3: the mode is in the low three bits of the first byte."""

from __future__ import annotations

from capture.packets.compiling import compiled
from capture.packets.fast.out import EXTRACT, number, room
from capture.packets.fast.slots import NUMBER, Slot

MODE = 0
SLOTS = (Slot("ntp-mode", NUMBER),)


@compiled(EXTRACT)
def extract(data, payloads, packets, out):  # type: ignore[no-untyped-def]
    """Modes of the NTP messages in `packets`."""
    for k in range(len(packets)):
        i = packets[k]
        at, end = payloads.at[i], payloads.end[i]
        out = room(out, 1, 0)
        if at < end:
            number(out, MODE, i, data[at] & 7)
    return out
