"""The compiled walk over the records of a pcap file."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba import types

from capture.packets.batch import LOCATOR_DTYPE
from capture.packets.bpf_call import call_bpf
from capture.packets.compiling import compiled
from capture.packets.sources.pcap_shape import LINKTYPE, MOST, RECORD_HEADER, SWAPPED, TICK
from capture.packets.sources.walking import (
    BASE,
    BEYOND,
    BIG_ENDIAN,
    COMPILE,
    DATA,
    END,
    FILTERED_OUT,
    FOUND,
    FULL,
    FUNCTION,
    HEADER,
    LOOK,
    MOST_FILTERED_OUT,
    NEEDED,
    NONE_MATCH,
    NOT_COMPILED,
    NUMBER,
    OFFSET,
    PROGRAM,
    ROOM,
    SIZE,
)
from capture.packets.sources.words import u32


@compiled(types.int64(types.uint8[::1], types.int64[::1], numba.from_dtype(LOCATOR_DTYPE)[::1]))
def scan_records(buffer: Any, walk: Any, out: Any) -> Any:
    """Fills `out` (LOCATOR_DTYPE, behind its first FOUND records) from the window `buffer` (uint8); why it stopped.

    With a filter, a packet's bytes are in the window whole before it is asked. `walk` stands behind the last packet taken.
    """
    offset, number, found, filtered_out = walk[OFFSET], walk[NUMBER], walk[FOUND], walk[FILTERED_OUT]
    room, most_filtered_out = walk[ROOM], walk[MOST_FILTERED_OUT]
    base, end, size = walk[BASE], walk[END], walk[SIZE]
    function, program, big = walk[FUNCTION], walk[PROGRAM], walk[BIG_ENDIAN] != 0
    header, tick, most, swapped = walk[RECORD_HEADER], walk[TICK], walk[MOST], walk[SWAPPED]
    linktype, address = walk[LINKTYPE], np.int64(buffer.ctypes.data)
    while True:
        data = offset + header
        if data > end or offset < base:
            reason = HEADER
            break
        at = offset - base
        seconds, fraction = u32(buffer, at, big), u32(buffer, at + 4, big)
        captured, wire = u32(buffer, at + 8, big), u32(buffer, at + 12, big)
        if swapped and (swapped == 1 or captured > wire):
            captured, wire = wire, captured
        following = data + captured
        walk[NEEDED] = captured
        if captured > most:
            reason = LOOK
            break
        if following > end:
            if following > size:
                reason = BEYOND
                break
            if function:
                reason = DATA
                break
        passes = True
        if function:
            if program == NOT_COMPILED:
                reason = COMPILE
                break
            passes = program != NONE_MATCH and call_bpf(function, program, address + at + header, wire, captured) != 0
        number += 1
        offset = following
        if passes:
            record = out[found]
            record["offset"] = data
            record["captured_length"] = captured
            record["wire_length"] = wire
            # A sub-second part of a second or more is added as it stands: the field is unsigned.
            record["time_ns"] = seconds * 1_000_000_000 + fraction * tick
            record["number"] = number
            record["interface"] = 0
            record["linktype"] = linktype
            record["direction"] = 0
            found += 1
            if found == room:
                reason = FULL
                break
        else:
            filtered_out += 1
            if filtered_out == most_filtered_out:
                reason = FULL
                break
    walk[OFFSET], walk[NUMBER], walk[FOUND], walk[FILTERED_OUT] = offset, number, found, filtered_out
    return reason
