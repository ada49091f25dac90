"""The locator file: what was written is read, small, whole or refused."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capture.packets.batch import LOCATOR_DTYPE, NO_TIME
from capture.packets.errors import PacketsError
from capture.packets.locator import (
    decode_all,
    decode_locator,
    encode_locator,
    read_locator,
    read_locator_and_names,
    write_locator,
)

U64, U32, U16, U8 = (st.integers(0, 2**bits - 1) for bits in (64, 32, 16, 8))
TIMES = st.one_of(st.just(int(NO_TIME)), st.integers(-(2**63), 2**63 - 1), st.integers(0, 2**31).map(lambda s: s * 10**9))
RECORDS = st.lists(st.tuples(U64, U32, U32, TIMES, U64, U32, U16, U8), max_size=40)


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


def version_1(locator: np.ndarray) -> bytes:
    """A locator file as it was written before there were directions and interface names."""
    out = [struct.pack("<7sBQ", b"PWLOCAT", 1, len(locator))]
    captured = [int(n) for n in locator["captured_length"]]
    for name in ("captured_length", "wire_length", "offset", "time_ns", "number", "interface", "linktype"):
        values = [int(n) for n in locator[name]]
        if name == "wire_length":
            values = [n - m for n, m in zip(values, captured, strict=True)]
        elif name != "captured_length":
            behind = captured if name == "offset" else [0] * len(values)
            values = [n - (values[i - 1] + behind[i - 1] if i else 0) for i, n in enumerate(values)]
        signed = [(n + 2**63) % 2**64 - 2**63 for n in values]
        folded = [(2 * n if n >= 0 else -2 * n - 1) for n in signed]
        width = max(1, (max(folded, default=0).bit_length() + 7) // 8)
        planes = b"".join(bytes(n >> 8 * plane & 0xFF for n in folded) for plane in range(width))
        packed = zlib.compress(planes, 6)
        out.append(struct.pack("<QI", 1, len(packed)) + packed)
    return b"".join(out)


@settings(max_examples=150, deadline=None)
@given(records=RECORDS)
def test_a_locator_of_the_first_version_is_still_read(records) -> None:
    locator = np.array(records, LOCATOR_DTYPE)
    locator["direction"] = 0
    found, names = decode_all(version_1(locator))
    assert found.tolist() == locator.tolist()
    assert names == ()


@settings(max_examples=150, deadline=None)
@given(names=st.lists(st.binary(max_size=300), max_size=8), used=st.lists(st.integers(0, 9), max_size=20))
def test_the_names_of_the_interfaces_that_it_needs_come_back(names: list[bytes], used: list[int]) -> None:
    locator = usual(len(used))
    locator["interface"] = used
    found, named = decode_all(encode_locator(locator, names))
    assert found.tolist() == locator.tolist()
    for i in used:
        assert (named[i] if i < len(named) else b"") == (names[i] if i < len(names) else b"")
    assert all(not name or i in used for i, name in enumerate(named))


@pytest.mark.parametrize("count", [0, 1, 65536])
def test_through_a_file(tmp_path: Path, count: int) -> None:
    locator = usual(count)
    size = write_locator(tmp_path / "one", locator)
    assert os.path.getsize(tmp_path / "one") == size
    found = read_locator(tmp_path / "one")
    assert found.dtype == LOCATOR_DTYPE
    assert np.array_equal(found, locator)
    assert os.listdir(tmp_path) == ["one"]


def test_names_through_a_file(tmp_path: Path) -> None:
    locator = usual(9)
    locator["interface"] = 2
    write_locator(tmp_path / "one", locator, [b"eth0", b"eth1", b"wlan\xff"])
    assert read_locator_and_names(tmp_path / "one")[1] == (b"", b"", b"wlan\xff")


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
    data = encode_locator(usual(50), [b"eth0"])
    for cut in range(len(data)):
        with pytest.raises(PacketsError):
            decode_locator(data[:cut])
    with pytest.raises(PacketsError, match="too many"):
        decode_locator(data + b"x")


@pytest.mark.parametrize("encode", [encode_locator, version_1])
def test_a_flipped_bit_in_a_column_is_refused(encode) -> None:
    data = encode(usual(50))
    at = 16 + 12 + 15  # within the first column's compressed bytes
    with pytest.raises(PacketsError, match="captured_length of the locator file is damaged"):
        decode_locator(data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :])


def test_another_version_and_another_file_are_named(tmp_path: Path) -> None:
    data = encode_locator(usual(1))
    with pytest.raises(PacketsError, match="version 9"):
        decode_locator(data[:7] + b"\x09" + data[8:])
    (tmp_path / "odd").write_bytes(b"something else altogether")
    with pytest.raises(PacketsError, match="odd: not a locator file"):
        read_locator(tmp_path / "odd")
