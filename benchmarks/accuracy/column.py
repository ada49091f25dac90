"""Values of one field by packet, in the text form of capture.packets.values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Column:
    """packet, code: int64 (n,), by packet; values[code] are the texts. A (packet, value) pair occurs once."""

    packet: NDArray[np.int64]
    code: NDArray[np.int64]
    values: list[str]

    def where(self, packets: Mask) -> Column:
        """The values of those packets only."""
        kept = packets[self.packet]
        return Column(self.packet[kept], self.code[kept], self.values)

    def keep(self, wanted: Callable[[str], bool]) -> Column:
        """Only the values that `wanted` takes."""
        good = np.array([wanted(value) for value in self.values], bool)
        kept = good[self.code] if len(self.values) else np.zeros(0, bool)
        return Column(self.packet[kept], self.code[kept], self.values)

    def renamed(self, name: Callable[[str], str]) -> Column:
        """Each value under another text; two may become one."""
        return joined([Column(self.packet, self.code, [name(value) for value in self.values])])

    def packets(self, n: int) -> Mask:
        """Of a capture of n packets: which have a value."""
        return np.bincount(self.packet, minlength=n).astype(bool)

    def counts(self) -> Counter[str]:
        """In how many packets each value is."""
        each = np.bincount(self.code, minlength=len(self.values)).tolist()
        return +Counter(dict(zip(self.values, each, strict=True)))

    def sets(self) -> dict[int, frozenset[str]]:
        """packet -> its values."""
        out: dict[int, set[str]] = {}
        for packet, code in zip(self.packet.tolist(), self.code.tolist(), strict=True):
            out.setdefault(packet, set()).add(self.values[code])
        return {packet: frozenset(values) for packet, values in out.items()}


EMPTY = Column(np.zeros(0, np.int64), np.zeros(0, np.int64), [])


def joined(columns: Iterable[Column]) -> Column:
    """All values of several columns, each (packet, value) once."""
    columns = list(columns)
    codes: dict[str, int] = {}
    pairs = [np.zeros((0, 2), np.int64)]
    for column in columns:
        mapped = np.array([codes.setdefault(value, len(codes)) for value in column.values], np.int64)
        if len(column.packet):
            pairs.append(np.stack([column.packet, mapped[column.code]], axis=1))
    together = np.unique(np.concatenate(pairs), axis=0)
    return Column(together[:, 0].copy(), together[:, 1].copy(), list(codes))


def constant(packets: Mask, value: str) -> Column:
    """`value` in each of those packets."""
    at = np.flatnonzero(packets)
    return Column(at, np.zeros(len(at), np.int64), [value])
