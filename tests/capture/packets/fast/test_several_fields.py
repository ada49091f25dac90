"""One slot that gives values of several fields: what its bytes mean is asked once per distinct bytes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from capture.packets.columns import SetValues
from capture.packets.fast.events import columns
from capture.packets.fast.out import make_out, pair
from capture.packets.fast.slots import SPAN, Slot

DATA = np.frombuffer(b"ab--ab--c", np.uint8).copy()
# packet, begin, length of spans in DATA: "ab", "ab" again elsewhere, "c", "--"
EVENTS = ((0, 0, 2), (1, 4, 2), (1, 8, 1), (2, 2, 2), (5, 0, 2), (5, 4, 2))


def found(fields: set[str], asked: list[bytes]) -> dict[str, set[tuple[int, bytes | int]]]:
    def many(value: bytes) -> Iterator[tuple[str, bytes | int]]:
        asked.append(value)
        if value == b"--":
            return
        yield from (("text", bytes((byte,))) for byte in value)
        yield "number", len(value)
        if value == b"c":
            yield "text", b"b"
            yield "text", b"b"

    out = make_out()
    for packet, begin, length in EVENTS:
        pair(out, 0, packet, begin, length)
    made: list[tuple[str, SetValues]] = columns(out, [Slot("", SPAN, fields=("text", "number"), many=many)], DATA, fields)
    for _, column in made:
        pairs = list(zip(column.packet.tolist(), column.code.tolist(), strict=True))
        assert sorted(set(pairs)) == sorted(pairs), "a pair twice"
        assert column.packet.tolist() == sorted(column.packet.tolist())
        assert set(column.code.tolist()) == set(range(len(column.values)))
    return {
        name: {(p, column.values[c]) for p, c in zip(column.packet.tolist(), column.code.tolist(), strict=True)}
        for name, column in made
    }


def test_values_of_each_field() -> None:
    assert found({"text", "number"}, []) == {
        "text": {(0, b"a"), (0, b"b"), (1, b"a"), (1, b"b"), (1, b"c"), (5, b"a"), (5, b"b")},
        "number": {(0, 2), (1, 2), (1, 1), (5, 2)},
    }


def test_asked_once_per_distinct_bytes() -> None:
    asked: list[bytes] = []
    found({"text"}, asked)
    assert sorted(asked) == [b"--", b"ab", b"c"]


def test_only_wanted_fields() -> None:
    assert found({"number"}, []).keys() == {"number"}
    asked: list[bytes] = []
    assert found({"other"}, asked) == {}
    assert asked == []
