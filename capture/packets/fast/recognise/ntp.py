"""NTP: see capture.packets.recognise.ntp."""

from __future__ import annotations

from capture.packets.compiling import borrowing


@borrowing()
def is_ntp(data, at, end):  # type: ignore[no-untyped-def]
    size = end - at
    if size < 8:
        return False
    version, mode = data[at] >> 3 & 7, data[at] & 7
    if version < 1 or version > 4:
        return False
    return (1 <= mode <= 5 and size >= 48 and data[at + 1] <= 16) or (mode == 6 and size >= 12) or mode == 7
