"""What compiled loops write their findings to: events (a value of a slot in a packet), and a heap for bytes made on the way.

A slot is one kind of finding of one loop, numbered from 0 by the loop's module (SLOTS); what its numbers mean is told by
`capture.packets.fast.slots.Slot`. Loops call `room` before each packet and then write without further checks:

    for k in range(len(packets)):
        out = room(out, 4 + end - at, end - at)   # events and heap bytes that this packet can need at most
        number(out, TYPE, packets[k], 5)
    return out
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numba import types
from numpy.typing import NDArray

from capture.packets.compiling import compiled, inlined


class Out(NamedTuple):
    """events: uint64 (capacity, 3): slot << 32 | packet, first number, second number. heap: uint8 (capacity,).

    used: int64 (2,): events, heap bytes.
    """

    events: NDArray[np.uint64]
    heap: NDArray[np.uint8]
    used: NDArray[np.int64]


class Payloads(NamedTuple):
    """The payload of each packet of a batch, by packet: bytes data[at[i]:end[i]] (offsets in the batch's data), ports,
    transport (one of TCP, UDP, UDPLITE, SCTP below). at[i] is -1 for packets without a payload."""

    at: NDArray[np.int64]
    end: NDArray[np.int64]
    source: NDArray[np.uint16]
    destination: NDArray[np.uint16]
    transport: NDArray[np.uint8]


TCP, UDP, UDPLITE, SCTP = 1, 2, 3, 4


def make_out(events: int = 1024, heap: int = 4096) -> Out:
    """An empty Out with room for so many events and heap bytes; `room` makes it larger."""
    return Out(np.empty((events, 3), np.uint64), np.empty(heap, np.uint8), np.zeros(2, np.int64))


def make_payloads(n: int) -> Payloads:
    """Payloads of n packets, none of which has one yet."""
    return Payloads(
        np.full(n, -1, np.int64), np.zeros(n, np.int64), np.zeros(n, np.uint16), np.zeros(n, np.uint16), np.zeros(n, np.uint8)
    )


DATA = types.uint8[::1]
PACKETS = types.uint32[::1]
OUT = numba.typeof(make_out())
PAYLOADS = numba.typeof(make_payloads(1))

# What reads an application's payloads: (data, payloads, packets, out) -> out. `packets` are those to look at, ascending.
EXTRACT = OUT(DATA, PAYLOADS, PACKETS, OUT)


@compiled()
def room(out, events, heap):  # type: ignore[no-untyped-def]
    """`out`, or a larger one with the same contents: with room for so many more events and heap bytes."""
    have_events, have_heap = out.used[0] + events, out.used[1] + heap
    if have_events <= len(out.events) and have_heap <= len(out.heap):
        return out
    grown, grown_heap = out.events, out.heap
    if have_events > len(out.events):
        grown = np.empty((max(have_events, 2 * len(out.events)), 3), np.uint64)
        grown[: out.used[0]] = out.events[: out.used[0]]
    if have_heap > len(out.heap):
        grown_heap = np.empty(max(have_heap, 2 * len(out.heap)), np.uint8)
        grown_heap[: out.used[1]] = out.heap[: out.used[1]]
    return Out(grown, grown_heap, out.used)


@inlined()
def pair(out, slot, packet, first, second):  # type: ignore[no-untyped-def]
    """An event of two numbers."""
    at = out.used[0]
    out.events[at, 0] = np.uint64(slot) << np.uint64(32) | np.uint64(packet)
    out.events[at, 1] = np.uint64(first)
    out.events[at, 2] = np.uint64(second)
    out.used[0] = at + 1


@inlined()
def number(out, slot, packet, value):  # type: ignore[no-untyped-def]
    """An event that is a row id (slots of kind NUMBER)."""
    pair(out, slot, packet, value, 0)


@inlined()
def span(out, slot, packet, at, end):  # type: ignore[no-untyped-def]
    """An event that is a text: the bytes data[at:end] of the batch (slots of kind SPAN). Nothing where there are none."""
    if end > at:
        pair(out, slot, packet, at, end - at)


@inlined()
def byte(out, value):  # type: ignore[no-untyped-def]
    """One more byte on the heap. The text begins where `out.used[1]` stood before its first byte."""
    at = out.used[1]
    out.heap[at] = value
    out.used[1] = at + 1


@inlined()
def heap_text(out, slot, packet, begun):  # type: ignore[no-untyped-def]
    """An event that is a text: the heap's bytes from `begun` to its end (slots of kind HEAP). Nothing where there are none."""
    if out.used[1] > begun:
        pair(out, slot, packet, begun, out.used[1] - begun)
