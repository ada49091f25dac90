"""What a compiled walk over a capture shares with the Python around it: one int64 array of positions and counts.

A loop runs until it needs something that only Python has (more of the file, the text of an error, a filter for another link
type), says which by its answer, and is called again.
"""

from __future__ import annotations

# Positions in the array. Offsets are those in the capture, in bytes.
OFFSET = 0  # of the next record header or block
NUMBER = 1  # of the last packet
FOUND = 2  # records in the batch
FILTERED_OUT = 3  # packets dropped by the filter since the batch began
ROOM = 4  # the batch is full at so many records
MOST_FILTERED_OUT = 5  # or at so many dropped ones
BASE = 6  # the capture's offset of the window's first byte
END = 7  # and of the byte behind its last one
SIZE = 8  # bytes of the file, as last seen
FUNCTION = 9  # address of bpf_filter; 0 without a filter
PROGRAM = 10  # address of the filter's instructions; NONE_MATCH, NOT_COMPILED
BIG_ENDIAN = 11
NEEDED = 12  # what the loop's answer is about: a length, or which program is wanted
FORMAT = 13  # from here on: of one format's own

# Programs that are none.
NONE_MATCH = 0  # the link type cannot have what the filter asks for
NOT_COMPILED = -1

# Why a loop came back.
FULL = 0  # the batch is full
HEADER = 1  # the next header is not in the window
DATA = 2  # the packet or block is not wholly in the window: NEEDED bytes from OFFSET on
BEYOND = 3  # the packet's end, NEEDED, lies behind the end of the file as last seen
LOOK = 4  # something that is for Python: a lie, or a block that is no packet
COMPILE = 5  # a program that is not compiled yet
AGAIN = 6  # a comment was met, see the pcapng loop
