"""Many byte strings at once: compiled and in Python alike, and as hashlib says."""

from __future__ import annotations

import hashlib
import random

import numpy as np
import pytest

from indexing import strings
from indexing.strings import Strings

# All lengths about a block of the hash, and none at all, and long ones.
VALUES = [random.Random(n).randbytes(n) for n in [*range(300), 1023, 1024, 1025, 65536]] + [b"", b"\0", b"\0" * 128]


@pytest.fixture(params=[0, 10**9], ids=["compiled", "python"])
def way(request, monkeypatch):
    monkeypatch.setattr(strings, "FEW", request.param)


def test_hashes_are_those_of_hashlib(way):
    found = Strings.of(VALUES).hashes()
    assert [row.tobytes() for row in found] == [hashlib.blake2b(value, digest_size=16).digest() for value in VALUES]


def test_each_is_behind_its_head(way):
    heads = np.zeros(len(VALUES), np.dtype([("count", ">i2"), ("length", ">i4")]))
    heads["count"], heads["length"] = 7, [len(value) for value in VALUES]
    expected = b"".join(b"\0\7" + len(value).to_bytes(4, "big") + value for value in VALUES)
    assert Strings.of(VALUES).behind(heads) == expected


def test_chosen_ones_keep_their_order(way):
    some = np.array([5, 0, 303, 300])
    chosen = Strings.of(VALUES).chosen(some)
    assert [chosen[i] for i in range(len(chosen))] == [VALUES[i] for i in some]
    assert [row.tobytes() for row in chosen.hashes()] == [strings._hash(VALUES[i]) for i in some]


def test_none_at_all(way):
    none = Strings.of([])
    assert len(none) == 0
    assert none.hashes().shape == (0, 16)
    assert none.behind(np.zeros(0, ">i4")) == b""
