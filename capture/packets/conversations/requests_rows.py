"""Rows: what states need of a packet's messages. One row a message, and one where a packet opens or ends a TCP connection."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from capture.packets.compiling import borrowing, compiled, inlined
from capture.packets.fast.headers.scratch import u32, u64
from capture.packets.fast.interning import mixed

# Words of a row. CLOCK: the latest time of all packets of the batch up to this one. PLACE: sequence number of the message's first
# byte << 32 | acknowledgement number (TCP; of others 0). WHAT: value << 16 | side << 8 | kind.
COLUMN, TIME, CLOCK, KEY, KEY2, PLACE, WHAT = range(7)
WIDTH = 7

# Kinds. Of a question and its answer the key is the same, and of all rows of a TCP connection.
(
    DNS_QUERY,  # value: 1 over TCP
    DNS_RESPONSE,
    ECHO_REQUEST,
    ECHO_REPLY,
    HTTP_REQUEST,
    HTTP_RESPONSE,  # value: status code
    TLS_RECORDS,  # value: bits, see conversations.tls
    OPENED,  # SYN without ACK
    ENDED,  # FIN or RST
) = range(1, 10)


class Rows(NamedTuple):
    """words: uint64 (capacity, WIDTH). used: int64 (1,)."""

    words: NDArray[np.uint64]
    used: NDArray[np.int64]


def make_rows(capacity: int) -> Rows:
    """Room for so many; `with_room` makes more."""
    return Rows(np.empty((max(capacity, 16), WIDTH), np.uint64), np.zeros(1, np.int64))


ROWS = numba.typeof(make_rows(1))


@compiled()
def with_room(rows, more):  # type: ignore[no-untyped-def]
    """`rows`, or larger ones with the same contents: with room for so many more."""
    have = rows.used[0] + more
    if have <= len(rows.words):
        return rows
    words = np.empty((max(have, 2 * len(rows.words)), WIDTH), np.uint64)
    words[: rows.used[0]] = rows.words[: rows.used[0]]
    return Rows(words, rows.used)


@inlined()
def put(rows, column, time_ns, clock, key, key2, place, kind, side, value):  # type: ignore[no-untyped-def]
    """One more row. side: 1 if the sender is the second end of the conversation (see `ends`)."""
    at = rows.used[0]
    rows.words[at, COLUMN] = np.uint64(column)
    rows.words[at, TIME] = np.uint64(time_ns)
    rows.words[at, CLOCK] = np.uint64(clock)
    rows.words[at, KEY] = key
    rows.words[at, KEY2] = key2
    rows.words[at, PLACE] = place
    rows.words[at, WHAT] = np.uint64(value) << np.uint64(16) | np.uint64(side) << np.uint64(8) | np.uint64(kind)
    rows.used[0] = at + 1


@inlined()
def _chained(key, word):  # type: ignore[no-untyped-def]
    return mixed(key * np.uint64(0x9E3779B97F4A7C15) + word + np.uint64(1))


@borrowing()
def ends(data, network_at, source, destination, vlans, protocol):  # type: ignore[no-untyped-def]
    """Who speaks with whom: (key, key2, side, alike) of the IP header at `network_at` and ports. key and key2 are 128 bits of
    hash, the same in both directions; side is 0 if the lower end (by address, then port) sent it, or if both are alike."""
    if data[network_at] >> 4 == 4:
        here_high = there_high = np.uint64(0)
        here_low, there_low = np.uint64(u32(data, network_at + 12)), np.uint64(u32(data, network_at + 16))
        family = np.uint64(4)
    else:
        here_high, here_low = u64(data, network_at + 8), u64(data, network_at + 16)
        there_high, there_low = u64(data, network_at + 24), u64(data, network_at + 32)
        family = np.uint64(6)
    here_port, there_port = np.uint64(source), np.uint64(destination)
    side, alike = np.int64(0), False
    if here_high == there_high and here_low == there_low and here_port == there_port:
        alike = True
    elif here_high > there_high or (
        here_high == there_high and (here_low > there_low or (here_low == there_low and here_port > there_port))
    ):
        side = np.int64(1)
        here_high, there_high = there_high, here_high
        here_low, there_low = there_low, here_low
        here_port, there_port = there_port, here_port
    word = family << np.uint64(40) | np.uint64(protocol) << np.uint64(32) | here_port << np.uint64(16) | there_port
    key = mixed(vlans ^ word)
    key2 = mixed(key ^ np.uint64(0xD1B54A32D192ED03))
    for part in (here_high, here_low, there_high, there_low):
        key = _chained(key, part)
        key2 = _chained(key2 ^ np.uint64(0x8CB92BA72F3D8DD7), part)
    return key, key2, side, alike


@inlined()
def narrowed(key, key2, word):  # type: ignore[no-untyped-def]
    """The key of one exchange in a conversation: `word` tells exchanges apart."""
    return _chained(key, np.uint64(word)), _chained(key2, np.uint64(word) ^ np.uint64(0xD1B54A32D192ED03))


@inlined()
def asker(side, alike, answers):  # type: ignore[no-untyped-def]
    """The side that asks, of a question or (answers) an answer."""
    return np.int64(0) if alike else (1 - side if answers else side)
