"""The compiled recogniser for batches: `kind_of` for every payload, and the names of the ports of those that nobody recognises.

Most payloads are encrypted, or the middle of something. Some bytes of each are looked at first, without a branch (mispredicted
ones would cost more than all the rest), which decides most; the others are asked about in groups of the same sort.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numba import types
from numpy.typing import NDArray

from capture.packets.compiling import borrowing, compiled, inlined
from capture.packets.fast.out import DATA, PAYLOADS, TCP, UDP, UDPLITE, Payloads
from capture.packets.fast.prefetch import prefetch
from capture.packets.fast.recognise.http import TOKEN
from capture.packets.fast.recognise.kinds import kind
from capture.packets.fast.recognise.payload import kind_of, port_of
from capture.packets.fast.recognise.ports import CHECKED, PORTS, port
from capture.packets.recognise.dns import MOST_QUESTIONS

# What a look decides (see `_look`): the kind of the payload, or the group of payloads that it is asked with.
_NOTHING, _IS_TLS, _SHORT, _TCP_TEXT, _TCP, _TCP_PORT, _UDP_TEXT, _UDP, _DNS, _AT_PORT = range(10)
_GROUPS = _AT_PORT + len(CHECKED) + 1
_BLOCK = 1024  # packets looked at before groups are asked: few enough that their bytes stay near
_AHEAD = 16  # packets, whose bytes are asked for before they are looked at
_LEAST = 16  # bytes of a payload that a look may need
_TLS = kind("TLS")

# Patterns: what some bytes may take for each bit; the others may be anything. They let through all that the checks take.
_TEXT, _RECORD, _MARK, _COOKIE, _HELLO, _HEADER, _DATAGRAM, _GOOGLE, _MESSAGE = (1 << bit for bit in range(9))
_OVER_TCP, _OVER_UDP = _MARK | _COOKIE | _HELLO, _COOKIE | _HEADER | _DATAGRAM | _GOOGLE
_METHOD = set(np.flatnonzero(TOKEN).tolist())
_PATTERNS: dict[int, dict[int, Collection[int]]] = {
    _TEXT: {0: _METHOD, 1: _METHOD | {0x20}},
    _RECORD: {0: range(21, 25), 1: {3}, 2: range(5)},  # TLS, with a length
    _MARK: {0: {5, 19, 20, 0xFF}, 1: {0x64, 0x42, 3, 0xFF}},  # DNP3, BitTorrent, TLS's change cipher spec, BGP
    _COOKIE: {0: range(0x40), 4: {0x21, 0xFD, 0xFE, 0xFF}},  # STUN, SMB
    _HELLO: {0: range(0x80, 0x100), 2: {1}},  # SSL 2.0
    # QUIC's versions (drafts, Google's, Facebook's, 1, 2); DTLS
    _HEADER: {0: {*range(20, 26), *range(0x80, 0x100)}, 1: {0xFF, 0x51, 0x54, 0xFA, 0, 0x6B, 0xFE, 1}},
    _DATAGRAM: {0: {1, 2, 0x30}},  # DHCP, SNMP
    _GOOGLE: {0: [first for first in range(256) if first & 0x89 == 0x09], 9: {0x51}},
    _MESSAGE: {4: {0}, 5: range(MOST_QUESTIONS + 1)},  # DNS
}


def _fits(byte: int) -> NDArray[np.uint16]:
    """By the value of this byte of a payload, the patterns that it fits."""
    table = np.zeros(256, np.uint16)
    for bit, pattern in _PATTERNS.items():
        table[list(pattern.get(byte, range(256)))] |= bit
    return table


_FIRST, _SECOND, _THIRD, _FIFTH, _SIXTH, _TENTH = (_fits(byte) for byte in (0, 1, 2, 4, 5, 9))

# Where a payload is: bits of its situation, beside its transport and its port's number.
_HAS, _WHOLE = 1, 2
_ANYWHERE, _CHECKED_PORT, _TCP_PORT_ONLY = 0, 1, 2
_PORT = np.zeros(256, np.uint8)
_PORT[1 : len(CHECKED) + 1] = _CHECKED_PORT
_PORT[[port("DNS"), port("SSH")]] = _TCP_PORT_ONLY


def _decided(transport: int, of_port: int, size: int, fits: int) -> int:
    """The group of a payload. Of ports with a check of their own it is _AT_PORT and the port's number."""
    if not size & _HAS:
        return _NOTHING
    if of_port == _CHECKED_PORT:
        return _AT_PORT
    if not size & _WHOLE:
        return _SHORT
    if transport == TCP:
        if fits & _RECORD:
            return _IS_TLS
        if of_port == _TCP_PORT_ONLY:
            return _TCP_PORT
        return _TCP_TEXT if fits & _TEXT else _TCP if fits & _OVER_TCP else _NOTHING
    if transport in (UDP, UDPLITE):
        return _UDP_TEXT if fits & _TEXT else _UDP if fits & _OVER_UDP else _DNS if fits & _MESSAGE else _NOTHING
    return _NOTHING


# by transport, kind of port, size, and the patterns that fit
_DECIDED = np.array([_decided(n >> 13, n >> 11 & 3, n >> 9 & 3, n & 511) for n in range(8 << 13)], np.uint8)


@inlined()
def _look(data, at, end, transport, by_port):  # type: ignore[no-untyped-def]
    """What a payload is, or the group it is asked with. `data` has to have _LEAST bytes.

    There is not one branch. Payloads of fewer than _LEAST bytes are not read; data[0:] is, and not used.
    """
    has, whole = at < end, end - at >= _LEAST
    safe = np.uint64(at) * np.uint64(whole)  # unsigned: numba then leaves out what makes negative indices count from the end
    fifth = data[safe + np.uint64(4)]
    length = np.uint64(data[safe + np.uint64(3)]) << np.uint64(8) | np.uint64(fifth)
    fits = _FIRST[data[safe]] & _SECOND[data[safe + np.uint64(1)]] & _THIRD[data[safe + np.uint64(2)]]
    fits &= _FIFTH[fifth] & _SIXTH[data[safe + np.uint64(5)]] & _TENTH[data[safe + np.uint64(9)]]
    fits &= np.uint16(0xFFFF ^ _RECORD) | np.uint16(length - np.uint64(1) < np.uint64(2**14 + 2048)) * np.uint16(_RECORD)
    of_port = np.uint64(_PORT[by_port])
    where = np.uint64(transport & np.uint8(7)) << np.uint64(13) | of_port << np.uint64(11)
    where |= np.uint64(whole) << np.uint64(10) | np.uint64(has) << np.uint64(9)
    group = np.int64(_DECIDED[where | np.uint64(fits)])
    return group + np.int64(group == _AT_PORT) * np.int64(by_port)


@borrowing()
def _ask(data, payloads, begun, members, kinds, by_port):  # type: ignore[no-untyped-def]
    """Fills in what the members of a group are: packets from `begun` on."""
    for k in range(len(members)):
        i = begun + np.int64(members[k])
        at, end, source, destination = payloads.at[i], payloads.end[i], payloads.source[i], payloads.destination[i]
        kinds[i] = kind_of(data, at, end, payloads.transport[i], source, destination, by_port[i])
        if kinds[i]:
            by_port[i] = 0


@compiled(types.void(DATA, PAYLOADS, types.uint8[:, ::1], types.uint8[::1], types.uint8[::1]))
def classify(data, payloads, ports, kinds, by_port):  # type: ignore[no-untyped-def]
    """Fills kinds (kind_of) and by_port (port_of), both uint8 (n,) by packet. ports: PORTS.

    by_port is 0 where the content is recognised. Both are 0 for packets without a payload.
    """
    look = len(data) >= _LEAST
    groups, sizes = np.empty((_GROUPS, _BLOCK), np.uint16), np.empty(_GROUPS, np.int64)
    carrying = np.empty(_BLOCK + _AHEAD, np.int64)  # the packets of a block that have a payload
    for begun in range(0, len(kinds), _BLOCK):
        count = np.int64(0)
        for i in range(begun, min(begun + _BLOCK, len(kinds))):
            kinds[i] = by_port[i] = 0
            carrying[count] = i
            count += np.int64(payloads.at[i] >= 0)
        carrying[count : count + _AHEAD] = begun
        sizes[:] = 0
        for k in range(count):
            prefetch(data, payloads.at[carrying[k + _AHEAD]])
            i = carrying[k]
            at, transport = payloads.at[i], payloads.transport[i]
            number = port_of(ports, transport, payloads.source[i], payloads.destination[i])
            group = _look(data, at, payloads.end[i], transport, number) if look else np.int64(_SHORT)
            tls = np.uint8(group == _IS_TLS)
            kinds[i] = tls * np.uint8(_TLS)
            by_port[i] = number * (np.uint8(1) - tls)
            groups[group, sizes[group]] = i - begun
            sizes[group] += 1
        for group in range(_SHORT, _GROUPS):
            _ask(data, payloads, begun, groups[group, : sizes[group]], kinds, by_port)


def classified(data: NDArray[np.uint8], payloads: Payloads) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """(kinds, by_port) of a batch's payloads: see `classify`. Both uint8 (n,): 1 + position in KINDS, in PORT_NAMES."""
    kinds, by_port = np.empty(len(payloads.at), np.uint8), np.empty(len(payloads.at), np.uint8)
    classify(data, payloads, PORTS, kinds, by_port)
    return kinds, by_port
