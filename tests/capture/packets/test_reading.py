"""Packets by locator, wherever they lie in the capture."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capture.packets import reading
from capture.packets.batch import LOCATOR_DTYPE
from capture.packets.errors import ReadError
from capture.packets.reading import read_batch, read_packet


def locator(places: list[tuple[int, int]]) -> np.ndarray:
    found = np.zeros(len(places), LOCATOR_DTYPE)
    found["offset"] = [offset for offset, _ in places]
    found["captured_length"] = [length for _, length in places]
    found["number"] = np.arange(1, len(places) + 1)
    return found


@pytest.mark.parametrize("spare", [reading.SPARE, -(1 << 40)], ids=["as it lies", "moved together"])
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=st.lists(st.tuples(st.integers(0, 900), st.integers(0, 124)), max_size=30))
def test_any_packets_in_any_order(tmp_path: Path, monkeypatch, spare: int, places) -> None:
    """Overlaps and repetitions too. Small pieces and gaps, so that every edge is met."""
    content = bytes(i * 7 % 251 for i in range(1024))
    (tmp_path / "capture").write_bytes(content)
    monkeypatch.setattr(reading, "SPARE", spare)
    monkeypatch.setattr(reading, "PIECE", 100)
    monkeypatch.setattr(reading, "MAX_GAP", 20)
    batch = read_batch(tmp_path / "capture", locator(places))
    assert len(batch) == len(places)
    assert [batch.packet(i) for i in range(len(batch))] == [content[at : at + length] for at, length in places]


def test_packets_far_apart_take_little_memory(tmp_path: Path) -> None:
    """A capture of 2 GB (sparse) of which a filter left 4,000 packets, some of them 60 kB apart and some 60 MB."""
    places = [(n * 60_000, 100) for n in range(2000)] + [(n * 1_000_000, 100) for n in range(121, 2121)]
    with open(tmp_path / "capture", "wb") as file:
        for at, _ in places:
            file.seek(at)
            file.write(at.to_bytes(8, "big"))
        file.truncate(2_200_000_000)
    tracemalloc.start()
    try:
        batch = read_batch(tmp_path / "capture", locator(places))
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()
    assert [int.from_bytes(batch.packet(i)[:8], "big") for i in range(len(batch))] == [at for at, _ in places]


def test_a_capture_shorter_than_its_locator_is_an_error_that_names_the_packet(tmp_path: Path) -> None:
    (tmp_path / "capture").write_bytes(bytes(100))
    with pytest.raises(ReadError, match="has only 100 bytes, and 11 are wanted") as caught:
        read_batch(tmp_path / "capture", locator([(0, 10), (90, 10), (90, 11)]))
    assert (caught.value.offset, caught.value.packet) == (90, 3)
    with pytest.raises(ReadError):
        read_batch(tmp_path / "capture", locator([(2**64 - 5, 5)]))


def test_one_packet(tmp_path: Path) -> None:
    (tmp_path / "capture").write_bytes(b"0123456789")
    assert read_packet(tmp_path / "capture", locator([(0, 1), (3, 4)])[1]) == b"3456"


def test_no_packets_and_empty_packets(tmp_path: Path) -> None:
    (tmp_path / "capture").write_bytes(b"0123456789")
    assert len(read_batch(tmp_path / "capture", locator([]))) == 0
    assert read_batch(tmp_path / "capture", locator([(4, 0), (9, 0)])).packet(1) == b""
