"""pcap's own part of the array that its compiled walk shares with Python."""

from __future__ import annotations

from capture.packets.sources.walking import FORMAT

RECORD_HEADER = FORMAT  # its bytes
TICK = FORMAT + 1  # nanoseconds per unit of a stamp's sub-second part
MOST = FORMAT + 2  # bytes of the largest packet taken for sane
SWAPPED = FORMAT + 3  # 0 no, 1 the lengths stand the other way round, 2 if that makes sense
LINKTYPE = FORMAT + 4
LENGTH = FORMAT + 5  # of the array
