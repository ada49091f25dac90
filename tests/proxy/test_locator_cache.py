"""Locators are kept up to a number of bytes, the ones that were asked for last."""

from __future__ import annotations

import numpy as np
import pytest

from proxy.locator_cache import LocatorCache


class Disk:
    def __init__(self) -> None:
        self.reads: list[str] = []

    def __call__(self, path: str) -> np.ndarray:
        self.reads.append(path)
        if path == "gone":
            raise FileNotFoundError(path)
        return np.zeros(int(path.rpartition("-")[2]), np.uint8)


def test_what_was_asked_for_last_is_kept_within_the_bytes():
    disk = Disk()
    cache = LocatorCache(disk, 100)
    for path in ("a-40", "b-40", "a-40", "c-40", "a-40", "b-40"):
        assert len(cache(path)) == 40
        assert cache.bytes <= 100
    assert disk.reads == ["a-40", "b-40", "c-40", "b-40"], "b was the oldest when c came"


def test_one_that_is_too_large_is_handed_out_and_nothing_is_lost_for_it():
    disk = Disk()
    cache = LocatorCache(disk, 100)
    cache("a-40")
    assert len(cache("huge-101")) == 101
    cache("a-40")
    assert disk.reads == ["a-40", "huge-101"]


def test_an_error_is_told_each_time():
    disk = Disk()
    cache = LocatorCache(disk, 100)
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            cache("gone")
    assert (disk.reads, cache.bytes) == (["gone", "gone"], 0)
