"""Batches are read into memory that is used again, but never while somebody holds what lies in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from capture.packets import reading
from capture.packets.batch import LOCATOR_DTYPE
from capture.packets.reading import read_batch


def packets(tmp_path: Path, fill: int, count: int = 50, size: int = 1000) -> tuple[Path, np.ndarray]:
    path = tmp_path / f"{fill}"
    path.write_bytes(bytes([fill]) * count * size)
    locator = np.zeros(count, LOCATOR_DTYPE)
    locator["offset"] = np.arange(count) * size
    locator["captured_length"] = size
    return path, locator


def test_a_batch_that_is_held_stays_as_it_was(tmp_path: Path) -> None:
    first = read_batch(*packets(tmp_path, 1))
    second = read_batch(*packets(tmp_path, 2))
    assert set(first.data.tolist()) == {1} and set(second.data.tolist()) == {2}


def test_what_is_cut_from_a_batch_holds_it_too(tmp_path: Path) -> None:
    part = read_batch(*packets(tmp_path, 3)).data[100:200].view(np.uint16)
    view = memoryview(read_batch(*packets(tmp_path, 4)).data.data)[10:20]
    read_batch(*packets(tmp_path, 5))
    assert set(part.tolist()) == {0x0303} and set(view) == {4}


def test_memory_that_nobody_holds_is_used_again(tmp_path: Path) -> None:
    read_batch(*packets(tmp_path, 6))
    before = reading._kept.bytes_.ctypes.data  # still there while the next one is read: a fresh one would lie elsewhere
    batch = read_batch(*packets(tmp_path, 7))
    assert batch.data.ctypes.data == before and set(batch.data.tolist()) == {7}
