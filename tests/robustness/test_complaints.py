"""What looks for faults finds them: a wrong value, a value too many, a column out of order."""

from __future__ import annotations

import numpy as np
import pytest

from capture.packets.columns import Dissected, SetValues
from tests.robustness.packets import Packet
from tests.robustness.values import check_columns, differences


def column(packet: list[int], code: list[int], values: list[bytes]) -> Dissected:
    return Dissected({"netsrc": SetValues(np.array(packet, np.uint32), np.array(code, np.uint32), values)})


def test_a_difference_names_packet_field_and_both_values() -> None:
    packet = Packet(b"\x01", 1, 2)
    (said,) = differences([packet], [{"ttl": frozenset({64})}], [{"ttl": frozenset({63})}])
    assert said == "packet 0 (link type 1, wire 2) 01: ttl: [64] / [63]"
    assert differences([packet], [{"ttl": frozenset()}], [{}]) == []


@pytest.mark.parametrize(
    "bad",
    [
        column([1, 0], [0, 0], [b"a"]),
        column([0, 0], [0, 0], [b"a"]),
        column([0], [0], [b"a", b"b"]),
        column([0, 1], [0, 1], [b"a", b"a"]),
        column([0], [0], [b""]),
        column([5], [0], [b"a"]),
        column([], [], []),
    ],
    ids=["not sorted", "pair twice", "value unused", "value twice", "empty text", "no such packet", "empty column"],
)
def test_a_column_that_breaks_the_contract_is_noticed(bad: Dissected) -> None:
    with pytest.raises(AssertionError):
        check_columns(bad, 2)


def test_a_good_column_passes() -> None:
    check_columns(column([0, 0, 1], [0, 1, 0], [b"a", b"b"]), 2)
