"""How a TCP connection began and whether it ended: the values of `tcp-handshake`, and when a conversation may be forgotten.

Columns of SYNs and SYN-ACKs wait until the handshake is settled, at most WAIT_NS after the last of them. Times are the packets'
own; what has none (0) lets no time pass.
"""

from __future__ import annotations

import numpy as np

from capture.packets.compiling import borrowing
from capture.packets.conversations.tcp_findings import (
    COMPLETE_VALUE,
    HANDSHAKE,
    INITIAL,
    MID_STREAM_VALUE,
    REFUSED_VALUE,
    UNANSWERED_VALUE,
    say,
)
from capture.packets.conversations.tcp_segments import ACK, FIN, RST, SYN
from capture.packets.conversations.tcp_table import (
    COMPLETE,
    FIN_OF_FIRST,
    FIN_OF_SECOND,
    NOBODY,
    NOT_SEEN,
    OPEN,
    REFUSED,
    RESET,
    SECOND_IS_CLIENT,
    STATE,
    SYN_ANSWERED,
    SYN_SENT,
    UNANSWERED,
    WAITING,
    give_back,
    take_node,
)

SECOND_NS = 1_000_000_000
# The longest pause of Linux between two SYNs of one connection is 64 s
WAIT_NS = 75 * SECOND_NS
# A conversation without a packet for so long is over. Open: keep-alive, two hours and nine probes 75 s apart (RFC 9293, 3.8.4,
# RFC 1122, 4.2.3.6). Closed, refused or never answered: two maximum segment lifetimes (RFC 9293, 3.6.1).
OPEN_NS = (7200 + 9 * 75) * SECOND_NS
CLOSED_NS = 240 * SECOND_NS
MOST_US = 2**40
MOST_WAITING = 10_000  # columns of one conversation: more SYNs of it are unanswered at once


@borrowing()
def passed(time_ns, since, limit):  # type: ignore[no-untyped-def]
    """Whether more than `limit` lies between; times of 0 are not known."""
    return time_ns != 0 and since != 0 and time_ns - since > limit


@borrowing()
def limit_of(head):  # type: ignore[no-untyped-def]
    """How long the conversation may be silent, ns."""
    marks = head.marks
    if marks & RESET or marks & (FIN_OF_FIRST | FIN_OF_SECOND) == (FIN_OF_FIRST | FIN_OF_SECOND):
        return CLOSED_NS
    state = marks & STATE
    if state in (SYN_SENT, SYN_ANSWERED, REFUSED, UNANSWERED):
        return CLOSED_NS
    return OPEN_NS


@borrowing()
def _become(head, state):  # type: ignore[no-untyped-def]
    head.marks = np.uint32(np.int64(head.marks) & ~STATE | state)


@borrowing()
def _wait(table, head, opening, column, time_ns):  # type: ignore[no-untyped-def]
    """One column more waits; False if there are too many."""
    if time_ns:
        opening.since = time_ns
    if opening.waiting_count >= MOST_WAITING:
        return False
    node = take_node(table)
    fresh = table.nodes[node]
    fresh.value, fresh.following = np.int64(column), NOBODY
    if head.waiting == NOBODY:
        head.waiting = node
    else:
        table.nodes[opening.last_waiting].following = node
    opening.last_waiting = node
    opening.waiting_count += np.int32(1)
    table.used[WAITING] += 1
    return True


@borrowing()
def settle(table, head, opening, findings, value):  # type: ignore[no-untyped-def]
    """The columns that wait have this value (-1: none)."""
    node = head.waiting
    if node == NOBODY:
        return
    while value >= 0 and node != NOBODY:
        one = table.nodes[node]
        say(findings, HANDSHAKE, np.uint64(one.value), value)
        node = one.following
    give_back(table, head.waiting, opening.last_waiting)
    table.used[WAITING] -= np.int64(opening.waiting_count)
    head.waiting = NOBODY
    opening.waiting_count = np.int32(0)


@borrowing()
def give_up(table, head, opening, findings):  # type: ignore[no-untyped-def]
    """The handshake has no more time: what waits is settled."""
    if head.waiting == NOBODY:
        return
    answered = head.marks & STATE == SYN_ANSWERED
    settle(table, head, opening, findings, -1 if answered else UNANSWERED_VALUE)
    _become(head, OPEN if answered else UNANSWERED)


@borrowing()
def begun(table, head, opening, findings, column, flags, backward, time_ns):  # type: ignore[no-untyped-def]
    """The first segment of a conversation."""
    if flags & (SYN | ACK | RST) == SYN:
        head.marks |= np.uint32(SYN_SENT | (SECOND_IS_CLIENT if backward else 0))
        _wait(table, head, opening, column, time_ns)
    else:
        say(findings, HANDSHAKE, column, MID_STREAM_VALUE)


@borrowing()
def _syn(table, head, opening, findings, column, acknowledges, from_client, time_ns):  # type: ignore[no-untyped-def]
    state = head.marks & STATE
    if state == COMPLETE:
        say(findings, HANDSHAKE, column, COMPLETE_VALUE)
        return
    if acknowledges and (from_client or state in (REFUSED, UNANSWERED, OPEN)):
        return
    if state in (REFUSED, UNANSWERED):  # it is tried again with the same number
        _become(head, SYN_SENT)
    elif state == OPEN:
        return
    elif acknowledges:
        _become(head, SYN_ANSWERED)
    if not _wait(table, head, opening, column, time_ns) and not acknowledges:
        say(findings, HANDSHAKE, column, UNANSWERED_VALUE)


@borrowing()
def went_on(table, head, opening, findings, column, flags, backward, time_ns):  # type: ignore[no-untyped-def]
    """A later segment of a conversation; the columns that have no more time are settled."""
    state = head.marks & STATE
    if state == NOT_SEEN:
        return
    from_client = (head.marks & SECOND_IS_CLIENT != 0) == (backward != 0)
    if flags & RST:
        if state == SYN_SENT and not from_client:
            settle(table, head, opening, findings, REFUSED_VALUE)
            say(findings, HANDSHAKE, column, REFUSED_VALUE)
            _become(head, REFUSED)
        elif state == SYN_ANSWERED:
            settle(table, head, opening, findings, -1)
            _become(head, OPEN)
    elif flags & SYN:
        _syn(table, head, opening, findings, column, flags & ACK != 0, from_client, time_ns)
    elif flags & ACK:
        if state == SYN_ANSWERED and from_client:
            settle(table, head, opening, findings, COMPLETE_VALUE)
            say(findings, HANDSHAKE, column, COMPLETE_VALUE)
            _become(head, COMPLETE)
            if opening.syn_time and 0 < time_ns - opening.syn_time < MOST_US * 1000:
                say(findings, INITIAL, column, (time_ns - opening.syn_time) // 1000)
        elif state in (SYN_SENT, REFUSED, UNANSWERED):  # so it was answered, unseen
            settle(table, head, opening, findings, -1)
            _become(head, OPEN)


@borrowing()
def note_end(head, flags, backward):  # type: ignore[no-untyped-def]
    """FIN, RST and a SYN that opens it again."""
    if flags & RST:
        head.marks |= np.uint32(RESET)
    elif flags & (SYN | ACK) == SYN:
        head.marks = np.uint32(np.int64(head.marks) & ~(RESET | FIN_OF_FIRST | FIN_OF_SECOND))
    if flags & FIN:
        head.marks |= np.uint32(FIN_OF_SECOND if backward else FIN_OF_FIRST)
