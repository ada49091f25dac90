"""How the truth's tables follow from our fields: the first value of a packet, outer or inner or quoted."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from benchmarks.accuracy import corpus
from benchmarks.accuracy.claim import Candidates, first
from benchmarks.accuracy.column import Column
from benchmarks.accuracy.comparison import Comparison, compare
from benchmarks.accuracy.rules import MORE, Rule


def column(*pairs: tuple[int, str]) -> Column:
    texts = sorted({text for _, text in pairs})
    return Column(np.array([p for p, _ in pairs]), np.array([texts.index(t) for _, t in pairs]), texts)


def test_the_first_value_is_in_the_first_column_that_has_one() -> None:
    claim = first(3, column((0, "outer"), (1, "outer")), column((1, "inner"), (2, "inner")))
    assert claim.counts == Counter(outer=2, inner=1) and not claim.open


def test_of_several_values_any_may_be_the_first() -> None:
    claim = first(2, column((0, "a"), (0, "b"), (1, "a")))
    assert claim.counts == Counter(a=1) and claim.open == Counter({Candidates(frozenset("ab")): 1})


def test_a_rule_covers_one_side_of_one_value_of_one_quantity() -> None:
    rule = Rule("why", "folder/*.pcap", "first.*", MORE, "x+")
    assert rule.covers("folder/a.pcap", "first.ip.src", "more", "xx")
    assert not rule.covers("folder/a.pcap", "first.ip.src", "less", "xx")
    assert not rule.covers("folder/a.pcap", "any.ip.src", "more", "xx")
    assert not rule.covers("other/a.pcap", "first.ip.src", "more", "xx")
    assert not rule.covers("folder/a.pcap", "first.ip.src", "more", "xy")


@pytest.mark.needs("../shared")
def test_a_truth_that_is_not_so_is_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "protocols/dpkt__nb6-http.pcap"
    told = corpus.truth(name)
    source, packets = next(iter(told["first"]["ip.src"].items()))
    told["first"]["ip.src"][source] = packets + 1
    monkeypatch.setattr(corpus, "truth", lambda _: told)
    found: Comparison = compare([name], "fast", "first.ip.src first.ip.dst")
    assert [(d.quantity, d.side, d.value, d.packets) for d in found.unexplained()] == [("first.ip.src", "less", source, 1)]
