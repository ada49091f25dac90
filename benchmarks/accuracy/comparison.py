"""Every quantity of the truth compared, capture by capture."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from benchmarks.accuracy import corpus
from benchmarks.accuracy.applications import applications
from benchmarks.accuracy.claim import differences, scalar
from benchmarks.accuracy.filters import filtered
from benchmarks.accuracy.found import dissect_capture
from benchmarks.accuracy.headers import link, network, transport, where
from benchmarks.accuracy.protocols import protocols
from benchmarks.accuracy.quantity import Quantity, Theme
from benchmarks.accuracy.records import formats, records
from benchmarks.accuracy.rules import LESS, MORE, RULES, Rule

THEMES: tuple[Theme, ...] = (records, formats, link, network, transport, where, applications, protocols)


@dataclass(frozen=True)
class Difference:
    """One value of a quantity: `packets` more or less than the truth. reason: key of REASONS, "" if there is none."""

    capture: str
    quantity: str
    side: str
    value: str
    packets: int
    reason: str


@dataclass
class Comparison:
    """quantities: compared, those that neither side has left out; figures: values in them."""

    dissector: str = ""
    captures: int = 0
    packets: int = 0
    quantities: int = 0
    differing: int = 0
    figures: int = 0
    filters: int = 0
    kinds: Counter[str] = field(default_factory=Counter)  # name without what varies -> compared
    differences: list[Difference] = field(default_factory=list)
    used: set[Rule] = field(default_factory=set)

    def unexplained(self) -> list[Difference]:
        return [difference for difference in self.differences if not difference.reason]

    @property
    def without_reason(self) -> int:
        """How many quantities have a difference without a reason."""
        return len({(difference.capture, difference.quantity) for difference in self.unexplained()})

    def add(self, capture: str, quantity: Quantity) -> None:
        """Compares one quantity."""
        if not +quantity.theirs and not quantity.ours.counts and not quantity.ours.open:
            return
        self.quantities += 1
        self.figures += len({*quantity.theirs, *quantity.ours.counts})
        self.filters += quantity.name.startswith("bpf ")
        self.kinds["bpf" if quantity.name.startswith("bpf ") else quantity.name] += 1
        more, less = differences(quantity.ours, quantity.theirs)
        self.differing += bool(more or less)
        for side, values in ((MORE, more), (LESS, less)):
            for value, packets in sorted(values.items()):
                self.differences.append(self._difference(capture, quantity.name, side, value, packets))

    def _difference(self, capture: str, quantity: str, side: str, value: str, packets: int) -> Difference:
        rule = next((rule for rule in RULES if rule.covers(capture, quantity, side, value)), None)
        if rule is not None:
            self.used.add(rule)
        return Difference(capture, quantity, side, value, packets, rule.reason if rule else "")


def compare(
    captures: Iterable[str],
    dissector: str = "fast",
    quantities: str = "*",
    told: Callable[[str], None] = lambda _: None,
) -> Comparison:
    """Compares those captures. quantities: shell patterns, separated by blanks. told: called with each capture's name before."""
    comparison = Comparison(dissector)
    wanted = quantities.split()
    with tempfile.TemporaryDirectory() as folder:
        for capture in captures:
            told(capture)
            comparison.captures += 1
            for quantity in capture_quantities(capture, dissector, Path(folder)):
                if quantity.name == "packets":
                    comparison.packets += sum(int(number) for number in quantity.ours.counts)
                if any(fnmatchcase(quantity.name, pattern) for pattern in wanted):
                    comparison.add(capture, quantity)
    return comparison


def capture_quantities(capture: str, dissector: str, folder: Path) -> Iterator[Quantity]:
    """All quantities of one capture; of what is no capture that there are no packets in it."""
    told = corpus.truth(capture)
    if capture in corpus.NOT_CAPTURES:
        yield Quantity("packets", Counter({str(told["packets"]): 1}), scalar(0))
        return
    found = dissect_capture(capture, dissector, folder)
    for theme in THEMES:
        yield from theme(told, found)
    yield from filtered(capture, folder)
