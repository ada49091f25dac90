"""Questions and their answers by a key that both have: DNS queries, ICMP and ICMPv6 echo requests.

The rules are tshark's (DNS: RFC 1035 4.1.1, echo: RFC 792, RFC 4443 4.1), save that an answer after TIMEOUT is none:
- an answer is to the question of its key that was asked last, if that has none yet;
- a DNS query is another transmission of the one before it of the same key, if that has no answer and is at most REPEATED old; the
  time counts from the first, and one answer answers all. Any other question of the same key is new, and ends the one before.
"""

from __future__ import annotations

import numpy as np
from numba import types

from capture.packets.compiling import borrowing, compiled
from capture.packets.conversations import requests_rows as row
from capture.packets.conversations.requests_found import (
    DNS_RTT,
    DNS_UNANSWERED,
    ICMP_RTT,
    ICMP_UNANSWERED,
    microseconds,
    tell,
)
from capture.packets.conversations.requests_table import (
    CLOCK,
    COLUMN,
    NO_ENTRY,
    STATE,
    TABLE,
    Table,
    add,
    find,
    first_alive,
    is_too_much,
    kill,
    remade,
)
from capture.packets.fast.out import OUT

TIMEOUT = 60 * 10**9  # nanoseconds
REPEATED = 5 * 10**9

# More words of an entry. BEFORE: 1 + the number of the transmission before, 0: it is the first. INFO: sequence number << 32 |
# 1 for TCP << 8 | field of `unanswered`. SAID: 1 if it is said of its packet that a question in it has no answer: entries of one
# packet, which over TCP holds as many as it likes, stand side by side.
TIME, BEFORE, INFO, SAID = 5, 6, 7, 8
OPEN, ANSWERED = 1, 2  # ANSWERED is kept for TCP alone: its segments may come again


@borrowing()
def _is_late(table, number, now):  # type: ignore[no-untyped-def]
    return now - np.int64(table.rows[number, CLOCK]) > TIMEOUT


@compiled()
def _unanswered(table, number, found):  # type: ignore[no-untyped-def]
    """Says it of the packet, once."""
    column = table.rows[number, COLUMN]
    if table.rows[number, SAID]:
        return found
    at = number
    while at >= 0 and table.rows[at, COLUMN] == column:
        table.rows[at, SAID] = 1
        at -= 1
    at = number + 1
    while at < table.used[0] and table.rows[at, COLUMN] == column:
        table.rows[at, SAID] = 1
        at += 1
    return tell(found, table.rows[number, INFO] & np.uint64(0xFF), column, 0)


@compiled()
def _give_up(table, number, found):  # type: ignore[no-untyped-def]
    """No answer comes to any transmission."""
    while number >= 0:
        if table.rows[number, STATE] == OPEN:
            found = _unanswered(table, number, found)
        before = np.int64(table.rows[number, BEFORE]) - 1
        kill(table, number)
        number = before
    return found


@compiled(types.Tuple((TABLE, OUT))(TABLE, types.int64, types.boolean, OUT))
def settle(table, now, all_, found):  # type: ignore[no-untyped-def]
    """Gives up what is late at `now`, or all."""
    while True:
        number = first_alive(table)
        if number == table.used[0] or not (all_ or _is_late(table, number, now)):
            return table, found
        if table.rows[number, STATE] == OPEN:
            found = _unanswered(table, number, found)
        kill(table, number)


@compiled()
def question(table, words, now, found):  # type: ignore[no-untyped-def]
    """There must be room for one entry."""
    kind = np.int64(words[row.WHAT] & np.uint64(0xFF))
    tcp = words[row.WHAT] >> np.uint64(16)
    seq = words[row.PLACE] >> np.uint64(32)
    time_ns, clock, before = words[row.TIME], now, np.int64(NO_ENTRY)
    last = find(table, words[row.KEY], words[row.KEY2])
    if last != NO_ENTRY and not _is_late(table, last, now):
        if tcp and table.rows[last, INFO] >> np.uint64(32) == seq:
            return found  # the same segment again
        if table.rows[last, STATE] == OPEN and kind == row.DNS_QUERY:
            age = np.int64(words[row.TIME]) - np.int64(table.rows[last, TIME])
            if age < REPEATED:
                time_ns, clock, before = table.rows[last, TIME], np.int64(table.rows[last, CLOCK]), last
    if last != NO_ENTRY and before == NO_ENTRY:
        found = _give_up(table, last, found)
    number = add(table, words[row.KEY], words[row.KEY2])
    entry = table.rows[number]
    entry[COLUMN] = words[row.COLUMN]
    if number and table.rows[number - 1, COLUMN] == words[row.COLUMN]:
        entry[SAID] = table.rows[number - 1, SAID]
    entry[TIME] = time_ns
    entry[CLOCK] = np.uint64(clock)
    entry[BEFORE] = np.uint64(before + 1)
    entry[INFO] = seq << np.uint64(32) | tcp << np.uint64(8)
    entry[INFO] |= np.uint64(DNS_UNANSWERED if kind == row.DNS_QUERY else ICMP_UNANSWERED)
    entry[STATE] = OPEN
    return found


@compiled()
def answer(table, words, now, first, found):  # type: ignore[no-untyped-def]
    """first: whether its packet has no time yet, of another answer."""
    last = find(table, words[row.KEY], words[row.KEY2])
    if last == NO_ENTRY or table.rows[last, STATE] != OPEN or _is_late(table, last, now):
        return found
    took = microseconds(np.int64(table.rows[last, TIME]), np.int64(words[row.TIME]))
    if took >= 0 and first:
        dns = np.int64(words[row.WHAT] & np.uint64(0xFF)) == row.DNS_RESPONSE
        found = tell(found, DNS_RTT if dns else ICMP_RTT, words[row.COLUMN], took)
    tcp = table.rows[last, INFO] >> np.uint64(8) & np.uint64(1)
    number = last
    while number >= 0:
        before = np.int64(table.rows[number, BEFORE]) - 1
        if tcp and number == last:
            table.rows[number, STATE] = ANSWERED
            table.rows[number, BEFORE] = 0
        else:
            kill(table, number)
        number = before
    return found


@compiled(types.Tuple((TABLE, OUT))(TABLE, types.int64, types.int64, OUT))
def with_room(table, now, most, found):  # type: ignore[no-untyped-def]
    """A full table with room for one entry, of `most` entries at most; what is late is given up first, then the oldest."""
    table, found = settle(table, now, False, found)
    while is_too_much(table, most):
        number = first_alive(table)
        if table.rows[number, STATE] == OPEN:
            found = _unanswered(table, number, found)
        kill(table, number)
        table.used[3] += 1
    table, moved = remade(table)
    for number in range(table.used[0]):
        before = np.int64(table.rows[number, BEFORE])
        if before > 0:
            table.rows[number, BEFORE] = np.uint64(moved[before - 1] + 1)
    return table, found


@compiled(types.int64(TABLE))
def waiting(table):  # type: ignore[no-untyped-def]
    """The least column of what is open, -1: none is."""
    for number in range(first_alive(table), table.used[0]):
        if table.rows[number, STATE] == OPEN:
            return np.int64(table.rows[number, COLUMN])
    return np.int64(-1)


def check(table: Table) -> None:
    """Raises ValueError if transmissions refer to what is not before them."""
    before = table.rows[: int(table.used[0]), BEFORE]
    if (before > np.arange(len(before), dtype=np.uint64)).any():
        raise ValueError("asked: a transmission refers to none")
