"""What our columns say of a table of the truth ("in so many packets the first value is this"), and how the two differ.

The truth's `first.*` is the first occurrence in each packet. Where a packet has several values of our field, ours says only
that the first is one of them; where a field does not reach (what an ICMP error quotes), that there may be one. A claim holds
the packets that are certain as counts and the others as candidates; truth and claim agree if there is a choice of candidates
that gives exactly the truth's counts. That is a flow problem, and `differences` solves it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from benchmarks.accuracy.column import Column, Mask, joined

ANYTHING = "\0anything"  # a candidate that stands for every value


@dataclass(frozen=True)
class Candidates:
    """One of `values` is the packet's; or, if `perhaps`, none."""

    values: frozenset[str]
    perhaps: bool = False


@dataclass
class Claim:
    counts: Counter[str] = field(default_factory=Counter)
    open: Counter[Candidates] = field(default_factory=Counter)

    def add_open(self, column: Column, perhaps: bool) -> None:
        """Packets of which the value is one of those in `column`."""
        self.open.update(Candidates(values, perhaps) for values in column.sets().values())

    def figures(self) -> int:
        """How many figures are claimed."""
        return len(self.counts) + len(self.open)


def first(n: int, *columns: Column, perhaps: Mask | None = None, beyond: Column | None = None) -> Claim:
    """The first value in each of n packets: it is in the first of `columns` where the packet has any.

    beyond: for packets in none of them, candidates that may also be none; perhaps: packets in none that may have any value.
    """
    claim = Claim()
    taken = np.zeros(n, bool)
    for column in columns:
        column = column.where(~taken)
        each = np.bincount(column.packet, minlength=n)
        claim.counts += column.where(each == 1).counts()
        claim.add_open(column.where(each > 1), perhaps=False)
        taken |= each > 0
    if beyond is not None:
        claim.add_open(beyond.where(~taken), perhaps=True)
        taken |= beyond.packets(n)
    if perhaps is not None:
        _wild(claim, int((perhaps & ~taken).sum()))
    return claim


def anywhere(n: int, *columns: Column, perhaps: Mask | None = None) -> Claim:
    """In how many of n packets each value is. perhaps: packets that may have one more value."""
    claim = Claim(joined(columns).counts())
    if perhaps is not None:
        _wild(claim, int(perhaps.sum()))
    return claim


def scalar(value: object) -> Claim:
    """One value for the whole capture; None is no value."""
    return Claim(single(value))


def single(value: object) -> Counter[str]:
    """A truth of one value."""
    return Counter() if value is None else Counter({str(value): 1})


def _wild(claim: Claim, packets: int) -> None:
    if packets:
        claim.open[Candidates(frozenset({ANYTHING}), True)] += packets


def differences(ours: Claim, theirs: Counter[str]) -> tuple[Counter[str], Counter[str]]:
    """(more, less) than the truth; both empty if claim and truth agree. Candidates that fit nowhere are joined by `|`."""
    more = ours.counts - theirs
    less = theirs - ours.counts
    if not ours.open:
        return more, less
    groups = list(ours.open.items())
    flow = _Flow(groups, less)
    flow.place_packets()
    flow.place_values()
    for i, (candidates, packets) in enumerate(groups):
        left = packets - flow.used[i]
        if left and not candidates.perhaps:
            more["|".join(sorted(candidates.values))] += left
    return more, +flow.wanted


class _Flow:
    """Packets with candidates against values that are still wanted; augmenting paths over groups of equal packets."""

    def __init__(self, groups: list[tuple[Candidates, int]], wanted: Counter[str]) -> None:
        self.groups = groups
        self.wanted = Counter(wanted)
        self.used = [0] * len(groups)
        self.given: list[Counter[str]] = [Counter() for _ in groups]

    def place_packets(self) -> None:
        """Finds a value for every packet that must have one, as far as there is one."""
        for i, (candidates, packets) in enumerate(self.groups):
            while not candidates.perhaps and self.used[i] < packets:
                if not self._push(i, packets - self.used[i], set()):
                    break

    def place_values(self) -> None:
        """Finds a packet for every value that is wanted; packets that have one keep one."""
        for value in list(self.wanted):
            while self.wanted[value] > 0 and self._pull(value, set()):
                pass

    def _fits(self, i: int, value: str) -> bool:
        return value in self.groups[i][0].values or ANYTHING in self.groups[i][0].values

    def _push(self, i: int, most: int, seen: set[str]) -> bool:
        """Gives group i one more value, moving others' if need be."""
        for value in list(self.wanted):
            if value in seen or not self._fits(i, value):
                continue
            seen.add(value)
            if self.wanted[value] > 0:
                amount = min(most, self.wanted[value])
                self._give(i, value, amount)
                return True
            for j, given in enumerate(self.given):
                if j != i and given[value] > 0 and self._push(j, 1, seen):
                    self._give(j, value, -1)
                    self._give(i, value, 1)
                    return True
        return False

    def _give(self, i: int, value: str, amount: int) -> None:
        self.given[i][value] += amount
        self.used[i] += amount
        self.wanted[value] -= amount

    def _pull(self, value: str, seen: set[int]) -> bool:
        """Finds a packet for one more `value`."""
        for i, (_, packets) in enumerate(self.groups):
            if i in seen or not self._fits(i, value):
                continue
            seen.add(i)
            if self.used[i] < packets:
                self._give(i, value, min(packets - self.used[i], max(self.wanted[value], 1)))
                return True
            for other, amount in list(self.given[i].items()):
                if amount > 0 and other != value:
                    self._give(i, other, -1)
                    if self._pull(other, seen):
                        self._give(i, value, 1)
                        return True
                    self._give(i, other, 1)
        return False
