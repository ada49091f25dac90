"""SSH: see capture.packets.recognise.ssh."""

from __future__ import annotations

from capture.packets.compiling import borrowing
from capture.packets.fast.recognise.octets import u32

_MARK = 0x5353482D  # SSH-
_SHA = 0x2D736861  # -sha


@borrowing()
def is_identification(data, at, end):  # type: ignore[no-untyped-def]
    return end - at >= 4 and u32(data, at) == _MARK


@borrowing()
def is_key_exchange(data, at, end):  # type: ignore[no-untyped-def]
    """A plain packet of the key exchange. Asked on SSH's ports only."""
    size = end - at
    if size < 8:
        return False
    length, padding, message = u32(data, at), data[at + 4], data[at + 5]
    if padding < 4 or length <= padding or length > 35000 or (length + 4) % 8 != 0:
        return False
    if message == 20:
        for i in range(at, end - 3):
            if data[i] == 0x2D and u32(data, i) == _SHA:
                return True
        return False
    known = message == 21 or 30 <= message <= 34
    return known and length + 4 <= size and length - padding < 4096
