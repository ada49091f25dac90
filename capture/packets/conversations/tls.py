"""How TLS handshakes end, from the records at the beginning of segments (RFC 5246, RFC 8446).

A handshake begins with a ClientHello and is `complete` once both sides sent protected data: a record of application data, or a
handshake record behind their ChangeCipherSpec (the Finished of TLS 1.2 and before). It is `broken-off` if before that either side
sends a fatal or an encrypted alert, FIN or RST, or opens the connection anew, or TIMEOUT passes, or the capture ends.

- A second ClientHello of a handshake that a server answered (HelloRetryRequest) is a part of it; without any answer, or when the
  one before has ended, it begins a new one (and the old one is broken off). The same segment again is nothing new.
- In TLS 1.3 the alert of a client that declines goes as application data. A first record of application data that is too short
  for a Finished (SHORTEST bytes) is taken for it.
- Records are read where a segment begins with one, and those whole behind it. What begins inside of a segment, behind the rest of
  a record, is not seen: of a side that sends protected data a later segment will begin with a record.
- SSL 2.0's ClientHello counts as one.
"""

from __future__ import annotations

import numpy as np
from numba import types

from capture.packets.compiling import borrowing, compiled
from capture.packets.conversations import requests_rows as row
from capture.packets.conversations.requests_found import TLS_HANDSHAKE, tell
from capture.packets.conversations.requests_table import (
    CLOCK,
    COLUMN,
    NO_ENTRY,
    STATE,
    TABLE,
    add,
    find,
    first_alive,
    is_too_much,
    kill,
    remade,
)
from capture.packets.declarations.conversations import TLS_OUTCOME as WAYS
from capture.packets.fast.headers.scratch import u16
from capture.packets.fast.out import OUT

TIMEOUT = 60 * 10**9  # nanoseconds
SHORTEST = 20  # bytes of a record of TLS 1.3: an alert has 2 + 1 + 16, a Finished 4 + 32 + 1 + 8 at least
_LONGEST = 2**14 + 2048
COMPLETE, BROKEN_OFF = WAYS.index("complete"), WAYS.index("broken-off")

# What a segment holds, as bits: hellos; handshake records before and behind a ChangeCipherSpec, and that; application data, and
# whether its first record is too short; alerts.
CLIENT_HELLO, SERVER_HELLO, BEFORE, CHANGED, BEHIND, DATA, SHORT, ALERT = (1 << bit for bit in range(8))

# More words of an entry. PLACE: sequence number of the ClientHello. SIDES: bits of what was seen, and the client's side.
PLACE, SIDES = 5, 6
OPEN, ENDED = 1, 2
_CLIENT, _ANSWERED = 1, 2  # which side asked; the server sent a hello
_CHANGED, _PROTECTED = 4, 16  # shifted by the side


@borrowing()
def _is_hello(data, at, end, kind):  # type: ignore[no-untyped-def]
    """Whether the handshake message at `at` is an unencrypted hello: of the right length and a version."""
    if at + 6 > end or data[at] != kind or data[at + 1] > 1:
        return False
    return data[at + 4] == 3 and data[at + 5] <= 4


@borrowing()
def records_of(data, at, end):  # type: ignore[no-untyped-def]
    """The bits of the records in data[at:end]; 0 where there is nothing to know."""
    if end - at >= 3 and data[at] & 0x80 and data[at + 2] == 1:
        return np.int64(CLIENT_HELLO)
    bits = np.int64(0)
    while at + 5 <= end:
        kind, length = data[at], u16(data, at + 3)
        if kind < 20 or kind > 24 or data[at + 1] != 3 or data[at + 2] > 4 or length == 0 or length > _LONGEST:
            break
        if kind == 22:
            if _is_hello(data, at + 5, end, 1):
                bits |= CLIENT_HELLO
            elif _is_hello(data, at + 5, end, 2):
                bits |= SERVER_HELLO
            else:
                bits |= BEHIND if bits & CHANGED else BEFORE
        elif kind == 20:
            bits |= CHANGED
        elif kind == 23:
            if not bits & DATA and length < SHORTEST:
                bits |= SHORT
            bits |= DATA
        elif kind == 21 and (length != 2 or (at + 6 <= end and data[at + 5] == 2)):
            bits |= ALERT
        at += 5 + length
    return bits


@borrowing()
def _is_late(table, number, now):  # type: ignore[no-untyped-def]
    return now - np.int64(table.rows[number, CLOCK]) > TIMEOUT


@compiled()
def _end(table, number, way, found):  # type: ignore[no-untyped-def]
    """The handshake ended, if it had not yet. The entry stays: its segments may come again."""
    if table.rows[number, STATE] == OPEN:
        found = tell(found, TLS_HANDSHAKE, table.rows[number, COLUMN], way)
        table.rows[number, STATE] = ENDED
    return found


@compiled(types.Tuple((TABLE, OUT))(TABLE, types.int64, types.boolean, OUT))
def settle(table, now, all_, found):  # type: ignore[no-untyped-def]
    """Ends what is late at `now`, or all."""
    while True:
        number = first_alive(table)
        if number == table.used[0] or not (all_ or _is_late(table, number, now)):
            return table, found
        found = _end(table, number, BROKEN_OFF, found)
        kill(table, number)


@compiled()
def take(table, words, now, found):  # type: ignore[no-untyped-def]
    """A row of kind TLS_RECORDS, OPENED or ENDED. There must be room for one entry."""
    what = words[row.WHAT]
    kind, side, bits = (
        np.int64(what & np.uint64(0xFF)),
        np.int64(what >> np.uint64(8) & np.uint64(1)),
        np.int64(what >> np.uint64(16)),
    )
    number = find(table, words[row.KEY], words[row.KEY2])
    if number != NO_ENTRY and _is_late(table, number, now):
        found = _end(table, number, BROKEN_OFF, found)
        kill(table, number)
        number = np.int64(NO_ENTRY)
    if kind != row.TLS_RECORDS:
        if number != NO_ENTRY:
            found = _end(table, number, BROKEN_OFF, found)
            if kind == row.OPENED:
                kill(table, number)
        return found
    if bits & CLIENT_HELLO:
        place = words[row.PLACE] >> np.uint64(32)
        if number != NO_ENTRY:
            sides = np.int64(table.rows[number, SIDES])
            if table.rows[number, PLACE] == place and sides & _CLIENT == side:
                return found
            if table.rows[number, STATE] == OPEN and sides & _ANSWERED:
                return found
            found = _end(table, number, BROKEN_OFF, found)
            kill(table, number)
        number = add(table, words[row.KEY], words[row.KEY2])
        table.rows[number, COLUMN] = words[row.COLUMN]
        table.rows[number, CLOCK] = np.uint64(now)
        table.rows[number, PLACE] = place
        table.rows[number, SIDES] = np.uint64(side)
        table.rows[number, STATE] = OPEN
        bits &= ~CLIENT_HELLO
    if number == NO_ENTRY or table.rows[number, STATE] != OPEN:
        return found
    sides = np.int64(table.rows[number, SIDES])
    if bits & SERVER_HELLO and sides & _CLIENT != side:
        sides |= _ANSWERED
    protected = bool(bits & BEHIND) or bool(bits & BEFORE and sides & _CHANGED << side)
    if bits & DATA:
        if bits & SHORT and not protected and not sides & _PROTECTED << side and sides & _CLIENT == side:
            bits |= ALERT
        else:
            protected = True
    if bits & CHANGED:
        sides |= _CHANGED << side
    if protected:
        sides |= _PROTECTED << side
    table.rows[number, SIDES] = np.uint64(sides)
    if sides & _PROTECTED and sides & _PROTECTED << 1:
        return _end(table, number, COMPLETE, found)
    if bits & ALERT:
        return _end(table, number, BROKEN_OFF, found)
    return found


@compiled(types.Tuple((TABLE, OUT))(TABLE, types.int64, types.int64, OUT))
def with_room(table, now, most, found):  # type: ignore[no-untyped-def]
    """A full table with room for one entry, of `most` entries at most; what is late ends first, then the oldest."""
    table, found = settle(table, now, False, found)
    while is_too_much(table, most):
        number = first_alive(table)
        found = _end(table, number, BROKEN_OFF, found)
        kill(table, number)
        table.used[3] += 1
    table, _ = remade(table)
    return table, found


@compiled(types.int64(TABLE))
def waiting(table):  # type: ignore[no-untyped-def]
    """The least column of what is open, -1: none is."""
    for number in range(first_alive(table), table.used[0]):
        if table.rows[number, STATE] == OPEN:
            return np.int64(table.rows[number, COLUMN])
    return np.int64(-1)
