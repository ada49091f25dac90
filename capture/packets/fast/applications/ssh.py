"""SSH in compiled loops. RFC 4253, 4.2: the identification string, up to its line end."""

from __future__ import annotations

from capture.packets.compiling import compiled
from capture.packets.fast.out import EXTRACT, room, span
from capture.packets.fast.slots import SPAN, Slot

BANNER = 0
SLOTS = (Slot("ssh-banner", SPAN),)


@compiled(EXTRACT)
def extract(data, payloads, packets, out):  # type: ignore[no-untyped-def]
    """Identification strings at the beginning of the payloads of `packets`."""
    for k in range(len(packets)):
        i = packets[k]
        at, end = payloads.at[i], payloads.end[i]
        out = room(out, 1, 0)
        if end - at < 5 or data[at] != 0x53 or data[at + 1] != 0x53 or data[at + 2] != 0x48 or data[at + 3] != 0x2D:  # SSH-
            continue
        line = at + 4
        while line < end and data[line] != 0x0A:
            line += 1
        if line < end:
            span(out, BANNER, i, at, line - 1 if data[line - 1] == 0x0D else line)
    return out
