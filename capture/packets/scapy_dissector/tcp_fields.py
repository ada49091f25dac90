"""Flags and options of TCP headers (RFC 9293, 3.1 and 3.2; RFC 7323)."""

from __future__ import annotations

from capture.packets.declarations.transport import TCP_FLAGS
from capture.packets.scapy_dissector.walk import Walk

END, NO_OPERATION, MAXIMUM_SEGMENT_SIZE, WINDOW_SCALE = range(4)


def note_flags(walk: Walk, flags: int) -> None:
    """flags: the nine bits, FIN lowest."""
    rows = [bit for bit in range(9) if flags >> bit & 1]
    if not walk.first:
        for row in rows:
            walk.add("inner-tcp", row)
        return
    walk.found.tcp = flags
    walk.add("tcp-flagset", ",".join(TCP_FLAGS[row] for row in rows).encode() or b"none")


def note_options(walk: Walk, at: int, end: int) -> None:
    """The options from `at` to `end`, as far as they are there. One that is cut, or has a length below 2, ends them.

    Of several that should be there once, the last counts.
    """
    end = min(end, walk.end)
    while at < end and walk.data[at] != END:
        kind = walk.data[at]
        if kind == NO_OPERATION:
            at += 1
            continue
        length = walk.data[at + 1] if at + 1 < end else 0
        if length < 2 or at + length > end:
            return
        walk.add("tcp-option", kind)
        if kind == MAXIMUM_SEGMENT_SIZE and length == 4:
            walk.replace("tcp-mss", walk.number(at + 2, 2))
        elif kind == WINDOW_SCALE and length == 3:
            walk.replace("tcp-wscale", walk.data[at + 2])
        at += length
