"""Packets over time: how many, and how many bytes, in bins of any width, also split by the values of a field. Always exact.

Bins begin at whole multiples of their width since 1970-01-01T00:00:00Z. Bins of whole seconds are made of time rows, the longest
that fit in them; for finer ones the time of every packet is read from its batch's locator.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from capture.packets.registry import FIELDS
from capture.services.errors import Refused
from indexing import limits
from indexing.calls import Call, RowSet
from proxy.analysis import widths
from proxy.analysis.counter import I64, U64, Counter, RowCounts, both, counter_of, largest, within_of
from proxy.analysis.packet_times import times_of
from proxy.analysis.values import named
from proxy.analysis.widths import SECOND_NS
from proxy.moments import written

MOST_BINS = 10_000
MOST_CELLS = 200_000  # bins of all parts of a split together
# Longest first: what packets' seconds are looked for in.
UNITS = sorted((one for one in FIELDS.values() if one.encoding == "time" and not one.plugin), key=lambda one: -one.seconds)
_ENOUGH = 4  # a range that takes so many times as many units as there are bins is known well enough


@dataclass
class Part:
    """Packets and bytes of some packets, in all and by bin (bins,)."""

    count: int
    bytes: int
    counts: I64
    sums: I64

    def as_json(self) -> dict[str, Any]:
        return {"count": self.count, "bytes": self.bytes, "counts": self.counts.tolist(), "byte_counts": self.sums.tolist()}


@dataclass
class Histogram:
    """first: when the first bin begins, ns since 1970; width: ns. parts: by value, then `other` and `none` (see docs)."""

    first: int
    width: int
    whole: Part
    by: str = ""
    values: list[dict[str, Any]] = field(default_factory=list)
    distinct: int = 0
    parts: list[Part] = field(default_factory=list)
    exact: bool = True

    def as_json(self) -> dict[str, Any]:
        whole, bins = self.whole, self.whole.counts.size
        begins = [self.first + self.width * i for i in range(bins)]
        said: dict[str, Any] = {
            "count": whole.count,
            "bytes": whole.bytes,
            "width": widths.text_of(self.width) if self.width else None,
            "width_seconds": self.width / SECOND_NS if self.width else None,
            "from": written(begins[0]) if bins else None,
            "to": written(begins[-1] + self.width) if bins else None,
            # Where packets come in while Pilosa is asked for one after the other, there may be more in the bins
            "untimed": max(0, whole.count - int(whole.counts.sum())),
            "untimed_bytes": max(0, whole.bytes - int(whole.sums.sum())),
            "bins": [
                {"time": written(begin), "time_ns": str(begin), "count": count, "bytes": size}
                for begin, count, size in zip(begins, whole.counts.tolist(), whole.sums.tolist(), strict=True)
            ],
        }
        if self.by:
            *shown, other, none = self.parts
            series = [{**value, **part.as_json()} for value, part in zip(self.values, shown, strict=True)]
            said |= {"by": self.by, "distinct": self.distinct, "exact": self.exact, "series": series}
            said |= {"other": other.as_json(), "none": none.as_json()}
        return said


def histogram(
    index: str,
    call: Call | None,
    *,
    bins: int | None = None,
    width: int | None = None,
    low: int | None = None,
    high: int | None = None,
    by: str = "",
    n: int = 5,
    rows: U64 | None = None,
) -> Histogram:
    """Of the packets of a bitmap call in values. width: ns, or chosen so that there are at most `bins` bins.

    low, high: the first and the last ns of the range, which no packet of the call is outside of; else the packets' own. by: a set
    field; its n values with the most packets are told apart, or these `rows` of it.
    Raises QueryError, LimitExceeded, Refused (too many bins)."""
    within = within_of(index, call)
    with counter_of(index) as counter:
        made = _Bins(index, counter, within, bins, width, low, high)
        if not by:
            return Histogram(made.first, made.width, made.part(within))
        (found,) = counter.tallies([by], within)
        if rows is None:
            best = found.kept(largest(found.counts, found.rows, n))
        else:
            best = RowCounts(rows, np.zeros(rows.size, np.int64))
        parts = _parts(made, by, found, best, within)
        whole = made.part(within)
    names = named(index, {by: best.rows})[by]
    values = [names[row] for row in best.rows.tolist()]
    return Histogram(made.first, made.width, whole, by, values, int(found.rows.size), parts, found.exact)


def _parts(made: _Bins, by: str, found: RowCounts, best: RowCounts, within: Call | None) -> list[Part]:
    """Of each of the best values; then of packets that have values and none of these; then of those without a value."""
    if made.bins * (best.rows.size + 2) > MOST_CELLS:
        raise Refused(
            f"{made.bins:,} bins of {best.rows.size} values are more than {MOST_CELLS:,} numbers: take a greater width, or a "
            "smaller n",
            option="n",
        )
    shown, every = _rows(by, best.rows), _rows(by, found.rows)
    calls = [both(within, _rows(by, best.rows[i : i + 1])) for i in range(best.rows.size)]
    others = np.isin(found.rows, best.rows, invert=True).any()
    calls.append(both(within, Call("Difference", [every, shown])) if others else Call("Union"))
    whole = Call("Not", [Call("Union")]) if within is None else within
    return [*(made.part(one) for one in calls), made.part(Call("Difference", [whole, every]))]


def _rows(name: str, rows: Any) -> Call:
    return Call("Row", args={"row": RowSet(name, np.sort(rows))})


class _Bins:
    """The bins of a histogram: where they are, and what is in them of any packets."""

    def __init__(
        self,
        index: str,
        counter: Counter,
        within: Call | None,
        bins: int | None,
        width: int | None,
        low: int | None,
        high: int | None,
    ) -> None:
        self._index, self._counter = index, counter
        self.first = self.width = self.bins = 0
        span = _span(counter, within, bins or MOST_BINS, width)
        if span is None and (low is None or high is None):
            return
        begin, end = (low or 0, high or 0) if span is None else span
        begin, end = begin if low is None else low, end if high is None else high
        chosen = width or widths.chosen(begin, end, bins or MOST_BINS)
        if chosen % SECOND_NS:
            # The range is known to the second; one that has too many bins in any case is not read
            self._check(begin + SECOND_NS - 1, end - SECOND_NS + 1, chosen)
            exact = _exact_span(index, counter, within)
            begin, end = (exact[0] if low is None else begin, exact[1] if high is None else end) if exact else (begin, end)
            chosen = width or widths.chosen(begin, end, bins or MOST_BINS)
        self._check(begin, end, chosen)
        self.width, self.bins = chosen, widths.number(begin, end, chosen)
        self.first = begin // chosen * chosen

    @staticmethod
    def _check(begin: int, end: int, width: int) -> None:
        bins = widths.number(begin, end, width)
        if bins > MOST_BINS:
            raise Refused(
                f"width {widths.text_of(width)} makes {bins:,} bins of {written(begin)} to {written(end)}; at most "
                f"{MOST_BINS:,} are given: take a greater width, or a shorter time",
                option="width",
            )

    def part(self, within: Call | None) -> Part:
        """The packets and bytes of a call (in row ids, within the histogram's own)."""
        count = self._counter.number(within)
        counts, sums = (
            self._binned(within) if self.bins and count else (np.zeros(self.bins, np.int64), np.zeros(self.bins, np.int64))
        )
        # Where all are in bins, so are all bytes
        size = int(sums.sum()) if int(counts.sum()) == count else self._counter.count(within)[1]
        return Part(count, size, counts, sums)

    def _binned(self, within: Call | None) -> tuple[I64, I64]:
        if self.width % SECOND_NS:
            return self._by_packet(within)
        unit = next(one for one in UNITS if self.width % (one.seconds * SECOND_NS) == 0)
        found = self._counter.times(unit.name, within, weigh=True)
        place = found.rows.astype(np.int64) // (self.width // SECOND_NS // unit.seconds) - self.first // self.width
        inside = (place >= 0) & (place < self.bins)
        found, place = found.kept(inside), place[inside]
        counts = np.zeros(self.bins, np.int64)
        np.add.at(counts, place, found.counts)
        return counts, self._counter.binned_sums(unit.name, found, place, self.bins, within)

    def _by_packet(self, within: Call | None) -> tuple[I64, I64]:
        counts, sums = np.zeros(self.bins, np.int64), np.zeros(self.bins, np.int64)
        for times, lengths in times_of(self._index, self._counter.columns(within)):
            place = (times - self.first) // self.width
            inside = (place >= 0) & (place < self.bins)
            if not inside.all():
                place, lengths = place[inside], lengths[inside]
            counts += np.bincount(place, minlength=self.bins)
            # Doubles: exact below 2^53 bytes in a bin and shard
            sums += np.bincount(place, weights=lengths, minlength=self.bins).astype(np.int64)
        return counts, sums


def _span(counter: Counter, within: Call | None, bins: int, width: int | None) -> tuple[int, int] | None:
    """First and last ns that packets may have, as exactly as it matters for bins of at least a second; None: none has a time."""
    low = high = 0
    for unit in UNITS:
        limits.current().check()
        rows = counter.times(unit.name, within, weigh=False).rows
        if not rows.size:
            return None
        seconds = unit.seconds
        low, high = int(rows[0]) * seconds * SECOND_NS, (int(rows[-1]) + 1) * seconds * SECOND_NS - 1
        if int(rows[-1]) - int(rows[0]) >= _ENOUGH * bins and (width is None or width % (seconds * SECOND_NS) == 0):
            break
    return low, high


def _exact_span(index: str, counter: Counter, within: Call | None) -> tuple[int, int] | None:
    found = times_of(index, counter.columns(within))
    spans = [(int(times.min()), int(times.max())) for times, _ in found if times.size]
    return (min(low for low, _ in spans), max(high for _, high in spans)) if spans else None
