"""Interned addresses as texts: once per distinct address."""

from __future__ import annotations

import socket
from functools import cached_property

import numpy as np
from numba import types
from numpy.typing import NDArray

from capture.packets.columns import SetValues
from capture.packets.compiling import borrowing, compiled
from capture.packets.fast.addresses import IPV4, IPV6, Table
from capture.packets.fast.interning import wide

MAC_LENGTH = 17  # bytes of a MAC's text

_TEXTS = types.Tuple((types.uint8[::1], types.int64[::1]))


@borrowing()
def _hex_digit(value):  # type: ignore[no-untyped-def]
    return np.uint8(48 + value if value < 10 else 87 + value)


@compiled(_TEXTS(types.uint64[:, ::1], types.uint8[::1], types.int64))
def ipv4_texts(keys, kinds, count):  # type: ignore[no-untyped-def]
    """Texts of a table's IPv4 addresses, one behind the other: (bytes, end int64 (count,) of each). Other keys have none."""
    heap = np.empty(15 * count, np.uint8)
    end = np.empty(count, np.int64)
    k = 0
    for number in range(count):
        if kinds[number] == IPV4:
            low = keys[number, 1]
            for shift in range(24, -1, -8):
                part = np.int64(low >> np.uint64(shift) & np.uint64(255))
                if part >= 100:
                    heap[k] = 48 + part // 100
                    k += 1
                if part >= 10:
                    heap[k] = 48 + part // 10 % 10
                    k += 1
                heap[k] = 48 + part % 10
                k += 1
                if shift:
                    heap[k] = 46
                    k += 1
        end[number] = k
    return heap[:k], end


@compiled(types.uint8[::1](types.uint64[::1]))
def mac_texts(macs):  # type: ignore[no-untyped-def]
    """Texts of MACs (48 bits each), lower-case with colons, MAC_LENGTH bytes each, one behind the other."""
    heap = np.empty(MAC_LENGTH * len(macs), np.uint8)
    k = 0
    for i in range(len(macs)):
        for shift in range(40, -1, -8):
            part = np.int64(macs[i] >> np.uint64(shift) & np.uint64(255))
            heap[k] = _hex_digit(part >> 4)
            heap[k + 1] = _hex_digit(part & 15)
            k += 2
            if shift:
                heap[k] = 58
                k += 1
    return heap


def mac_columns(packet: NDArray[np.uint32], code: NDArray[np.uint32], pairs: NDArray[np.uint64], table: Table) -> list[SetValues]:
    """Columns of destinations and of sources. code: of each packet's pair of addresses; pairs: their numbers in the table."""
    keys = table.keys[pairs.astype(np.int64)]
    destination = keys[:, 0] >> np.uint64(16)
    source = (keys[:, 0] & np.uint64(0xFFFF)) << np.uint64(32) | keys[:, 1]
    found = []
    for macs in (destination, source):
        of_pair, known = wide(np.ascontiguousarray(macs))
        raw = mac_texts(known).tobytes()
        texts = [raw[at : at + MAC_LENGTH] for at in range(0, len(raw), MAC_LENGTH)]
        found.append(SetValues(packet, of_pair[code], texts))
    return found


class AddressTexts:
    """Texts of the IP addresses of a table, by their numbers."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @cached_property
    def _all(self) -> list[bytes]:
        count = int(self._table.used[0])
        heap, ends = ipv4_texts(self._table.keys, self._table.kind, count)
        raw, until = heap.tobytes(), ends.tolist()
        texts = [raw[begin:end] for begin, end in zip([0, *until], until, strict=False)]
        six = np.flatnonzero(self._table.kind[:count] == IPV6)
        wire = self._table.keys[six].astype(">u8").tobytes()  # big-endian: the 16 bytes in the order of the wire
        for k, number in enumerate(six.tolist()):
            texts[number] = socket.inet_ntop(socket.AF_INET6, wire[16 * k : 16 * k + 16]).encode()
        return texts

    def of(self, numbers: NDArray[np.uint64]) -> list[bytes]:
        """The texts of distinct addresses: IPv4 dotted, IPv6 as in RFC 5952."""
        texts = self._all
        return [texts[number] for number in numbers.tolist()]
