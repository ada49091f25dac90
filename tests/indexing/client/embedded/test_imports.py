"""Bulk imports: ints, clearing, roaring bytes in both forms, what is refused, and the export."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from indexing.calls import Call, Condition, QueryError, RowsResult
from indexing.client.embedded_roaring import decoded
from indexing.roaring import encode
from tests.indexing.client.embedded.conftest import Asker, W, row

EXISTING = Call("Not", [Call("Union")])


def uints(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.uint64)


def official(containers: dict[int, list[int]], runs: bool = False) -> bytes:
    """The 32-bit form with array and bitmap containers, or all of runs of one."""
    count = len(containers)
    head = (
        struct.pack("<I", 12347 | (count - 1) << 16) + b"\xff" * ((count + 7) // 8) if runs else struct.pack("<II", 12346, count)
    )
    head += b"".join(struct.pack("<HH", key, len(values) - 1) for key, values in containers.items())
    head += b"" if runs and count < 4 else bytes(4 * count)
    for values in containers.values():
        if runs:
            head += struct.pack("<H", len(values)) + b"".join(struct.pack("<HH", value, 0) for value in values)
        elif len(values) <= 4096:
            head += struct.pack(f"<{len(values)}H", *values)
        else:
            bits = np.zeros(1 << 16, np.uint8)
            bits[values] = 1
            head += np.packbits(bits, bitorder="little").tobytes()
    return head


def test_the_last_value_of_a_column_counts_and_clearing_takes_it(people: Asker) -> None:
    people.clients.import_values(people.index, "i", uints(1, W, 1), np.array([5, -9, 7]))
    assert people.columns(Call("Row", [], {"condition": ("i", Condition("==", 7))})) == [1]
    people.clients.import_values(people.index, "i", uints(1), np.array([0]), clear=True)
    assert people.columns(Call("Row", [], {"condition": ("i", Condition("!=", None))})) == [W]
    assert people.columns(EXISTING) == [1, W]
    assert people.clients.bit_depths(people.index)["i"] == 4


def test_a_value_out_of_range_refuses_all_of_the_import(people: Asker) -> None:
    with pytest.raises(QueryError, match="^bsigroup value too low, columnID=50, value=50$"):
        people.clients.import_values(people.index, "far", uints(3, 50), np.array([100, 50]))
    assert people.clients.shards(people.index) == []


def test_clear_takes_only_the_bits_that_are_named(people: Asker) -> None:
    people.add("m", [(1, 10), (2, 11)])
    people.add("m", [(9, 10), (2, 11)], clear=True)
    assert (people.columns(row("m", 1)), people.columns(row("m", 2))) == ([10], [])
    assert people.columns(EXISTING) == [10, 11]


@pytest.mark.parametrize(
    ("field", "rows", "times", "clear", "error"),
    [
        ("b", [2], None, False, "bool field imports only support values 0 and 1"),
        ("s", [2], [10**18], False, "time quantum not set in field"),
        ("t", [2], [10**18], True, "import clear is not supported with timestamps"),
        ("s", [(1 << 44) - 1], None, False, "row id 17592186044415 is greater than 17592186044414"),
    ],
)
def test_imports_that_cannot_be(
    people: Asker, field: str, rows: list[int], times: list[int] | None, clear: bool, error: str
) -> None:
    with pytest.raises(QueryError, match=f"^{error}$"):
        people.clients.import_bits(people.index, field, uints(*rows), uints(1), None if times is None else np.array(times), clear)
    assert people.clients.shards(people.index) == []


def test_roaring_bytes_go_to_the_views_that_are_named_and_make_nothing_exist(people: Asker) -> None:
    some = encode(uints(5, W + 5, W + 70000))
    people.clients.import_roaring(people.index, "t", 2, [("", some), ("2018", some)])
    assert people.columns(row("t", 1)) == [2 * W + 5, 2 * W + 70000]
    assert people.columns(row("t", 1, **{"from": "2018-01-01T00:00", "to": "2019-01-01T00:00"})) == [2 * W + 5, 2 * W + 70000]
    assert people.columns(row("t", 1, **{"from": "2018-01-01T00:00", "to": "2018-02-01T00:00"})) == []
    assert people.columns(EXISTING) == []
    people.clients.import_roaring(people.index, "t", 2, [("standard", encode(uints(W + 5)))], clear=True)
    assert people.columns(row("t", 1)) == [2 * W + 70000]


@pytest.mark.parametrize("runs", [False, True])
@pytest.mark.parametrize("sizes", [[1], [3, 4096], [4095, 4097, 1, 60000, 2]])
def test_the_official_form_is_read_also_arrays_of_4096(runs: bool, sizes: list[int]) -> None:
    rng = np.random.default_rng(len(sizes))
    containers = {key: sorted(rng.choice(1 << 16, size, replace=False).tolist()) for key, size in enumerate(sizes, 7)}
    wanted = [key << 16 | value for key, values in containers.items() for value in values]
    assert decoded(official(containers, runs), "").tolist() == wanted


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", "no data to import for view: standard_2018"),
        (b"1234567", "importing standard roaring: invalid data: not long enough to be a roaring header"),
        (b"abcdefgh", "importing standard roaring: unknown roaring magic number 25185"),
        (
            struct.pack("<HBBI", 12348, 0, 0, 4) + bytes(52),
            "importing pilosa roaring: insufficient data .* want 72 bytes, got 60",
        ),
        (
            struct.pack("<HBBI", 12348, 3, 0, 0),
            "importing standard roaring: wrong roaring version, file is v3, server requires v0",
        ),
        (official({1: [1, 2, 3]})[:-1], "importing standard roaring: the data end before the last container: .*"),
    ],
)
def test_roaring_bytes_that_are_none(people: Asker, data: bytes, error: str) -> None:
    with pytest.raises(QueryError, match=f"^{error}$"):
        people.clients.import_roaring(people.index, "t", 0, [("", encode(uints(1))), ("2018", data)])
    assert people.clients.shards(people.index) == []


def test_export_has_the_standard_view_by_row_and_column(people: Asker) -> None:
    people.add("t", [(2, W + 5), (1, W + 9), (1, W), (1, 3)])
    rows, columns = people.clients.export(people.index, "t", 1)
    assert list(zip(rows.tolist(), columns.tolist(), strict=True)) == [(1, W), (1, W + 9), (2, W + 5)]
    people.clients.import_values(people.index, "i", uints(1), np.array([5]))
    assert [some.size for some in people.clients.export(people.index, "i", 0)] == [0, 0]
    assert people.clients.shards(people.index) == [0, 1]


def test_rows_of_a_column_are_those_of_its_shard_whatever_shards_are_asked_for(people: Asker) -> None:
    people.add("s", [(2, W + 5), (1, W + 9), (1, 3)])
    assert people.one(Call("Rows", [], {"field": "s", "column": W + 5}), shards=[0]) == RowsResult([2], "s")
    assert people.one(Call("Rows", [], {"field": "s"}), shards=[0]) == RowsResult([1], "s")
