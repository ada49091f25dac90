"""What a TCP segment is by those before it: the rules of Wireshark 4.0's analysis of sequence numbers.

The rules, not the code, are Wireshark's (docs/decisions/0041-second-pass-tcp.md names them): a reader finds here what its
`tcp.analysis.*` fields say. Their order is part of them. Sequence numbers are int64 with 32 bits here.
"""

from __future__ import annotations

import numpy as np

from capture.packets.compiling import borrowing
from capture.packets.conversations.tcp_segments import ACK, FIN, RST, SYN
from capture.packets.conversations.tcp_table import FIRST_ACK, HAS_BASE, LAST_KEEP_ALIVE, LAST_PROBE, OPEN_END, UNKNOWN, UNUSED
from capture.packets.conversations.tcp_unacked import MOST, acked, after, sent
from capture.packets.declarations.conversations import TCP_ANALYSIS


def _bit(name: str) -> int:
    return 1 << TCP_ANALYSIS.index(name)


# A set of findings: bits by position in TCP_ANALYSIS
RETRANSMISSION, FAST, SPURIOUS, OUT_OF_ORDER = (
    _bit(name) for name in ("retransmission", "fast-retransmission", "spurious-retransmission", "out-of-order")
)
REPEATED_ACK, LOST, UNSEEN = _bit("dup-ack"), _bit("lost-segment"), _bit("acked-unseen")
WINDOW_FULL, WINDOW_UPDATE, ZERO_WINDOW = _bit("window-full"), _bit("window-update"), _bit("zero-window")
KEEP_ALIVE, KEEP_ALIVE_ACK, REUSED = _bit("keep-alive"), _bit("keep-alive-ack"), _bit("port-reuse")
PROBE, PROBE_ACK = _bit("zero-window-probe"), _bit("zero-window-probe-ack")

FAST_WITHIN_NS = 20_000_000  # of the duplicate ACK that asked for it
REORDERED_WITHIN_NS = 3_000_000  # of the segment that overtook it, where the initial round-trip time is not known
_ALL = (1 << 32) - 1


@borrowing()
def _within(time_ns, since, limit):  # type: ignore[no-untyped-def]
    """Less than `limit` after `since`; not before it. A limit below 0 stands for a very large one, as Wireshark's does."""
    passed = time_ns - since
    if limit < 0:
        return passed >= 0 or passed < limit
    return 0 <= passed < limit


@borrowing()
def _forward(here, there, seq, ack, length, flags, window):  # type: ignore[no-untyped-def]
    """What follows from the numbers and windows that both sides have sent; counts duplicate ACKs."""
    expected = np.int64(here.next)
    special = flags & (SYN | FIN | RST)
    if length == 1 and seq == expected and there.window == 0:
        return PROBE
    found = 0
    if window == 0 and not special:
        found |= ZERO_WINDOW
    if expected and after(seq, expected) and not flags & RST:
        found |= LOST
    if length <= 1 and seq == (expected - 1) & _ALL and not special:
        found |= KEEP_ALIVE
    if length > 0 and there.scale != UNKNOWN and not special:
        shift = 0 if there.marks & FIRST_ACK or there.scale == UNUSED else np.int64(there.scale)
        if (seq + length) & _ALL == (np.int64(there.ack) + (np.int64(there.window) << shift)) & _ALL:
            found |= WINDOW_FULL
    if length or special or seq != expected or ack != np.int64(here.ack):
        return found
    # it repeats the segment before
    if window != np.int64(here.window):
        return found | WINDOW_UPDATE if window else found
    if window and there.marks & LAST_KEEP_ALIVE:
        return found | KEEP_ALIVE_ACK
    if not window:
        return found | PROBE_ACK if there.marks & LAST_PROBE else found
    here.repeats = np.int32(1 if here.repeats < 0 else here.repeats + 1)
    return found | REPEATED_ACK


@borrowing()
def _again(here, there, seq, length, flags, time_ns, threshold):  # type: ignore[no-untyped-def]
    """Which kind of repetition a segment with data, SYN or FIN is, if any."""
    expected = np.int64(here.next)
    behind = expected != 0 and after(expected, seq)
    if length > 1 and (expected - 1) & _ALL == seq:  # new data from the byte on that a probe sent
        behind = False
    if length > 0 and there.ack:
        behind_it, wanted = (seq + length) & _ALL, np.int64(there.ack)
        if behind_it == wanted or after(wanted, behind_it):
            return SPURIOUS
    if not behind:
        return 0
    asked = np.int64(there.ack) == seq and (there.repeats >= 2 or there.repeats < 0)  # -1 is many: Wireshark's has no sign
    if asked and _within(time_ns, there.ack_time, FAST_WITHIN_NS):
        return FAST
    end = (seq + length + (1 if flags & (SYN | FIN) else 0)) & _ALL
    if expected != end and _within(time_ns, here.next_time, threshold):
        return OUT_OF_ORDER
    return RETRANSMISSION


@borrowing()
def fill_gap(here, there, seq, ack, flags):  # type: ignore[no-untyped-def]
    """Before a segment is analysed: what follows a first fragment says how long that segment was (its other fragments have no TCP
    header; tshark puts them together first)."""
    if here.marks & OPEN_END:
        here.marks = np.uint16(np.int64(here.marks) & ~OPEN_END)
        if after(seq, np.int64(here.next)):
            if here.most == here.next:
                here.most = np.uint32(seq)
            here.next = np.uint32(seq)
    if there.marks & OPEN_END and flags & ACK and after(ack, np.int64(there.next)):
        if there.most == there.next:
            there.most = np.uint32(ack)
        there.next = np.uint32(ack)


@borrowing()
def analysed(table, here, there, seq, ack, length, flags, window, time_ns, round_trip, before):  # type: ignore[no-untyped-def]
    """(set of findings, whether it acknowledges a segment exactly, when that was sent) of a segment of known length.

    here: the side that sends it; there: the other. round_trip: the initial one, 0 if not known. before: findings so far."""
    found = before
    if not here.marks & HAS_BASE:
        here.base = np.uint32(seq if flags & SYN else (seq - 1) & _ALL)
        here.marks |= np.uint16(HAS_BASE)
    if flags & ACK and not there.marks & HAS_BASE:
        there.base = np.uint32((ack - 1) & _ALL)
        there.marks |= np.uint16(HAS_BASE)
    found |= _forward(here, there, seq, ack, length, flags, window)
    if ack != np.int64(here.ack):
        here.repeats = np.int32(0)
    if flags & ACK and there.most and after(ack, np.int64(there.most)):
        # said once for what is missing: again only when the other side has sent more, or acknowledged more
        if there.most != there.next:
            found |= UNSEEN
            there.most = there.next
        else:
            if there.repeats == 0:
                found |= UNSEEN
            there.repeats = np.int32(-1)
    carries = length > 0 or flags & (SYN | FIN) != 0
    if carries and not found & KEEP_ALIVE:
        threshold = round_trip if round_trip else REORDERED_WITHIN_NS
        found |= _again(here, there, seq, length, flags, time_ns, threshold)
    behind = (seq + length) & _ALL
    if carries and here.count < MOST:
        if flags & (SYN | FIN):
            behind = (behind + 1) & _ALL
        sent(table, here, behind, time_ns)
    if not found & PROBE:
        if not here.next or after(behind, np.int64(here.next)):
            here.next = np.uint32(behind)
            here.next_time = time_ns
        if not here.most or seq == np.int64(here.most):
            here.most = here.next
    here.window, here.ack = np.uint32(window), np.uint32(ack)
    here.ack_time = time_ns
    last = LAST_KEEP_ALIVE if found & KEEP_ALIVE else LAST_PROBE if found & PROBE else 0
    here.marks = np.uint16(np.int64(here.marks) & ~(LAST_KEEP_ALIVE | LAST_PROBE) | last)
    exactly, when = acked(table, there, ack)
    return found, exactly, when
