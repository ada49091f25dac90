"""The table of TCP conversations: what is known of each, in arrays, and how a segment's own is found.

A conversation is a row: HEAD (its key, one cache line), two SIDEs (a line each: what its first and its second end sent), OPENING
(its handshake; seldom read). Slots say which row a key has, by open addressing; their hash has a seed of its own in every table,
so that nobody can know which keys meet. Segments that wait for their ACK, and columns that wait for the end of a handshake, are
nodes of lists in one pool.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np
from numba import types
from numpy.typing import NDArray

from capture.packets.compiling import borrowing, compiled
from capture.packets.fast.interning import mixed

HEAD = np.dtype(
    [
        ("first_high", "<u8"),  # the key, as capture.packets.conversations.tcp_segments has it
        ("first_low", "<u8"),
        ("second_high", "<u8"),
        ("second_low", "<u8"),
        ("ports", "<u8"),
        ("vlans", "<u8"),
        ("last", "<i8"),  # time of its last segment (the latest), ns; 0: none had a time
        ("marks", "<u4"),  # what of the rest must be looked at: below
        ("waiting", "<i4"),  # first node of the columns that wait for the handshake, in order; NOBODY: none
    ]
)
SIDE = np.dtype(
    [
        ("base", "<u4"),  # first sequence number
        ("next", "<u4"),  # highest sequence number behind a segment; 0: none yet
        ("most", "<u4"),  # the same without a hole before it: what the other end can acknowledge
        ("ack", "<u4"),  # last acknowledgement that this end sent; 0: none yet
        ("next_time", "<i8"),  # of the segment that `next` is of
        ("ack_time", "<i8"),  # of the last segment
        ("window", "<u4"),  # last, as sent; NO_WINDOW: none yet
        ("repeats", "<i4"),  # duplicate ACKs so far; -1: the other end acknowledged what was not seen
        ("oldest", "<i4"),  # segments without an ACK, in the order they were sent: first node, last node, how many
        ("newest", "<i4"),
        ("count", "<u2"),
        ("marks", "<u2"),
        ("scale", "<i4"),  # shift of its windows; UNKNOWN, UNUSED
        ("looked", "<u4"),  # up to this ACK the list was cleared ...
        ("least", "<u4"),  # ... and the first ACK that would find something in it
    ]
)
OPENING = np.dtype(
    [
        ("syn_time", "<i8"),  # of the last SYN; 0: none
        ("round_trip", "<i8"),  # initial, ns; 0: not known
        ("since", "<i8"),  # of the last SYN or SYN-ACK that waits
        ("last_waiting", "<i4"),  # last node of the waiting columns
        ("waiting_count", "<i4"),
    ]
)
NODE = np.dtype([("value", "<i8"), ("following", "<i4"), ("number", "<u4")])
NOBODY = np.int32(-1)
NO_WINDOW = np.uint32(0xFFFFFFFF)
UNKNOWN, UNUSED = -1, -2

# HEAD["marks"]
HAS_SYN, HAS_ROUND_TRIP = 1, 2  # OPENING has a syn_time, a round_trip
SECOND_IS_CLIENT = 4
FIN_OF_FIRST, FIN_OF_SECOND, RESET = 8, 16, 32
STATE = 7 << 6  # of the handshake
# OPEN: it went on, though not all three of its handshake were seen
NOT_SEEN, SYN_SENT, SYN_ANSWERED, COMPLETE, REFUSED, UNANSWERED, OPEN = (n << 6 for n in range(7))

# SIDE["marks"]
# OPEN_END: the last segment was longer than is known
HAS_BASE, FIRST_ACK, UNSORTED, LAST_KEEP_ALIVE, LAST_PROBE, OPEN_END = 1, 2, 4, 8, 16, 32

# Table.used
ROWS, NODES, FREE_NODE, WAITING = 0, 1, 2, 3


class Table(NamedTuple):
    """slots: uint64 (power of 2,): upper half of the hash | row + 1, 0 for none. heads, openings: (capacity,); sides:
    (2 * capacity,), row r has 2 r and 2 r + 1. nodes: the pool. slot_bytes, head_bytes, side_bytes: uint8 views. used: int64 (4,)
    (rows, nodes ever used, first free node or NOBODY, columns that wait). seed: uint64 (2,)."""

    slots: NDArray[np.uint64]
    heads: NDArray[Any]
    openings: NDArray[Any]
    sides: NDArray[Any]
    nodes: NDArray[Any]
    slot_bytes: NDArray[np.uint8]
    head_bytes: NDArray[np.uint8]
    side_bytes: NDArray[np.uint8]
    used: NDArray[np.int64]
    seed: NDArray[np.uint64]


def _aligned(count: int, dtype: np.dtype[Any]) -> tuple[NDArray[Any], NDArray[np.uint8]]:
    """An array that begins with a cache line, and its bytes."""
    raw = np.zeros(count * dtype.itemsize + 64, np.uint8)
    skip = -raw.ctypes.data % 64
    raw = raw[skip : skip + count * dtype.itemsize]
    return raw.view(dtype), raw


def make_table(seed: NDArray[np.uint64], rows: int = 64, nodes: int = 64) -> Table:
    """An empty table with room for so many rows and nodes. Of its slots at most two in three are taken."""
    heads, head_bytes = _aligned(rows, HEAD)
    sides, side_bytes = _aligned(2 * rows, SIDE)
    openings, pool = np.zeros(rows, OPENING), np.zeros(nodes, NODE)
    used = np.array([0, 0, NOBODY, 0], np.int64)
    slots = np.zeros(1 << (rows + rows // 2).bit_length(), np.uint64)
    return Table(slots, heads, openings, sides, pool, slots.view(np.uint8), head_bytes, side_bytes, used, seed)


TABLE = numba.typeof(make_table(np.zeros(2, np.uint64)))


@borrowing()
def hash_of(key, seed):  # type: ignore[no-untyped-def]
    """A hash of the key of a segment or HEAD."""
    word = mixed(key.first_low ^ seed[0]) ^ key.second_low
    word = mixed(word ^ key.ports * np.uint64(0x9E3779B97F4A7C15) ^ key.vlans ^ seed[1])
    if key.ports >> np.uint64(32):
        word = mixed(mixed(word ^ key.first_high) ^ key.second_high)
    return word


@borrowing()
def same(head, segment):  # type: ignore[no-untyped-def]
    """Whether a segment is of the conversation of a HEAD."""
    return (
        head.first_low == segment.first_low
        and head.second_low == segment.second_low
        and head.ports == segment.ports
        and head.vlans == segment.vlans
        and head.first_high == segment.first_high
        and head.second_high == segment.second_high
    )


@borrowing()
def find(table, segment, word):  # type: ignore[no-untyped-def]
    """(row of a segment's conversation, whether it is new). The table has room for one more. word: its hash."""
    mask = np.uint64(len(table.slots) - 1)
    tag = word & np.uint64(0xFFFFFFFF00000000)
    at = word & mask
    while True:
        slot = table.slots[at]
        if slot == 0:
            break
        if slot & np.uint64(0xFFFFFFFF00000000) == tag:
            row = np.int64(slot & np.uint64(0xFFFFFFFF)) - 1
            if same(table.heads[row], segment):
                return row, False
        at = (at + np.uint64(1)) & mask
    row = table.used[ROWS]
    table.used[ROWS] = row + 1
    table.slots[at] = tag | np.uint64(row + 1)
    head = table.heads[row]
    head.first_high, head.first_low = segment.first_high, segment.first_low
    head.second_high, head.second_low = segment.second_high, segment.second_low
    head.ports, head.vlans = segment.ports, segment.vlans
    head.waiting = NOBODY
    return row, True


@borrowing()
def clear_side(side):  # type: ignore[no-untyped-def]
    """A side that has sent nothing. Its list must be empty."""
    side.base = side.next = side.most = side.ack = np.uint32(0)
    side.next_time = side.ack_time = np.int64(0)
    side.window = NO_WINDOW
    side.repeats = np.int32(0)
    side.oldest = side.newest = NOBODY
    side.count = side.marks = np.uint16(0)
    side.scale = np.int32(UNKNOWN)
    side.looked = side.least = np.uint32(0)


@borrowing()
def take_node(table):  # type: ignore[no-untyped-def]
    """A free node; the pool has one."""
    node = table.used[FREE_NODE]
    if node >= 0:
        table.used[FREE_NODE] = table.nodes[node].following
        return np.int32(node)
    node = table.used[NODES]
    table.used[NODES] = node + 1
    return np.int32(node)


@borrowing()
def give_back(table, first, last):  # type: ignore[no-untyped-def]
    """The nodes from `first` to `last`, which follow each other, are free."""
    table.nodes[last].following = np.int32(table.used[FREE_NODE])
    table.used[FREE_NODE] = first


@compiled(types.void(TABLE))
def fill_slots(table):  # type: ignore[no-untyped-def]
    """The slots of all rows, into slots that are all 0."""
    mask = np.uint64(len(table.slots) - 1)
    for row in range(table.used[ROWS]):
        word = hash_of(table.heads[row], table.seed)
        at = word & mask
        while table.slots[at] != 0:
            at = (at + np.uint64(1)) & mask
        table.slots[at] = word & np.uint64(0xFFFFFFFF00000000) | np.uint64(row + 1)
