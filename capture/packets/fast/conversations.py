"""Field `community-id`: from interned flows to their texts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from capture.packets.columns import SetValues
from capture.packets.fast import community_id
from capture.packets.fast.addresses import Table
from capture.packets.fast.interning import small, spans


def community_ids(flow: NDArray[np.uint32], table: Table, flows: Table) -> SetValues:
    """The column. flow: cell FLOW, uint32 (n,), numbers of keys in `flows` (see `note_flow`), whose addresses are in `table`."""
    packet, code, values = small(flow, max(1, int(flows.used[0])))
    ids = _community_ids(values, table, flows)
    width = community_id.LENGTH
    begin = np.arange(len(ids), dtype=np.uint64) * np.uint64(width)
    # kinds of ICMP that ask and answer have one id, though two keys
    same, first = spans(ids.reshape(-1), begin, np.full(len(ids), width, np.uint64))
    raw = ids.tobytes()
    return SetValues(packet, same[code], [raw[width * k : width * (k + 1)] for k in first.tolist()])


def _community_ids(numbers: NDArray[np.uint64], table: Table, flows: Table) -> NDArray[np.uint8]:
    """Community IDs of flows, uint8 (flows, LENGTH): see `note_flow` for the keys."""
    keys = flows.keys[numbers.astype(np.int64)]
    ends = [(keys[:, 0] >> np.uint64(shift) & np.uint64(0xFFFFFFFF)).astype(np.int64) for shift in (32, 0)]
    family = np.ascontiguousarray(table.kind[ends[0]])
    sides = []
    for end in ends:
        raw = table.keys[end].astype(">u8").view(np.uint8).reshape(-1, 16).copy()
        four = family == 4
        raw[four, :4] = raw[four, 12:]  # IPv4 addresses are the first 4 bytes of the 16
        sides.append(np.ascontiguousarray(raw))
    word = keys[:, 1]
    made: NDArray[np.uint8] = community_id.texts(
        sides[0],
        sides[1],
        family,
        (word >> np.uint64(32) & np.uint64(0xFF)).astype(np.uint8),
        (word >> np.uint64(16) & np.uint64(0xFFFF)).astype(np.uint16),
        (word & np.uint64(0xFFFF)).astype(np.uint16),
        (word >> np.uint64(40) & np.uint64(1)).astype(np.uint8),
    )
    return made
