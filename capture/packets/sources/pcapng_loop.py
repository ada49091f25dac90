"""The compiled walk over the blocks of a pcapng file.

Packet blocks of all three kinds, interface statistics, blocks that are none of our concern, and the descriptions of sections and
interfaces that Python has read once before (captures joined end to end repeat them by the thousand).
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba import types

from capture.packets.batch import LOCATOR_DTYPE, NO_TIME
from capture.packets.bpf_call import call_bpf
from capture.packets.compiling import compiled
from capture.packets.sources.pcapng_shape import (
    COMMENTED,
    COMMENTS_WANTED,
    ENHANCED_PACKET,
    EPB_DROPCOUNT,
    EPB_FLAGS,
    FIRST,
    HASH,
    INTERFACE,
    INTERFACES,
    ISB_IFRECV,
    ISB_OSDROP,
    LINKTYPE,
    LOST,
    MAX_BLOCK,
    MAX_KNOWN_BYTES,
    MAX_STATISTICS,
    MEANING,
    MIN_BLOCK,
    OPT_COMMENT,
    OPT_END,
    OPTIONS_AT,
    OPTIONS_LENGTH,
    ORDER,
    PACKET,
    PROGRAM,
    RESOLUTION,
    SAID,
    SECTION,
    SIMPLE_PACKET,
    SIZE_OF,
    SMALLEST_PACKET,
    SNAPLEN,
    START,
    STATISTICS,
    TSOFFSET,
)
from capture.packets.sources.walking import (
    AGAIN,
    BASE,
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
    ROOM,
    SIZE,
)
from capture.packets.sources.words import u16, u32, u64

POWERS = np.array([10**n for n in range(20)], np.uint64)
_NO_TIME = int(NO_TIME)


@compiled()
def nanoseconds(ticks: Any, resolution: Any, plus: Any) -> Any:
    """floor(ticks * tick) + plus * 10^9 in nanoseconds since 1970, or NO_TIME where an int64 cannot hold it.

    ticks: uint64. resolution: if_tsresol as it stands; plus: if_tsoffset, seconds (int64). Exact: seconds and the rest apart.
    """
    billion = np.uint64(1_000_000_000)
    power = np.int64(resolution & 0x7F)
    if resolution & 0x80:
        if power >= 64:
            seconds, rest = np.uint64(0), ticks
        else:
            seconds = ticks >> np.uint64(power)
            rest = ticks - (seconds << np.uint64(power))
        if power <= 32:
            part = rest * billion >> np.uint64(power)
        else:
            # rest * 10^9 has up to 94 bits; its lowest 32 are shifted out in any case
            low = (rest & np.uint64(0xFFFFFFFF)) * billion
            upper = (rest >> np.uint64(32)) * billion + (low >> np.uint64(32))
            part = upper >> np.uint64(power - 32) if power < 96 else np.uint64(0)
    elif power <= 9:
        unit = POWERS[power]
        seconds = ticks // unit
        part = (ticks - seconds * unit) * POWERS[9 - power]
    else:
        whole = ticks // POWERS[power - 9] if power <= 28 else np.uint64(0)
        seconds = whole // billion
        part = whole - seconds * billion
    last = np.uint64(9_223_372_036)
    if plus >= 0:
        if seconds > last or np.uint64(plus) > last - seconds:
            return np.int64(_NO_TIME)
        total = np.int64(seconds) + plus
    else:
        back = np.uint64(0) - np.uint64(plus)
        if seconds >= back:
            if seconds - back > last:
                return np.int64(_NO_TIME)
            total = np.int64(seconds - back)
        else:
            if back - seconds > last + np.uint64(1):
                return np.int64(_NO_TIME)
            total = -np.int64(back - seconds)
    left = np.int64(part)
    if total == 9_223_372_036 and left > 854_775_807:
        return np.int64(_NO_TIME)
    if total < 0:
        total += 1
        left -= 1_000_000_000
        if total == -9_223_372_036 and left < -854_775_807:
            return np.int64(_NO_TIME)
    return total * 1_000_000_000 + left


@compiled()
def _find_known(buffer: Any, at: Any, length: Any, known: Any, known_bytes: Any) -> Any:
    """Index of a description block among those met before, -1 if it is none. Of equal bytes the byte order is equal, too."""
    digest = _hash(buffer, at, length)
    for i in range(len(known)):
        if known[i, SIZE_OF] == 0:
            break
        if known[i, HASH] == 0:
            known[i, HASH] = _hash(known_bytes, known[i, START], known[i, SIZE_OF])
        if known[i, HASH] != digest or known[i, SIZE_OF] != length:
            continue
        same = True
        for j in range(length):
            if known_bytes[known[i, START] + j] != buffer[at + j]:
                same = False
                break
        if same:
            return i
    return -1


@compiled()
def _hash(buffer: Any, at: Any, length: Any) -> Any:
    """FNV-1a over bytes of buffer, word by word where there is a whole one; only to compare with its own kind."""
    digest = np.uint64(0xCBF29CE484222325)
    prime = np.uint64(0x100000001B3)
    whole = length & ~7
    for i in range(0, whole, 8):
        digest = (digest ^ u64(buffer, at + i, False)) * prime
    for i in range(whole, length):
        digest = (digest ^ np.uint64(buffer[at + i])) * prime
    return np.int64(digest)


@compiled()
def _options_of_packet(buffer: Any, at: Any, stop: Any, big: Any) -> Any:
    """(epb_flags, epb_dropcount, whether there is a comment) of an enhanced packet block's options in buffer[at:stop]."""
    flags, lost, comment = np.int64(0), np.uint64(0), False
    while at + 4 <= stop:
        code, length = u16(buffer, at, big), u16(buffer, at + 2, big)
        if code == OPT_END or at + 4 + length > stop:
            break
        if code == EPB_FLAGS and length == 4:
            flags = u32(buffer, at + 4, big)
        elif code == EPB_DROPCOUNT and length == 8:
            lost = u64(buffer, at + 4, big)
        elif code == OPT_COMMENT:
            comment = True
        at += 4 + ((length + 3) & ~3)
    return flags, lost, comment


@compiled()
def _statistics(buffer: Any, at: Any, length: Any, walk: Any, counts: Any, big: Any) -> Any:
    """Takes in an interface statistics block; one of an interface that was not described says nothing."""
    if length < 24:
        return
    interface = walk[FIRST] + u32(buffer, at + 8, big)
    if interface >= walk[INTERFACES]:
        return
    stop = at + length - 4
    at += 20
    while at + 4 <= stop:
        code, size = u16(buffer, at, big), u16(buffer, at + 2, big)
        if code == OPT_END or at + 4 + size > stop:
            break
        if ISB_IFRECV <= code <= ISB_OSDROP and size == 8:
            counts[interface, code - ISB_IFRECV] = u64(buffer, at + 4, big)
            counts[interface, SAID] |= np.uint64(1) << np.uint64(code - ISB_IFRECV)
        at += 4 + ((size + 3) & ~3)


@compiled(
    types.int64(
        types.uint8[::1],
        types.int64[::1],
        numba.from_dtype(LOCATOR_DTYPE)[::1],
        types.int64[:, ::1],
        types.int32[::1],
        types.uint64[:, ::1],
        types.int64[:, ::1],
        types.uint8[::1],
    )
)
def scan_blocks(buffer: Any, walk: Any, out: Any, kinds: Any, kind_of: Any, counts: Any, known: Any, known_bytes: Any) -> Any:
    """Fills `out` (LOCATOR_DTYPE, behind its first FOUND records) from the window `buffer` (uint8); why it stopped.

    kinds: int64 (k, KIND_COLUMNS). kind_of: int32, by interface; filled on here. counts: uint64 (as many, COUNT_COLUMNS).
    known, known_bytes: description blocks met before. `walk` stands behind the last block taken.
    """
    offset, number, found, filtered_out = walk[OFFSET], walk[NUMBER], walk[FOUND], walk[FILTERED_OUT]
    room, most_filtered_out = walk[ROOM], walk[MOST_FILTERED_OUT]
    base, end, size = walk[BASE], walk[END], walk[SIZE]
    function, big = walk[FUNCTION], walk[BIG_ENDIAN] != 0
    address = np.int64(buffer.ctypes.data)
    while True:
        if offset + MIN_BLOCK > end or offset < base:
            reason = HEADER
            break
        at = offset - base
        block = u32(buffer, at, big)
        length = u32(buffer, at + 4, big)
        if block == SECTION:
            magic = u32(buffer, at + 8, False)
            length = u32(buffer, at + 4, magic != 0x1A2B3C4D)
        if length < MIN_BLOCK or length & 3 or length > MAX_BLOCK:
            reason = LOOK
            break
        following = offset + length
        walk[NEEDED] = length
        if block == SECTION or block == INTERFACE:
            index = np.int64(-1)
            if following <= end and length <= MAX_KNOWN_BYTES:
                index = _find_known(buffer, at, length, known, known_bytes)
            if index < 0 or (block == INTERFACE and walk[INTERFACES] == len(kind_of)):
                reason = LOOK
                break
            if block == SECTION:
                walk[BIG_ENDIAN], walk[FIRST] = known[index, ORDER], walk[INTERFACES]
                big = walk[BIG_ENDIAN] != 0
            else:
                kind_of[walk[INTERFACES]] = known[index, MEANING]
                walk[INTERFACES] += 1
            offset = following
            continue
        if block != ENHANCED_PACKET and block != SIMPLE_PACKET and block != PACKET:
            if following > size:
                reason = LOOK
                break
            if block == STATISTICS and length <= MAX_STATISTICS:
                if following > end:
                    reason = DATA
                    break
                _statistics(buffer, at, length, walk, counts, big)
            offset = following
            continue
        if following > end:
            reason = DATA
            break
        if u32(buffer, at + length - 4, big) != length:
            reason = LOOK
            break
        lost, direction, comment = np.uint64(0), np.int64(0), False
        if block == SIMPLE_PACKET:
            if length < 16 or walk[INTERFACES] == walk[FIRST]:
                reason = LOOK
                break
            interface = walk[FIRST]
            wire = u32(buffer, at + 8, big)
            snaplen = kinds[kind_of[interface], SNAPLEN]
            captured = min(wire, snaplen) if snaplen else wire
            header = 12
            if captured > length - 16:
                reason = LOOK
                break
        else:
            if length < SMALLEST_PACKET:
                reason = LOOK
                break
            header = 28
            captured, wire = u32(buffer, at + 20, big), u32(buffer, at + 24, big)
            interface = walk[FIRST] + (u32(buffer, at + 8, big) if block == ENHANCED_PACKET else u16(buffer, at + 8, big))
            if captured > length - SMALLEST_PACKET or interface >= walk[INTERFACES]:
                reason = LOOK
                break
            behind = header + ((captured + 3) & ~3)
            if block == PACKET:
                drops = u16(buffer, at + 10, big)
                if drops != 0xFFFF:  # not known
                    lost = np.uint64(drops)
            elif behind + 8 <= length:
                flags, lost, comment = _options_of_packet(buffer, at + behind, at + length - 4, big)
                direction = flags & 3
                if direction == 3:
                    direction = np.int64(0)
        kind = kind_of[interface]
        passes = True
        if function:
            program = kinds[kind, PROGRAM]
            if program == NOT_COMPILED:
                walk[NEEDED] = kind
                reason = COMPILE
                break
            passes = program != NONE_MATCH and call_bpf(function, program, address + at + header, wire, captured) != 0
        number += 1
        if lost:
            counts[interface, LOST] += lost
        if passes:
            record = out[found]
            record["offset"] = offset + header
            record["captured_length"] = captured
            record["wire_length"] = wire
            if block == SIMPLE_PACKET:
                record["time_ns"] = _NO_TIME
            else:
                ticks = np.uint64(u32(buffer, at + 12, big)) << np.uint64(32) | np.uint64(u32(buffer, at + 16, big))
                record["time_ns"] = nanoseconds(ticks, kinds[kind, RESOLUTION], kinds[kind, TSOFFSET])
            record["number"] = number
            record["interface"] = interface
            record["linktype"] = kinds[kind, LINKTYPE]
            record["direction"] = direction
            found += 1
        else:
            filtered_out += 1
        if comment:
            walk[COMMENTED] += 1
            if walk[COMMENTS_WANTED]:
                walk[OPTIONS_AT], walk[OPTIONS_LENGTH] = offset + behind, length - 4 - behind
        offset = following
        if found == room or filtered_out == most_filtered_out:
            reason = FULL
            break
        if comment and walk[COMMENTS_WANTED]:
            reason = AGAIN
            break
    walk[OFFSET], walk[NUMBER], walk[FOUND], walk[FILTERED_OUT] = offset, number, found, filtered_out
    return reason
