"""The locator file: what was written is read, small, whole or refused."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capture.packets.batch import LOCATOR_DTYPE, NO_TIME
from capture.packets.errors import PacketsError
from capture.packets.locator import decode_locator, encode_locator, read_locator, write_locator

U64, U32, U16 = st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**16 - 1)
TIMES = st.one_of(st.just(int(NO_TIME)), st.integers(-(2**63), 2**63 - 1), st.integers(0, 2**31).map(lambda s: s * 10**9))
RECORDS = st.lists(st.tuples(U64, U32, U32, TIMES, U64, U32, U16), max_size=40)


def usual(count: int) -> np.ndarray:
    """Packets of an ordinary capture: microseconds, a third of them filtered out."""
    random = np.random.default_rng(5)
    locator = np.zeros(count, LOCATOR_DTYPE)
    length = random.choice([60, 66, 74, 1514, 342, 590], count)
    number = np.cumsum(random.integers(1, 3, count))
    locator["captured_length"] = locator["wire_length"] = length
    locator["offset"] = 40 + np.cumsum(length + 16) - length
    locator["time_ns"] = 1_700_000_000 * 10**9 + np.cumsum(random.exponential(100, count).astype(np.int64)) * 1000
    locator["number"] = number
    locator["linktype"] = 1
    return locator


@settings(max_examples=300, deadline=None)
@given(records=RECORDS)
def test_any_locator_comes_back(records) -> None:
    locator = np.array(records, LOCATOR_DTYPE)
    assert decode_locator(encode_locator(locator)).tolist() == locator.tolist()


@pytest.mark.parametrize("count", [0, 1, 65536])
def test_through_a_file(tmp_path: Path, count: int) -> None:
    locator = usual(count)
    size = write_locator(tmp_path / "one", locator)
    assert os.path.getsize(tmp_path / "one") == size
    found = read_locator(tmp_path / "one")
    assert found.dtype == LOCATOR_DTYPE
    assert np.array_equal(found, locator)
    assert os.listdir(tmp_path) == ["one"]


def test_it_is_small(tmp_path: Path) -> None:
    assert write_locator(tmp_path / "one", usual(65536)) < 4 * 65536


def test_a_locator_is_replaced_whole(tmp_path: Path) -> None:
    write_locator(tmp_path / "one", usual(10))
    write_locator(tmp_path / "one", usual(3))
    assert len(read_locator(tmp_path / "one")) == 3


def test_nothing_is_left_of_a_write_that_failed(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="taken"):
        write_locator(tmp_path / "taken", usual(3))
    assert os.listdir(tmp_path) == ["taken"]


def test_cut_anywhere_it_is_refused(tmp_path: Path) -> None:
    data = encode_locator(usual(50))
    for cut in range(len(data)):
        with pytest.raises(PacketsError):
            decode_locator(data[:cut])
    with pytest.raises(PacketsError, match="too many"):
        decode_locator(data + b"x")


def test_a_flipped_bit_in_a_column_is_refused() -> None:
    data = encode_locator(usual(50))
    at = 16 + 12 + 10  # within the first column's zlib stream
    with pytest.raises(PacketsError, match="captured_length of the locator file is damaged"):
        decode_locator(data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :])


def test_another_version_and_another_file_are_named(tmp_path: Path) -> None:
    data = encode_locator(usual(1))
    with pytest.raises(PacketsError, match="version 9"):
        decode_locator(data[:7] + b"\x09" + data[8:])
    (tmp_path / "odd").write_bytes(b"something else altogether")
    with pytest.raises(PacketsError, match="odd: not a locator file"):
        read_locator(tmp_path / "odd")
