"""Record headers of many packets at once, by compiled loops. All numbers are written little-endian."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from capture.packets.batch import NO_TIME
from capture.packets.compiling import compiled

NS = 1_000_000_000
# pcapng: draft-ietf-opsawg-pcapng, 4.3 (enhanced packet block), 4.4 (simple packet block), 3.5 (options), 4.3.1 (flags).
_ENHANCED, _SIMPLE = 6, 3
_COMMENT, _FLAGS = 1, 2
ENHANCED_HEAD, SIMPLE_HEAD = 28, 12  # bytes before a packet's own
_SIMPLE_LENGTH = SIMPLE_HEAD + 4
_JOB = np.frombuffer(b"job ", np.uint8)
_PACKET = np.frombuffer(b", packet ", np.uint8)
_TEXT = len(_JOB) + len(_PACKET)

_bytes = types.uint8[::1]
_numbers = types.int64[::1]


@compiled(inline="always")
def _put(out: Any, at: Any, value: Any) -> Any:
    """Four bytes of an int64."""
    i = np.uint64(at)
    out[i] = np.uint8(value & 0xFF)
    out[i + np.uint64(1)] = np.uint8(value >> 8 & 0xFF)
    out[i + np.uint64(2)] = np.uint8(value >> 16 & 0xFF)
    out[i + np.uint64(3)] = np.uint8(value >> 24 & 0xFF)


@compiled()
def _digits(value: Any) -> Any:
    """How many decimal digits a number has."""
    n = 1
    while value >= 10:
        value //= 10
        n += 1
    return n


@compiled()
def _put_number(out: Any, at: Any, value: Any) -> Any:
    """Decimal digits; where they end."""
    end = at + _digits(value)
    i = end
    while i > at:
        i -= 1
        out[i] = np.uint8(48 + value % 10)
        value //= 10
    return end


@compiled()
def _put_text(out: Any, at: Any, text: Any) -> Any:
    for i in range(len(text)):
        out[at + i] = text[i]
    return at + len(text)


@compiled()
def _put_noughts(out: Any, at: Any, end: Any) -> Any:
    for i in range(at, end):
        out[i] = 0


@compiled(types.void(_bytes, _numbers, _numbers, _numbers, _numbers, types.int64))
def put_pcap(out: Any, start: Any, time: Any, captured: Any, wire: Any, tick: Any) -> Any:
    """Record headers of pcap (pcap-savefile(5)): 16 bytes at start[i]. tick: ns of a unit of the sub-second part."""
    for i in range(len(start)):
        at = start[i]
        _put(out, at, time[i] // NS)
        _put(out, at + 4, time[i] % NS // tick)
        _put(out, at + 8, captured[i])
        _put(out, at + 12, wire[i])


@compiled(types.void(_numbers, _numbers, _numbers, _numbers, _numbers, _numbers))
def measure_pcapng(time: Any, captured: Any, job: Any, number: Any, direction: Any, sizes: Any) -> Any:
    """Bytes of the block of each packet, as put_pcapng writes it, to `sizes`."""
    for i in range(len(sizes)):
        padded = captured[i] + 3 & ~3
        if time[i] == NO_TIME:
            sizes[i] = _SIMPLE_LENGTH + padded
        else:
            text = _TEXT + _digits(job[i]) + _digits(number[i])
            flags = 8 if direction[i] else 0
            sizes[i] = ENHANCED_HEAD + padded + flags + 4 + (text + 3 & ~3) + 4 + 4


@compiled(types.void(_bytes, *[_numbers] * 10, types.int64))
def put_pcapng(
    out: Any,
    start: Any,
    size: Any,
    interface: Any,
    tick: Any,
    time: Any,
    captured: Any,
    wire: Any,
    job: Any,
    number: Any,
    direction: Any,
    begin: Any,
) -> Any:
    """All of each block but the packet's bytes: an enhanced packet block, or, without a time stamp, a simple one.

    tick: ns of a unit of time, by packet. begin: what times count from, ns since 1970. size: as measured."""
    for i in range(len(start)):
        at, length = start[i], size[i]
        _put(out, at + 4, length)
        _put(out, at + length - 4, length)
        padded = captured[i] + 3 & ~3
        if time[i] == NO_TIME:
            _put(out, at, _SIMPLE)
            _put(out, at + 8, wire[i])
            _put_noughts(out, at + SIMPLE_HEAD + captured[i], at + SIMPLE_HEAD + padded)
            continue
        _put(out, at, _ENHANCED)
        _put(out, at + 8, interface[i])
        # Unsigned: from the year 1677 to 2262 is more than 2^63 ns.
        units = (np.uint64(time[i]) - np.uint64(begin)) // np.uint64(tick[i])
        _put(out, at + 12, np.int64(units >> np.uint64(32)))
        _put(out, at + 16, np.int64(units & np.uint64(0xFFFFFFFF)))
        _put(out, at + 20, captured[i])
        _put(out, at + 24, wire[i])
        to = at + ENHANCED_HEAD + padded
        _put_noughts(out, at + ENHANCED_HEAD + captured[i], to)
        if direction[i]:
            _put(out, to, _FLAGS | 4 << 16)
            _put(out, to + 4, direction[i])
            to += 8
        text = _TEXT + _digits(job[i]) + _digits(number[i])
        _put(out, to, _COMMENT | text << 16)
        end = to + 4 + (text + 3 & ~3)
        to = _put_text(out, to + 4, _JOB)
        to = _put_number(out, to, job[i])
        to = _put_text(out, to, _PACKET)
        to = _put_number(out, to, number[i])
        _put_noughts(out, to, end)
        _put(out, end, 0)  # opt_endofopt
