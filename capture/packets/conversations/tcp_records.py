"""The records of TCP of a batch: most link types in a compiled loop, the rare ones packet by packet on scapy's way."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture.packets.batch import PacketBatch
from capture.packets.conversations.tcp_segments import SEGMENT, put_one, segments_of, tagged_one
from capture.packets.fast.addresses import make_table
from capture.packets.fast.headers.slots import PER_PACKET
from capture.packets.fast.headers.steps import FIRST_HEADERS, first_headers
from capture.packets.fast.out import make_out
from capture.packets.fast.records import Records
from capture.packets.fast.records import records as taken_apart
from capture.packets.scapy_dissector.linktypes import FIRST_HEADERS as SCAPY_LINKTYPES

_FIRST = first_headers()
_RARE = np.array(sorted(set(SCAPY_LINKTYPES) - set(FIRST_HEADERS)), np.int64)


def records(batch: PacketBatch, first_column: int) -> NDArray[Any]:
    """The TCP segments of a batch, SEGMENT (n,) in order of columns: packet i is column first_column + i.

    Packets without a TCP header of their own, captured to its 20th byte, have none."""
    return _records(batch, first_column, short_cut=True)


def _records(batch: PacketBatch, first_column: int, short_cut: bool) -> NDArray[Any]:
    known = taken_apart(batch.locator)
    data = batch.data if batch.data.flags.writeable and batch.data.flags.c_contiguous else batch.data.copy()
    start = np.ascontiguousarray(batch.start, np.int64)
    segments = np.empty(len(batch), SEGMENT)
    found, _, _ = segments_of(
        data, start, known.captured, known.wire, known.linktype, known.time_ns, _FIRST, first_column, segments,
        make_table(), make_table(1), make_out(PER_PACKET), short_cut,
    )  # fmt: skip
    segments = segments[:found] if 2 * found > len(batch) else segments[:found].copy()
    rare = np.flatnonzero(np.isin(known.linktype, _RARE)) if len(_RARE) else np.zeros(0, np.int64)
    if not len(rare):
        return segments
    return _merged(segments, _rare(batch, data, start, known, rare, first_column))


def _merged(one: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
    both = np.concatenate([one, other])
    return both[np.argsort(both["column"], kind="stable")]


def _rare(
    batch: PacketBatch,
    data: NDArray[np.uint8],
    start: NDArray[np.int64],
    known: Records,
    rare: NDArray[np.int64],
    first_column: int,
) -> NDArray[Any]:
    """The segments of packets that only the scapy dissector walks."""
    segments, k = np.empty(len(rare), SEGMENT), 0
    for i in rare.tolist():
        offsets = _headers(batch.packet(i), int(known.linktype[i]), int(known.wire[i]))
        if offsets is None:
            continue
        found, vlans = offsets
        if put_one(segments, k, first_column + i, int(known.time_ns[i]), data, found + start[i], vlans):
            k += 1
    return segments[:k]


def _headers(packet: bytes, linktype: int, wire_length: int) -> tuple[NDArray[np.int64], int] | None:
    """(offsets as put_one takes them, the word of VLAN tags) of the TCP header that the walk comes to."""
    from capture.packets.scapy_dissector.packet import MOST_HEADERS  # brings the handlers; scapy takes half a second to import
    from capture.packets.scapy_dissector.walk import HANDLERS, Walk

    walk = Walk(packet, wire_length, applications=False)
    step: tuple[str, int] | None = (SCAPY_LINKTYPES[linktype], 0)
    network_at = -1
    try:
        for _ in range(MOST_HEADERS):
            if step is None:
                return None
            name, at = step
            if name == "tcp":
                vlans = 0
                for stack in walk.found.of("vlan-stack"):
                    for tag in stack.split(b",") if isinstance(stack, bytes) else ():
                        vlans = tagged_one(vlans, int(tag))
                return np.array([network_at, at, walk.end, walk.wire_end], np.int64), vlans
            if name in ("ipv4", "ipv6"):
                network_at = at
            step = HANDLERS[name](walk, at)
    except Exception:  # scapy raises what it likes on hostile bytes
        return None
    return None
