"""Who counts: the same figures of either backend, in arrays of row ids.

`within` is a bitmap call in row ids (proxy.ask.in_rows), None: all packets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from indexing import store
from indexing.backends.embedded import EmbeddedBackend
from indexing.calls import Call
from proxy.ask import bounded, in_rows

U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]
WEIGHT = "length"  # bytes are sums of this field: of packets on the wire


@dataclass(frozen=True)
class RowCounts:
    """Rows uint64 (r,) of a field, ascending, each with how many packets have it (r,), none with 0; sums: their bytes (r,), None
    where they were not asked for. exact: whether the counts are."""

    rows: U64
    counts: I64
    sums: I64 | None = None
    exact: bool = True

    def kept(self, some: NDArray[np.bool_] | NDArray[np.int64]) -> RowCounts:
        """Some of the rows, by flags or places."""
        sums = None if self.sums is None else self.sums[some]
        return RowCounts(self.rows[some], self.counts[some], sums, self.exact)


class Counter(Protocol):
    """Counts packets of one index. sums_are_free: that of all rows costs as good as nothing beside their counts."""

    sums_are_free: bool

    def count(self, within: Call | None) -> tuple[int, int]:
        """How many packets, and their bytes."""

    def number(self, within: Call | None) -> int:
        """How many packets."""

    def tallies(self, fields: Sequence[str], within: Call | None, weigh: bool = False, once: bool = False) -> list[RowCounts]:
        """Of each set field all rows with their counts, and their bytes if `weigh`. once: of so many fields that none will be
        asked for again soon."""

    def sums(self, field: str, rows: U64, within: Call | None) -> I64:
        """Bytes (r,) of the packets that have each of these rows (r,)."""

    def distinct(self, field: str, other: str, within: Call | None) -> RowCounts:
        """Rows of a field, each with how many rows of `other` its packets have; none with 0."""

    def cross(self, field: str, rows: U64, other: str, its_rows: U64, within: Call | None, weigh: bool) -> tuple[I64, I64 | None]:
        """Tables (n, m): packets with each of `rows` (n,) of one field and of `its_rows` (m,) of the other; and their bytes."""

    def columns(self, within: Call | None) -> Iterator[U64]:
        """The columns, ascending, part by part, of which none is empty."""

    def times(self, field: str, within: Call | None, weigh: bool) -> RowCounts:
        """Rows of a time field with their counts, always exact. weigh: `binned_sums` is asked for next."""

    def binned_sums(self, field: str, found: RowCounts, place: I64, bins: int, within: Call | None) -> I64:
        """Bytes (bins,) of packets by place (r,), 0 .. bins - 1 and ascending, of the time rows (r,) that `times` found."""


@contextmanager
def counter_of(index: str) -> Iterator[Counter]:
    """The counter of an index; on the embedded store, all that is asked within the `with` is of one state of it."""
    from proxy.analysis.asked import Asked
    from proxy.analysis.held import Held

    backend = store.ensure_index(index)
    if isinstance(backend, EmbeddedBackend):
        with backend.analysis(index) as analysis:
            yield Held(analysis, lambda within: bounded(index, within))
    else:
        yield Asked(index)


def within_of(index: str, call: Call | None) -> Call | None:
    """A call in values as `within`; every packet is None. Raises QueryError."""
    return None if call is None or is_every(call) else in_rows(index, call)


def count_of(index: str, call: Call | None) -> tuple[int, int]:
    """How many packets a bitmap call in values has (None: all), and their bytes. Raises QueryError, LimitExceeded."""
    within = within_of(index, call)
    with counter_of(index) as counter:
        return counter.count(within)


def is_every(call: Call) -> bool:
    """Whether a call says all packets, as proxy.ask.every_packet does."""
    return call.name == "Not" and len(call.children) == 1 and call.children[0] == Call("Union")


def both(within: Call | None, call: Call) -> Call:
    """The packets of `within` that are in a bitmap call too."""
    return call if within is None else Call("Intersect", [within, call])


def largest(key: I64, rows: U64, n: int) -> NDArray[np.int64]:
    """Places of the n greatest keys, the greatest first; equal ones by row."""
    if 0 < n < key.size:
        cut = np.partition(key, key.size - n)[key.size - n]
        some = np.flatnonzero(key >= cut)
    else:
        some = np.arange(key.size)
    return some[np.lexsort((rows[some], -key[some]))][:n]


def smallest(key: I64, rows: U64, n: int) -> NDArray[np.int64]:
    """Places of the n smallest keys, the smallest first; equal ones by row, the last first (newest values)."""
    if 0 < n < key.size:
        cut = np.partition(key, n - 1)[n - 1]
        some = np.flatnonzero(key <= cut)
    else:
        some = np.arange(key.size)
    return some[np.lexsort((-rows[some].astype(np.int64), key[some]))][:n]
