"""SMB in compiled loops: commands of all messages of a segment, compounds included (see capture.packets.applications.smb)."""

from __future__ import annotations

import numpy as np

from capture.packets.compiling import compiled
from capture.packets.fast.out import EXTRACT, number, room
from capture.packets.fast.slots import NUMBER, Slot

COMMAND, COMMAND2 = 0, 1
SLOTS = (Slot("smb-command", NUMBER), Slot("smb2-command", NUMBER))


@compiled()
def _marked(data, at, end, first):  # type: ignore[no-untyped-def]
    """Whether `first` and the letters SMB stand at `at`."""
    return at + 4 <= end and data[at] == first and data[at + 1] == 0x53 and data[at + 2] == 0x4D and data[at + 3] == 0x42


@compiled()
def _message(data, at, end, packet, out):  # type: ignore[no-untyped-def]
    """The commands of one message: of SMB 1 the header's, of SMB 2 those of the compound."""
    if _marked(data, at, end, 0xFF) and at + 4 < end:
        number(out, COMMAND, packet, data[at + 4])
    while at + 14 <= end and _marked(data, at, end, 0xFE):
        number(out, COMMAND2, packet, np.int64(data[at + 12]) | np.int64(data[at + 13]) << 8)
        if at + 24 > end:
            return
        following = np.int64(0)
        for j in range(4):
            following |= np.int64(data[at + 20 + j]) << (8 * j)
        if following < 64:
            return
        at += following


@compiled(EXTRACT)
def extract(data, payloads, packets, out):  # type: ignore[no-untyped-def]
    """Commands of the SMB messages in `packets`."""
    for k in range(len(packets)):
        i = packets[k]
        at, end = payloads.at[i], payloads.end[i]
        out = room(out, 1 + (end - at) // 9, 0)  # a message that counts is of nine bytes at least
        while at + 4 <= end:
            kind = data[at]
            after = at + 4 + (np.int64(data[at + 1]) << 16 | np.int64(data[at + 2]) << 8 | np.int64(data[at + 3]))
            if kind == 0:
                _message(data, at + 4, min(after, end), i, out)
            elif not 0x81 <= kind <= 0x85:
                break
            at = after
    return out
