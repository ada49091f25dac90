"""Interned addresses as texts: once per distinct address."""

from __future__ import annotations

import socket
from functools import cached_property

import numpy as np
from numba import types
from numpy.typing import NDArray

from capture.packets.compiling import borrowing, compiled
from capture.packets.fast.addresses import IPV4, IPV6, MAC, Table

WIDEST = 17  # bytes of a MAC's text

_SIGNATURE = types.Tuple((types.uint8[::1], types.int64[::1]))(types.uint64[:, ::1], types.uint8[::1], types.int64)


@borrowing()
def _hex_digit(value):  # type: ignore[no-untyped-def]
    return np.uint8(48 + value if value < 10 else 87 + value)


@compiled(_SIGNATURE)
def short_texts(keys, kinds, count):  # type: ignore[no-untyped-def]
    """Texts of IPv4 and MAC addresses, one behind the other: (bytes, end int64 (count,) of each). Others have none."""
    heap = np.empty(WIDEST * count, np.uint8)
    end = np.empty(count, np.int64)
    k = 0
    for number in range(count):
        low = keys[number, 1]
        if kinds[number] == IPV4:
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
        elif kinds[number] == MAC:
            for shift in range(40, -1, -8):
                part = np.int64(low >> np.uint64(shift) & np.uint64(255))
                heap[k] = _hex_digit(part >> 4)
                heap[k + 1] = _hex_digit(part & 15)
                k += 2
                if shift:
                    heap[k] = 58
                    k += 1
        end[number] = k
    return heap[:k], end


class AddressTexts:
    """Texts of the addresses of a table, by their numbers."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @cached_property
    def _all(self) -> list[bytes]:
        count = int(self._table.used[0])
        heap, ends = short_texts(self._table.keys, self._table.kind, count)
        raw, until = heap.tobytes(), ends.tolist()
        texts = [raw[begin:end] for begin, end in zip([0, *until], until, strict=False)]
        six = np.flatnonzero(self._table.kind[:count] == IPV6)
        wire = self._table.keys[six].astype(">u8").tobytes()  # big-endian: the 16 bytes in the order of the wire
        for k, number in enumerate(six.tolist()):
            texts[number] = socket.inet_ntop(socket.AF_INET6, wire[16 * k : 16 * k + 16]).encode()
        return texts

    def of(self, numbers: NDArray[np.uint64]) -> list[bytes]:
        """The texts of distinct addresses: IPv4 dotted, IPv6 as in RFC 5952, MAC lower-case with colons."""
        texts = self._all
        return [texts[number] for number in numbers.tolist()]
