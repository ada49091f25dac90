"""The compiled loops over the table of TCP conversations: segments in, findings out; time that runs out; the table as arrays."""

from __future__ import annotations

import numpy as np
from numba import from_dtype, types

from capture.packets.compiling import borrowing, compiled
from capture.packets.conversations.tcp_findings import ANALYSIS, FINDINGS, ROUND_TRIP, say
from capture.packets.conversations.tcp_handshake import (
    MOST_US,
    WAIT_NS,
    begun,
    give_up,
    limit_of,
    note_end,
    passed,
    went_on,
)
from capture.packets.conversations.tcp_rules import REUSED, analysed, fill_gap
from capture.packets.conversations.tcp_segments import ACK, BACKWARD, BOGUS, FRAGMENT, NO_SHIFT, SEGMENTS, SHORT, SYN
from capture.packets.conversations.tcp_table import (
    FIRST_ACK,
    HAS_BASE,
    HAS_ROUND_TRIP,
    HAS_SYN,
    NOBODY,
    NODE,
    OPEN_END,
    ROWS,
    TABLE,
    UNKNOWN,
    UNUSED,
    clear_side,
    find,
    give_back,
    hash_of,
    take_node,
)
from capture.packets.fast.prefetch import prefetch

AHEAD = 8  # segments between the hint that a row will be read, and its turn; twice as many for its slot
_U64, _I64 = types.uint64[::1], types.int64[::1]
NODES = types.Array(from_dtype(NODE), 1, "C")


@borrowing()
def _cleared(table, head, opening, row):  # type: ignore[no-untyped-def]
    """A conversation that has no segment yet, in place of a new row or of one whose lists are empty."""
    head.last = np.int64(0)
    head.marks = np.uint32(0)
    head.waiting = NOBODY
    opening.syn_time = opening.round_trip = opening.since = np.int64(0)
    opening.last_waiting, opening.waiting_count = NOBODY, np.int32(0)
    clear_side(table.sides[2 * row])
    clear_side(table.sides[2 * row + 1])


@borrowing()
def _ended(table, head, opening, row, findings):  # type: ignore[no-untyped-def]
    """Nothing more comes: what waits is settled, its nodes are free."""
    give_up(table, head, opening, findings)
    for k in range(2 * row, 2 * row + 2):
        if table.sides[k].count:
            give_back(table, table.sides[k].oldest, table.sides[k].newest)
            table.sides[k].count = np.uint16(0)


@borrowing()
def _reused(here, seq, flags):  # type: ignore[no-untyped-def]
    """(whether a SYN says that the ports are used again, whether for a new conversation)."""
    if not here.marks & HAS_BASE:
        return False, False
    if flags & ACK:
        if seq == here.base:
            return False, False
        here.base = seq
        return True, False
    if seq == here.base:
        here.next = here.most  # a RST may have taken it elsewhere
        return False, False
    return True, True


@borrowing()
def _learn(table, head, opening, here, there, segment, flags, time_ns):  # type: ignore[no-untyped-def]
    """What SYNs and first ACKs say of what follows: times of the handshake, window scales."""
    if flags & SYN:
        here.marks |= np.uint16(FIRST_ACK)
        if not flags & ACK:
            opening.syn_time = time_ns
            head.marks |= np.uint32(HAS_SYN)
        if segment.shift != NO_SHIFT:
            here.scale = np.int32(segment.shift)
        if here.scale == UNKNOWN:
            here.scale = there.scale = np.int32(UNUSED)
        elif flags & ACK and there.scale == UNUSED:
            here.scale = np.int32(UNUSED)
    elif flags & ACK:
        if here.marks & FIRST_ACK:
            here.marks = np.uint16(np.int64(here.marks) & ~FIRST_ACK)
        if head.marks & (HAS_SYN | HAS_ROUND_TRIP) == HAS_SYN and opening.syn_time:
            opening.round_trip = time_ns - opening.syn_time
            if opening.round_trip:
                head.marks |= np.uint32(HAS_ROUND_TRIP)


@borrowing()
def _taken(table, row, new, segment, findings):  # type: ignore[no-untyped-def]
    """One segment of the conversation in `row`."""
    head, opening = table.heads[row], table.openings[row]
    time_ns, flags, column = segment.time_ns, np.int64(segment.flags), segment.column
    backward = np.int64(segment.marks & BACKWARD)
    if new:
        _cleared(table, head, opening, row)
    else:
        if head.waiting != NOBODY and passed(time_ns, opening.since, WAIT_NS):
            give_up(table, head, opening, findings)
        if passed(time_ns, head.last, limit_of(head)):
            _ended(table, head, opening, row, findings)
            _cleared(table, head, opening, row)
            new = True
    here, there = table.sides[2 * row + backward], table.sides[2 * row + 1 - backward]
    said = 0
    if flags & SYN and not new:
        again, fresh = _reused(here, segment.seq, flags)
        if again:
            said = REUSED
        if fresh:
            _ended(table, head, opening, row, findings)
            _cleared(table, head, opening, row)
            new = True
    if time_ns > head.last or head.last == 0:
        head.last = time_ns
    if (here.marks | there.marks) & OPEN_END:
        fill_gap(here, there, np.int64(segment.seq), np.int64(segment.ack), flags)
    if not segment.marks & SHORT:
        round_trip = opening.round_trip if head.marks & HAS_ROUND_TRIP else np.int64(0)
        said, exactly, when = analysed(
            table, here, there, np.int64(segment.seq), np.int64(segment.ack), np.int64(segment.length), flags,
            np.int64(segment.window), time_ns, round_trip, said,
        )  # fmt: skip
        if not segment.marks & BOGUS:
            bit = 0
            while said:
                if said & 1:
                    say(findings, ANALYSIS, column, bit)
                said >>= 1
                bit += 1
            if exactly and 0 < time_ns - when < MOST_US * 1000:
                say(findings, ROUND_TRIP, column, (time_ns - when) // 1000)
        if segment.marks & FRAGMENT:
            here.marks |= np.uint16(OPEN_END)
    if new:
        begun(table, head, opening, findings, column, flags, backward, time_ns)
    else:
        went_on(table, head, opening, findings, column, flags, backward, time_ns)
    note_end(head, flags, backward)
    if not segment.marks & BOGUS:
        _learn(table, head, opening, here, there, segment, flags, time_ns)


@compiled(types.int64(TABLE, SEGMENTS, types.int64, types.int64, types.int64, FINDINGS, _I64, _U64))
def take(table, segments, first, partition, partitions, findings, own, words):  # type: ignore[no-untyped-def]
    """Takes segments from `first` on, until `own` is full of those of this partition; the position behind the last.

    The table has room for as many rows as `own`, and twice as many nodes. own, words: to work in, equally long."""
    n = 0
    i = first
    while i < len(segments) and n < len(own):
        if partitions == 1 or np.int64(segments[i].hash) % partitions == partition:
            own[n] = i
            words[n] = hash_of(segments[i], table.seed)
            n += 1
        i += 1
    mask = np.uint64(len(table.slots) - 1)
    for k in range(n):
        if k + 2 * AHEAD < n:
            prefetch(table.slot_bytes, np.int64((words[k + 2 * AHEAD] & mask) << np.uint64(3)))
        if k + AHEAD < n:
            slot = table.slots[words[k + AHEAD] & mask]
            if slot:
                row = np.int64(slot & np.uint64(0xFFFFFFFF)) - 1
                prefetch(table.head_bytes, 64 * row)
                prefetch(table.side_bytes, 128 * row)
                prefetch(table.side_bytes, 128 * row + 64)
        segment = segments[own[k]]
        row, new = find(table, segment, words[k])
        _taken(table, row, new, segment, findings)
    return np.int64(i)


@compiled(types.int64(TABLE, types.int64, types.int64, FINDINGS))
def expire(table, now_ns, quiet_since, findings):  # type: ignore[no-untyped-def]
    """Settles what has no more time at `now_ns` and forgets what is over, and those without a segment after `quiet_since`; rows
    move together. How many were forgotten.

    If any, the slots are not those of the rows any more: they are to be filled anew."""
    rows = table.used[ROWS]
    row = np.int64(0)
    gone = 0
    while row < rows:
        head, opening = table.heads[row], table.openings[row]
        if head.waiting != NOBODY and passed(now_ns, opening.since, WAIT_NS):
            give_up(table, head, opening, findings)
        if head.last > quiet_since and not passed(now_ns, head.last, limit_of(head)):
            row += 1
            continue
        _ended(table, head, opening, row, findings)
        rows -= 1
        gone += 1
        if row != rows:
            table.heads[row] = table.heads[rows]
            table.openings[row] = table.openings[rows]
            table.sides[2 * row] = table.sides[2 * rows]
            table.sides[2 * row + 1] = table.sides[2 * rows + 1]
    table.used[ROWS] = rows
    return gone


@compiled(types.void(TABLE, FINDINGS))
def end(table, findings):  # type: ignore[no-untyped-def]
    """All that waits is settled; nothing is forgotten."""
    for row in range(table.used[ROWS]):
        give_up(table, table.heads[row], table.openings[row], findings)


@compiled(types.int64(TABLE))
def least_waiting(table):  # type: ignore[no-untyped-def]
    """The least column that waits; -1: none."""
    least = np.int64(-1)
    for row in range(table.used[ROWS]):
        node = table.heads[row].waiting
        if node != NOBODY and (least < 0 or table.nodes[node].value < least):
            least = table.nodes[node].value
    return least


@borrowing()
def _copied(table, node, into, k):  # type: ignore[no-untyped-def]
    while node != NOBODY:
        into[k] = table.nodes[node]
        node = into[k].following
        k += 1
    return k


@compiled(types.int64(TABLE, NODES))
def lists(table, into):  # type: ignore[no-untyped-def]
    """The nodes of all lists, row by row (waiting columns, first side, second side), each list in its order; how many."""
    k = np.int64(0)
    for row in range(table.used[ROWS]):
        k = _copied(table, table.heads[row].waiting, into, k)
        for side in range(2 * row, 2 * row + 2):
            if table.sides[side].count:
                k = _copied(table, table.sides[side].oldest, into, k)
    return k


@borrowing()
def _chained(table, given, k, count):  # type: ignore[no-untyped-def]
    """A list of the next `count` nodes: (first, last)."""
    first = last = NOBODY
    for j in range(k, k + count):
        node = take_node(table)
        table.nodes[node] = given[j]
        table.nodes[node].following = NOBODY
        if first == NOBODY:
            first = node
        else:
            table.nodes[last].following = node
        last = node
    return first, last


@compiled(types.void(TABLE, NODES))
def link_lists(table, given):  # type: ignore[no-untyped-def]
    """Links the lists of all rows from what `lists` gave; the counts of sides and openings say how long each is."""
    k = np.int64(0)
    for row in range(table.used[ROWS]):
        count = np.int64(table.openings[row].waiting_count)
        table.heads[row].waiting, table.openings[row].last_waiting = _chained(table, given, k, count)
        k += count
        for s in range(2 * row, 2 * row + 2):
            count = np.int64(table.sides[s].count)
            table.sides[s].oldest, table.sides[s].newest = _chained(table, given, k, count)
            k += count
