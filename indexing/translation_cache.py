"""A cache of pairs, bounded in number and bytes, with reading and writing in bulk."""

from __future__ import annotations

import threading
from collections.abc import Container, Sequence
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")
Place = tuple[str, str]

MAX_CACHED_PAIRS = 1_000_000
MAX_CACHED_BYTES = 192 * 1024 * 1024
# What a pair takes besides its value: the entry of a dictionary, a number, the head of a byte string.
PAIR_BYTES = 150


class Pairs(Generic[K, V]):
    """keys -> values, by place (index, field). Thread-safe.

    Two generations: pairs are put into the young one; when that has half of what the cache may hold, it becomes the old one, and
    what was old goes as a whole. A pair of the old one that is asked for becomes young again. So nothing is ever moved or counted
    one by one, and what is in use stays.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._young: dict[Place, dict[K, V]] = {}
        self._old: dict[Place, dict[K, V]] = {}
        self._pairs = self._bytes = 0

    def __len__(self) -> int:
        return sum(len(some) for generation in (self._young, self._old) for some in list(generation.values()))

    def clear(self) -> None:
        """Forgets all."""
        with self._lock:
            self._young, self._old, self._pairs, self._bytes = {}, {}, 0, 0

    def find(self, place: Place, wanted: Sequence[K]) -> list[V | None]:
        """The value of each key, None where it is unknown."""
        young = self._young.get(place)
        found: list[V | None] = list(map(young.get, wanted)) if young else [None] * len(wanted)
        if place in self._old and None in found:
            self._rejuvenate(place, [key for key, value in zip(wanted, found, strict=True) if value is None])
            young = self._young.get(place, {})
            found = [young.get(key) if value is None else value for key, value in zip(wanted, found, strict=True)]
        return found

    def _rejuvenate(self, place: Place, wanted: Sequence[K]) -> None:
        # Under the lock from the look to the put: a pair that is dropped meanwhile must not come back.
        with self._lock:
            old = self._old.get(place, {})
            keys = [key for key in wanted if key in old]
            self._put(place, keys, [old[key] for key in keys], 0)

    def put(self, place: Place, keys: Sequence[K], values: Sequence[V], size: int) -> None:
        """Keeps pairs whose values (the byte strings among them) take `size` bytes together."""
        with self._lock:
            self._put(place, keys, values, size)

    def _put(self, place: Place, keys: Sequence[K], values: Sequence[V], size: int) -> None:
        most_pairs, most_bytes = MAX_CACHED_PAIRS // 2, MAX_CACHED_BYTES // 2
        keys, values = keys[-most_pairs:], values[-most_pairs:]
        size += PAIR_BYTES * len(keys)
        if self._pairs + len(keys) > most_pairs or self._bytes + size > most_bytes:
            self._old, self._young, self._pairs, self._bytes = self._young, {}, 0, 0
        if size <= most_bytes:
            self._young.setdefault(place, {}).update(zip(keys, values, strict=True))
            self._pairs += len(keys)
            self._bytes += size

    def drop_index(self, index: str) -> None:
        """Forgets all of an index."""
        with self._lock:
            for generation in (self._young, self._old):
                for place in [place for place in generation if place[0] == index]:
                    del generation[place]

    def drop_values(self, place: Place, values: Container[V]) -> None:
        """Forgets the pairs with these values."""
        with self._lock:
            for generation in (self._young, self._old):
                some = generation.get(place, {})
                for key in [key for key, value in some.items() if value in values]:
                    del some[key]
