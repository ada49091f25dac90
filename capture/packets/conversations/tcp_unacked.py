"""Segments that wait for their ACK: a list a side, in the order they were sent, as nodes of the table's pool.

What an ACK needs of a segment is the sequence number behind it and when it was sent. The list is Wireshark's, which keeps at most
10,000; usually the numbers ascend, and then an ACK looks at those only that it takes.
"""

from __future__ import annotations

import numpy as np

from capture.packets.compiling import borrowing, inlined
from capture.packets.conversations.tcp_table import NOBODY, UNSORTED, give_back, take_node

MOST = 10_000
_HALF = 1 << 31
_ALL = (1 << 32) - 1


@inlined()
def after(one, other):  # type: ignore[no-untyped-def]
    """Whether a sequence number (int64, 32 bits) stands behind another; both, of two that are 2**31 apart."""
    return (other - one) & _ALL >= _HALF


@borrowing()
def sent(table, side, behind, time_ns):  # type: ignore[no-untyped-def]
    """One more that waits, of a side that has fewer than MOST."""
    node = take_node(table)
    fresh = table.nodes[node]
    fresh.value, fresh.number, fresh.following = time_ns, np.uint32(behind), NOBODY
    if side.count == 0:
        side.oldest = node
        side.marks &= ~np.uint16(UNSORTED)
        side.looked, side.least = np.uint32((behind - 1) & _ALL), np.uint32(behind)
    else:
        looked = np.int64(side.looked)
        last = table.nodes[side.newest]
        distance = (behind - np.int64(last.number)) & _ALL
        # ascending, and all of it less than half the circle ahead of the last look, so that an ACK can stop at the first
        if distance >= _HALF or not after(behind, looked):
            side.marks |= np.uint16(UNSORTED)
            if not after(behind, looked):
                side.least = np.uint32(looked)
            elif (behind - looked) & _ALL < (np.int64(side.least) - looked) & _ALL:
                side.least = np.uint32(behind)
        last.following = node
    side.newest = node
    side.count += np.uint16(1)


@borrowing()
def acked(table, side, ack):  # type: ignore[no-untyped-def]
    """Takes away what an ACK of the other end covers: (whether one ends exactly there, when the first such was sent)."""
    looked, found, when = np.int64(side.looked), False, np.int64(0)
    if side.count == 0:
        return found, when
    if (ack - looked) & _ALL < (np.int64(side.least) - looked) & _ALL:
        return found, when  # it moves, but takes none
    in_order = not side.marks & np.uint16(UNSORTED) and (ack - looked) & _ALL < _HALF
    before, node = NOBODY, side.oldest
    first_free, last_free = NOBODY, NOBODY
    nearest, sorted_, previous = np.int64(_ALL), True, np.int64(-1)
    while node != NOBODY:
        one = table.nodes[node]
        behind, following = np.int64(one.number), one.following
        ahead = (behind - ack) & _ALL
        if 0 < ahead <= _HALF:  # not covered
            nearest = min(nearest, ahead)
            if in_order:
                break
            if ahead < previous:
                sorted_ = False
            previous = ahead
            before = node
            node = following
            continue
        if ahead == 0 and not found:
            found, when = True, one.value
        if first_free == NOBODY:
            first_free = node
        else:
            table.nodes[last_free].following = node
        last_free = node
        if before == NOBODY:
            side.oldest = following
        else:
            table.nodes[before].following = following
        if following == NOBODY:
            side.newest = before
        side.count -= np.uint16(1)
        node = following
    if first_free != NOBODY:
        give_back(table, first_free, last_free)
    if not in_order:
        if sorted_:
            side.marks &= ~np.uint16(UNSORTED)
        else:
            side.marks |= np.uint16(UNSORTED)
    side.looked = np.uint32(ack)
    side.least = np.uint32((ack + nearest) & _ALL if side.count else ack)
    return found, when
