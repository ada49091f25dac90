"""The arrays that a reader and the compiled callback share, int64 each: indices, and numbers of the pcapng format."""

from __future__ import annotations

# A reader's own: where the next block goes, and the last address at which the longest block still has room.
NEXT = 0
LAST = 1
INTERFACE = 2  # id within the section
SNAPLEN = 3
TICK = 4  # nanoseconds of a unit of the second half of libpcap's times
SUPER_LENGTH = 5  # a longer packet is a super-frame
# In the chunk.
PACKETS = 6
BYTES = 7
SUPER_FRAMES = 8
# Since the device was opened.
TAKEN = 9
HANDLE = 10  # pcap_t *
BREAKLOOP = 11  # address of pcap_breakloop
BUDGET = 12  # address of the recorder's array, 0 without stop rules
REACHED = 13  # PACKET_RULE or BYTE_RULE when a stop rule let no packet pass any more
LENGTH = 14

# The recorder's: taken by all readers so far, and at most.
BUDGET_PACKETS = 0
BUDGET_BYTES = 1
MOST_PACKETS = 2
MOST_BYTES = 3
BUDGET_LENGTH = 4

PACKET_RULE = 1
BYTE_RULE = 2

# What walk.walk_blocks says.
WALK_AT, WALK_PACKETS, WALK_BYTES, WALK_NEEDED = 0, 1, 2, 3
WALK_LENGTH = 4

NEVER = 1 << 62  # no limit

# draft-ietf-opsawg-pcapng: an enhanced packet block without options has 32 bytes around its packet.
AROUND = 32
# Of struct pcap_pkthdr, where time_t has 64 bits.
SECONDS, FRACTION, CAPTURED, WIRE = 0, 8, 16, 20
