"""DHCP for IPv4 in compiled loops: options, those in `file` and `sname` too (see capture.packets.applications.dhcp)."""

from __future__ import annotations

import numpy as np

from capture.packets.compiling import compiled
from capture.packets.fast.out import EXTRACT, number, room, span
from capture.packets.fast.slots import NUMBER, SPAN, Slot

HOSTNAME, TYPE = 0, 1
SLOTS = (Slot("dhcp-hostname", SPAN), Slot("dhcp-type", NUMBER))


@compiled()
def _options(data, at, end, packet, out):  # type: ignore[no-untyped-def]
    """Writes what the options in [at, end) tell; answers the value of the last overload option, 0 without one."""
    overload = np.int64(0)
    while at < end and data[at] != 255:
        code = data[at]
        if code == 0:
            at += 1
            continue
        if at + 1 >= end:
            break
        length = np.int64(data[at + 1])
        begin = at + 2
        at = begin + length
        if at > end:
            break
        if code == 12:
            last = at
            while last > begin and data[last - 1] == 0:
                last -= 1
            span(out, HOSTNAME, packet, begin, last)
        elif code == 53 and length == 1:
            number(out, TYPE, packet, data[begin])
        elif code == 52 and length == 1:
            overload = np.int64(data[begin])
    return overload


@compiled(EXTRACT)
def extract(data, payloads, packets, out):  # type: ignore[no-untyped-def]
    """Host names and message types of the DHCP messages in `packets`."""
    for k in range(len(packets)):
        i = packets[k]
        at, end = payloads.at[i], payloads.end[i]
        if end - at < 240:
            continue
        if data[at + 236] != 0x63 or data[at + 237] != 0x82 or data[at + 238] != 0x53 or data[at + 239] != 0x63:
            continue
        out = room(out, (end - at) // 3 + 1, 0)  # an option that counts is of three bytes at least
        overload = _options(data, at + 240, end, i, out)
        if overload == 1 or overload == 3:
            _options(data, at + 108, at + 236, i, out)
        if overload == 2 or overload == 3:
            _options(data, at + 44, at + 108, i, out)
    return out
