"""What libpcap calls for each packet: writes it as an enhanced packet block behind those before it in the chunk."""

from __future__ import annotations

from typing import Any

from numba import types

from capture.packets.compiling import inlined
from capture.packets.live.compiled_callback import compiled_callback
from capture.packets.live.memory import add_atomically, call_with_pointer, copy_bytes, load32, load64, store32, store64
from capture.packets.live.shape import (
    AROUND,
    BREAKLOOP,
    BUDGET,
    BUDGET_BYTES,
    BUDGET_PACKETS,
    BYTE_RULE,
    BYTES,
    CAPTURED,
    FRACTION,
    HANDLE,
    INTERFACE,
    LAST,
    MOST_BYTES,
    MOST_PACKETS,
    NEXT,
    PACKET_RULE,
    PACKETS,
    REACHED,
    SECONDS,
    SNAPLEN,
    SUPER_FRAMES,
    SUPER_LENGTH,
    TAKEN,
    TICK,
    WIRE,
)
from capture.packets.sources.pcapng_shape import ENHANCED_PACKET


@inlined()
def _add(address: Any, value: Any) -> None:
    store64(address, load64(address) + value)


@inlined()
def _end(state: Any, rule: Any) -> None:
    store64(state + 8 * REACHED, rule)
    call_with_pointer(load64(state + 8 * BREAKLOOP), load64(state + 8 * HANDLE))


@inlined()
def _may_take(state: Any, captured: Any) -> Any:
    """Takes the packet out of what the stop rules leave; the rule that it reaches, or -1 where nothing was left for it."""
    budget = load64(state + 8 * BUDGET)
    most_packets, most_bytes = load64(budget + 8 * MOST_PACKETS), load64(budget + 8 * MOST_BYTES)
    packets = add_atomically(budget + 8 * BUDGET_PACKETS, 1)
    if packets >= most_packets:
        _end(state, PACKET_RULE)
        return -1
    taken = add_atomically(budget + 8 * BUDGET_BYTES, captured)
    if taken >= most_bytes:
        _end(state, BYTE_RULE)
        return -1
    if packets + 1 >= most_packets:
        return PACKET_RULE
    if taken + captured >= most_bytes:
        return BYTE_RULE
    return 0


@compiled_callback(types.void(types.int64, types.int64, types.int64))
def take(state: Any, header: Any, packet: Any) -> None:
    """void (*pcap_handler)(u_char *user, const struct pcap_pkthdr *, const u_char *packet); user is the reader's array.

    Ends the dispatch when there is no room for another packet of the longest kind, or a stop rule is reached.
    """
    if load64(state + 8 * REACHED) != 0:
        call_with_pointer(load64(state + 8 * BREAKLOOP), load64(state + 8 * HANDLE))
        return
    captured, wire = min(load32(header + CAPTURED), load64(state + 8 * SNAPLEN)), load32(header + WIRE)
    rule = 0
    if load64(state + 8 * BUDGET) != 0:
        rule = _may_take(state, captured)
        if rule < 0:
            return
    at = load64(state + 8 * NEXT)
    padded = (captured + 3) & ~3
    length = AROUND + padded
    time = load64(header + SECONDS) * 1_000_000_000 + load64(header + FRACTION) * load64(state + 8 * TICK)
    store32(at, ENHANCED_PACKET)
    store32(at + 4, length)
    store32(at + 8, load64(state + 8 * INTERFACE))
    store32(at + 12, time >> 32)
    store32(at + 16, time)
    store32(at + 20, captured)
    store32(at + 24, wire)
    if padded != captured:
        store32(at + 24 + padded, 0)
    copy_bytes(at + 28, packet, captured)
    store32(at + 28 + padded, length)
    store64(state + 8 * NEXT, at + length)
    _add(state + 8 * PACKETS, 1)
    _add(state + 8 * TAKEN, 1)
    _add(state + 8 * BYTES, captured)
    if wire > load64(state + 8 * SUPER_LENGTH):
        _add(state + 8 * SUPER_FRAMES, 1)
    if rule != 0:
        _end(state, rule)
    elif at + length > load64(state + 8 * LAST):
        call_with_pointer(load64(state + 8 * BREAKLOOP), load64(state + 8 * HANDLE))


ADDRESS: int = take.address
