"""Interned addresses as texts: once per distinct address."""

from __future__ import annotations

import socket

import numpy as np
from numpy.typing import NDArray

from capture.packets.fast.addresses import IPV4, MAC, Table


class AddressTexts:
    """Texts of the addresses of a table, by their numbers."""

    def __init__(self, table: Table) -> None:
        count = int(table.count[0])
        self._kind = table.kind[:count].tolist()
        # big-endian, so that each key's 16 bytes stand in the order of the wire
        self._raw = table.keys[:count].astype(">u8").tobytes()
        self._known: dict[int, bytes] = {}

    def of(self, numbers: NDArray[np.uint64]) -> list[bytes]:
        """The texts of distinct addresses: IPv4 dotted, IPv6 as in RFC 5952, MAC lower-case with colons."""
        known = self._known
        texts = []
        for number in numbers.tolist():
            text = known.get(number)
            if text is None:
                text = known[number] = self._text(number)
            texts.append(text)
        return texts

    def _text(self, number: int) -> bytes:
        at, kind = 16 * number, self._kind[number]
        if kind == IPV4:
            return socket.inet_ntoa(self._raw[at + 12 : at + 16]).encode()
        if kind == MAC:
            return self._raw[at + 10 : at + 16].hex(":").encode()
        return socket.inet_ntop(socket.AF_INET6, self._raw[at : at + 16]).encode()
