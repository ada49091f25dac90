"""FTP in compiled loops: the commands that a segment begins with (see capture.packets.applications.ftp)."""

from __future__ import annotations

from capture.packets.compiling import compiled
from capture.packets.fast.applications.lines import known, packed, verb
from capture.packets.fast.out import EXTRACT, room, span
from capture.packets.fast.slots import SPAN, Slot
from capture.packets.recognise.verbs import FTP

COMMAND = 0
SLOTS = (Slot("ftp-command", SPAN, bytes.upper),)
VERBS = packed(FTP)


@compiled(EXTRACT)
def extract(data, payloads, packets, out):  # type: ignore[no-untyped-def]
    """Commands of the FTP segments in `packets`."""
    for k in range(len(packets)):
        i = packets[k]
        at, end = payloads.at[i], payloads.end[i]
        out = room(out, 1 + (end - at) // 4, 0)  # a command line is of four bytes at least
        while at < end:
            word, stop, following = verb(data, at, end)
            if not known(word, VERBS):
                break
            span(out, COMMAND, i, at, stop)
            at = following
    return out
