"""HTTP/1.x requests and their responses on a TCP connection (RFC 9112, 9.3).

A response answers the oldest request that has none yet (tshark 4.0: the latest). Where answers were not captured or not
recognised, requests and responses would go on out of step; sequence numbers say better:
- a request whose acknowledgement number is where the response begins was sent when all before was answered: older ones had their
  responses, unseen;
- a request that acknowledges more than where the response begins came later than it, and is not answered by it.

Responses 1xx but 101 are interim and answer nothing (RFC 9110, 15.2). What has the sequence number of an earlier message, or one
before it, is the same segment again. A response TIMEOUT after its request is none, and a connection that was silent for so long
begins anew, as with a SYN.
"""

from __future__ import annotations

import numpy as np
from numba import types

from capture.packets.compiling import borrowing, compiled
from capture.packets.conversations import requests_rows as row
from capture.packets.conversations.requests_found import HTTP_RESPONSE, HTTP_STATUS, microseconds, tell
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
    is_full,
    is_too_much,
    kill,
    remade,
)

TIMEOUT = 300 * 10**9  # nanoseconds
_SAID = 4  # different codes that the requests of one packet may get

# Connections are entries of one table. COLUMN: 1 + the column whose requests got the codes in STATUSES (16 bits each).
# CLOCK: of the last message. REQUESTED, RESPONDED: sequence number of the last message << 1 | 1; 0: none yet.
# TOLD: 1 + the last column that got a time.
HEAD, REQUESTED, RESPONDED, STATUSES, TOLD = 5, 6, 7, 8, 9
# Requests are entries of another, whose keys say nothing (KEY: the number). ACK: acknowledgement number. NEXT: 1 + the number of
# the connection's next request. HEAD, LATEST: of a connection, 1 + the number of its oldest and its latest request, 32 bits each.
TIME, ACK, NEXT = 5, 6, 7
OPEN = 1


@borrowing()
def _after(one, other):  # type: ignore[no-untyped-def]
    """How far sequence number `one` is behind `other` (RFC 9293, 3.4)."""
    return ((np.int64(one) - np.int64(other) + 2**31) & 0xFFFFFFFF) - 2**31


@borrowing()
def _is_late(table, number, now):  # type: ignore[no-untyped-def]
    return now - np.int64(table.rows[number, CLOCK]) > TIMEOUT


@borrowing()
def _head(connections, at):  # type: ignore[no-untyped-def]
    return np.int64(connections.rows[at, HEAD] & np.uint64(0xFFFFFFFF)) - 1


@borrowing()
def _latest(connections, at):  # type: ignore[no-untyped-def]
    return np.int64(connections.rows[at, HEAD] >> np.uint64(32)) - 1


@borrowing()
def _set_ends(connections, at, head, latest):  # type: ignore[no-untyped-def]
    connections.rows[at, HEAD] = np.uint64(latest + 1) << np.uint64(32) | np.uint64(head + 1)


@borrowing()
def _forget(connections, requests, at, until):  # type: ignore[no-untyped-def]
    """Takes the connection's requests before `until` (-1: all) out."""
    number = _head(connections, at)
    while number >= 0 and number != until:
        following = np.int64(requests.rows[number, NEXT]) - 1
        kill(requests, number)
        number = following
    _set_ends(connections, at, number, _latest(connections, at) if number >= 0 else np.int64(-1))


@borrowing()
def _connection(connections, requests, key, key2, now):  # type: ignore[no-untyped-def]
    """The connection's entry, NO_ENTRY if it is not known or was silent for too long."""
    at = find(connections, key, key2)
    if at != NO_ENTRY and _is_late(connections, at, now):
        _forget(connections, requests, at, -1)
        kill(connections, at)
        return np.int64(NO_ENTRY)
    return at


@borrowing()
def opened(connections, requests, words, now):  # type: ignore[no-untyped-def]
    """A SYN: whatever the connection was before, it is another one."""
    for side in range(2):
        key, key2 = row.narrowed(words[row.KEY], words[row.KEY2], side)
        at = find(connections, key, key2)
        if at != NO_ENTRY:
            _forget(connections, requests, at, -1)
            kill(connections, at)


@borrowing()
def request(connections, requests, words, now):  # type: ignore[no-untyped-def]
    """There must be room for one entry in both tables."""
    side = words[row.WHAT] >> np.uint64(8) & np.uint64(1)
    seq, ack = words[row.PLACE] >> np.uint64(32), words[row.PLACE] & np.uint64(0xFFFFFFFF)
    key, key2 = row.narrowed(words[row.KEY], words[row.KEY2], side)
    at = _connection(connections, requests, key, key2, now)
    if at == NO_ENTRY:
        at = add(connections, key, key2)
        connections.rows[at, STATE] = OPEN
    elif connections.rows[at, REQUESTED] and _after(seq, connections.rows[at, REQUESTED] >> np.uint64(1)) <= 0:
        return
    connections.rows[at, REQUESTED] = seq << np.uint64(1) | np.uint64(1)
    connections.rows[at, CLOCK] = np.uint64(now)
    number = add(requests, np.uint64(requests.used[0]), np.uint64(0))
    entry = requests.rows[number]
    entry[COLUMN] = words[row.COLUMN]
    entry[TIME] = words[row.TIME]
    entry[CLOCK] = np.uint64(now)
    entry[ACK] = ack
    entry[STATE] = OPEN
    latest = _latest(connections, at)
    if latest >= 0:
        requests.rows[latest, NEXT] = np.uint64(number + 1)
        _set_ends(connections, at, _head(connections, at), number)
    else:
        _set_ends(connections, at, number, number)


@borrowing()
def _answered(connections, requests, at, begin, now):  # type: ignore[no-untyped-def]
    """The request that a response which begins at sequence number `begin` answers, -1: none that is known."""
    number = _head(connections, at)
    while number >= 0 and _is_late(requests, number, now):
        number = np.int64(requests.rows[number, NEXT]) - 1
    oldest = number
    while number >= 0:
        ahead = _after(requests.rows[number, ACK], begin)
        if ahead == 0:
            return number
        if ahead > 0:
            break
        number = np.int64(requests.rows[number, NEXT]) - 1
    return oldest if oldest != number else np.int64(-1)


@compiled()
def response(connections, requests, words, now, found):  # type: ignore[no-untyped-def]
    what = words[row.WHAT]
    side, status = np.uint64(1) - (what >> np.uint64(8) & np.uint64(1)), what >> np.uint64(16)
    seq = words[row.PLACE] >> np.uint64(32)
    key, key2 = row.narrowed(words[row.KEY], words[row.KEY2], side)
    at = _connection(connections, requests, key, key2, now)
    if at == NO_ENTRY:
        return found
    if connections.rows[at, RESPONDED] and _after(seq, connections.rows[at, RESPONDED] >> np.uint64(1)) <= 0:
        return found
    connections.rows[at, RESPONDED] = seq << np.uint64(1) | np.uint64(1)
    connections.rows[at, CLOCK] = np.uint64(now)
    if status // np.uint64(100) == 1 and status != 101:
        return found
    number = _answered(connections, requests, at, seq, now)
    if number < 0:
        return found
    _forget(connections, requests, at, number)
    column = requests.rows[number, COLUMN]
    took = microseconds(np.int64(requests.rows[number, TIME]), np.int64(words[row.TIME]))
    _forget(connections, requests, at, np.int64(requests.rows[number, NEXT]) - 1)
    # of several responses in one packet the first has the field
    if took >= 0 and connections.rows[at, TOLD] != words[row.COLUMN] + np.uint64(1):
        connections.rows[at, TOLD] = words[row.COLUMN] + np.uint64(1)
        found = tell(found, HTTP_RESPONSE, words[row.COLUMN], took)
    return _tell_status(connections, at, column, status, found)


@compiled()
def _tell_status(connections, at, column, status, found):  # type: ignore[no-untyped-def]
    """Each code once a column: several requests of one packet may get the same."""
    if connections.rows[at, COLUMN] != column + np.uint64(1):
        connections.rows[at, COLUMN] = column + np.uint64(1)
        connections.rows[at, STATUSES] = 0
    said = connections.rows[at, STATUSES]
    for k in range(_SAID):
        one = said >> np.uint64(16 * k) & np.uint64(0xFFFF)
        if one == status:
            return found
        if one == 0:
            connections.rows[at, STATUSES] = said | status << np.uint64(16 * k)
            return tell(found, HTTP_STATUS, column, status)
    return found


@compiled(types.void(TABLE, TABLE, types.int64))
def purge(connections, requests, now):  # type: ignore[no-untyped-def]
    """Forgets the requests and connections that are late at `now`."""
    for at in range(connections.used[0]):
        if connections.rows[at, STATE] != OPEN:
            continue
        if _is_late(connections, at, now):
            _forget(connections, requests, at, -1)
            kill(connections, at)
            continue
        number = _head(connections, at)
        if number >= 0 and _is_late(requests, number, now):
            while number >= 0 and _is_late(requests, number, now):
                number = np.int64(requests.rows[number, NEXT]) - 1
            _forget(connections, requests, at, number)


@borrowing()
def _forget_oldest(connections, requests, most):  # type: ignore[no-untyped-def]
    """The connections and requests that were first, until there is room."""
    while is_full(connections) and is_too_much(connections, most):
        at = first_alive(connections)
        _forget(connections, requests, at, -1)
        kill(connections, at)
        connections.used[3] += 1
    if not (is_full(requests) and is_too_much(requests, most)):
        return
    # A request does not know its connection: all before the first one that stays
    stays = first_alive(requests)
    left = requests.used[2]
    while 2 * left > most:
        if requests.rows[stays, STATE] == OPEN:
            left -= 1
        stays += 1
    requests.used[3] += requests.used[2] - left
    for at in range(connections.used[0]):
        number = _head(connections, at)
        if connections.rows[at, STATE] == OPEN and 0 <= number < stays:
            while 0 <= number < stays:
                number = np.int64(requests.rows[number, NEXT]) - 1
            _forget(connections, requests, at, number)


@compiled(types.Tuple((TABLE, TABLE))(TABLE, TABLE, types.int64, types.int64))
def with_room(connections, requests, now, most):  # type: ignore[no-untyped-def]
    """Both tables, one or both of them full, with room for one entry each, of `most` entries each at most; what is late is
    forgotten first, then the oldest."""
    purge(connections, requests, now)
    _forget_oldest(connections, requests, most)
    if is_full(connections):
        connections, _ = remade(connections)
    if is_full(requests):
        requests, moved = remade(requests)
        for number in range(requests.used[0]):
            following = np.int64(requests.rows[number, NEXT]) - 1
            if following >= 0:
                requests.rows[number, NEXT] = np.uint64(moved[following] + 1)
        for at in range(connections.used[0]):
            head = _head(connections, at)
            if connections.rows[at, STATE] == OPEN and head >= 0:
                _set_ends(connections, at, moved[head], moved[_latest(connections, at)])
    return connections, requests


@compiled(types.int64(TABLE))
def waiting(requests):  # type: ignore[no-untyped-def]
    """The least column of a request without a response, -1: there is none."""
    number = first_alive(requests)
    return np.int64(requests.rows[number, COLUMN]) if number < requests.used[0] else np.int64(-1)


def check(connections: Table, requests: Table) -> None:
    """Raises ValueError if a connection's requests are none, or go round."""
    heads, following = connections.rows[: int(connections.used[0]), HEAD], requests.rows[: int(requests.used[0]), NEXT]
    own = np.arange(1, len(following) + 1, dtype=np.uint64)
    if ((following != 0) & ((following <= own) | (following > len(own)))).any():
        raise ValueError("requests: one is followed by none that comes later")
    if (np.concatenate([heads & np.uint64(0xFFFFFFFF), heads >> np.uint64(32)]) > len(own)).any():
        raise ValueError("connections: a request that is none")
