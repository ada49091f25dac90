"""What a dissector gives back: the contract between dissection and indexing.

Per field two arrays sorted by packet. A packet may have none, one or several values of a set field; the pair
(packet, value) occurs once. Python touches distinct values, never packets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class SetValues:
    """Values of one set field in one batch.

    packet: uint32 (n,), ascending; index of the packet in the batch.
    code: uint32 (n,), index into `values`.
    values: the distinct values, each at least once used, in no particular order:
      - for fields of encoding "text": list[bytes], raw bytes of any length and content;
      - for every other encoding: uint64 (k,), the row ids themselves.
    """

    packet: NDArray[np.uint32]
    code: NDArray[np.uint32]
    values: list[bytes] | NDArray[np.uint64]


@dataclass(frozen=True)
class IntValues:
    """Values of one int field (bit-sliced): packet uint32 (n,) strictly ascending; value int64 (n,)."""

    packet: NDArray[np.uint32]
    value: NDArray[np.int64]


@dataclass
class Dissected:
    """All that a dissector found in a batch.

    fields: by field name. A field without any value in the batch may be missing.
    undecodable: how many packets have an `error` value (they keep what was decoded).
    dissector: name and version, e.g. "scapy-1".
    handed_over: how many packets the fast dissector gave to scapy, whose link types it does not read.
    not_indexed: fields that were wanted and could not be had for this batch: field -> why (plug-ins alone).
    """

    fields: dict[str, SetValues | IntValues] = field(default_factory=dict)
    undecodable: int = 0
    dissector: str = ""
    handed_over: int = 0
    not_indexed: dict[str, str] = field(default_factory=dict)


class SetBuilder:
    """Collects (packet, value) pairs in packet order; for dissectors that go packet by packet."""

    def __init__(self) -> None:
        self._packet: list[int] = []
        self._code: list[int] = []
        self._codes: dict[Any, int] = {}
        self._last = -1
        self._seen: set[int] = set()

    def add(self, packet: int, value: bytes | int) -> None:
        """Adds one value of `packet`; the same value of the same packet again is nothing new."""
        code = self._codes.setdefault(value, len(self._codes))
        if packet != self._last:
            self._last = packet
            self._seen = set()
        if code in self._seen:
            return
        self._seen.add(code)
        self._packet.append(packet)
        self._code.append(code)

    def build(self) -> SetValues:
        """The pairs as arrays. Values are bytes if any of them is, else row ids."""
        values: Any = list(self._codes)
        if not values or not isinstance(values[0], bytes):
            values = np.array(values, np.uint64)
        return SetValues(np.array(self._packet, np.uint32), np.array(self._code, np.uint32), values)
