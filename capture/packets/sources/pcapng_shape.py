"""What pcapng's compiled walk shares with Python: its part of the walk's array, its tables' columns, the format's numbers."""

from __future__ import annotations

from capture.packets.sources.walking import FORMAT

# pcapng's own part of the walk's array.
FIRST = FORMAT  # index of the section's interface 0
INTERFACES = FORMAT + 1  # described so far, in all sections
COMMENTS_WANTED = FORMAT + 2  # whether a packet's comment is to be told
COMMENTED = FORMAT + 3  # packets with a comment
OPTIONS_AT, OPTIONS_LENGTH = FORMAT + 4, FORMAT + 5  # of the packet whose comment is told: offset in the capture, bytes
LENGTH = FORMAT + 6  # of the array

SECTION, INTERFACE, PACKET, SIMPLE_PACKET, STATISTICS, ENHANCED_PACKET = 0x0A0D0D0A, 1, 2, 3, 5, 6
MIN_BLOCK = 12  # type, length, length again
MAX_BLOCK = (256 << 20) + (1 << 20)  # the largest packet and its options
MAX_STATISTICS = 1 << 16
SMALLEST_PACKET = 32

OPT_END, OPT_COMMENT, EPB_FLAGS, EPB_DROPCOUNT = 0, 1, 2, 4
ISB_IFRECV, ISB_OSDROP = 4, 7

# Columns of `kinds`: what there is to know of an interface to read its packets. Many interfaces may be of one kind.
LINKTYPE, SNAPLEN, RESOLUTION, TSOFFSET, PROGRAM = range(5)
KIND_COLUMNS = 5

# Columns of `counts`: by interface. The four of isb_ifrecv to isb_osdrop in the order of their codes.
RECEIVED, DROPPED, ACCEPTED, OS_DROPPED, SAID, LOST = range(6)  # SAID: a bit for each of the four that was said
COUNT_COLUMNS = 6

# Columns of `known`: description blocks met before. MEANING: the interface's kind, or one of the two kinds of section.
HASH, START, SIZE_OF, ORDER, MEANING = range(5)
KNOWN_COLUMNS = 5
MAX_KNOWN, MAX_KNOWN_BYTES = 256, 1 << 16
A_SECTION = -1
