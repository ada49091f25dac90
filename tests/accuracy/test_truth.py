"""Every quantity of the truth of every shared capture, as the dissectors give it: no difference without a reason."""

from __future__ import annotations

import re

import pytest

from benchmarks.accuracy import corpus
from benchmarks.accuracy.comparison import Comparison, compare
from benchmarks.accuracy.reasons import REASONS
from benchmarks.accuracy.report import PAGE, totals
from benchmarks.accuracy.rules import RULES

pytestmark = pytest.mark.needs("../shared")
MIX = "large/derived__merged-home-and-web-mix.pcap"


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compare(corpus.names(), "fast")


def unexplained(found: Comparison) -> list[str]:
    return [f"{d.capture} {d.quantity}: {d.side} {d.packets} x {d.value!r}" for d in found.unexplained()]


def test_no_difference_is_unexplained(comparison: Comparison) -> None:
    assert unexplained(comparison) == []


def test_the_scapy_dissector_differs_where_fast_does(comparison: Comparison) -> None:
    """Of the large captures the mixture stands for all: scapy goes packet by packet."""
    names = [name for name in corpus.names() if not name.startswith("large/") or name == MIX]
    found = compare(names, "scapy", "[!b]*")  # no need to filter again
    assert found.differences == [d for d in comparison.differences if d.capture in names and not d.quantity.startswith("bpf")]


def test_all_captures_and_all_filters_are_compared(comparison: Comparison) -> None:
    assert (comparison.captures, comparison.packets, comparison.filters) == (188, 172_691, 928)
    assert comparison.quantities > 9000


def test_every_rule_explains_something(comparison: Comparison) -> None:
    assert [rule for rule in RULES if rule not in comparison.used] == []


def test_rules_and_reasons_name_each_other() -> None:
    assert {rule.reason for rule in RULES} == set(REASONS)


def test_the_page_has_these_totals(comparison: Comparison) -> None:
    assert "\n".join(totals(comparison)) in PAGE.read_text(), "docs/accuracy.md is not current: run script/accuracy"


def test_the_page_names_no_reason_that_is_gone() -> None:
    assert set(re.findall(r"^### (.+)$", PAGE.read_text(), re.MULTILINE)) <= set(REASONS)
