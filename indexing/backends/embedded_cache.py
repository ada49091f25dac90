"""What a process keeps of the embedded store between queries: a field's bits in a shard in one piece, and results.

Nothing is told to anybody when something changes: each kept thing belongs to a version of a shard (or of an index), which is read
in the transaction that the query reads in. A version is the transaction that changed the shard's bits last, as the store notes it
with every change, and LMDB never gives a transaction's number twice. So an answer is that of the reader's own snapshot, and a
commit to one shard leaves what is kept of the others. While no transaction has been committed, not even the versions are read.

Bounded in bytes: what was not used for longest goes first. Writers' own views are not cached (embedded_store).
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Hashable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from indexing.backends.embedded_snapshot import Snapshot

# Of what the process may take (this part), and not outside of these bounds: a page of ten million packets with its facets under a
# filter needs 0.6 GiB, and a server has two or more processes that keep something.
_SHARE, _LEAST, _MOST = 24, 128 << 20, 1 << 30
_OVERHEAD = 200  # bytes of an entry besides what it holds
_LARGE = 1 << 20
_ADMITTED = 32  # of so many, one
_LEFT = 0.75  # of the limit, after it was reached


def limit() -> int:
    """Bytes that a process may keep: PICAPWEB_QUERY_CACHE (bytes; 0: nothing is kept); not set: a part of the memory."""
    return int(os.environ.get("PICAPWEB_QUERY_CACHE") or min(max(memory() // _SHARE, _LEAST), _MOST))


def memory() -> int:
    """Bytes of the machine's memory, or of the container's, where that is less (cgroup v2)."""
    try:
        most = int(Path("/sys/fs/cgroup/memory.max").read_text())
    except (OSError, ValueError):  # no cgroup v2, the root's, or "max"
        most = 1 << 62
    return min(most, int(psutil.virtual_memory().total))


class _Kept:
    __slots__ = ("size", "used", "value")

    def __init__(self, value: Any, size: int, used: int) -> None:
        self.value, self.size, self.used = value, size, used


class State:
    """What is kept of one version of a shard, or of an index."""

    __slots__ = ("entries", "seen", "version")

    def __init__(self, version: Any) -> None:
        self.version = version
        self.entries: dict[Hashable, _Kept] = {}
        self.seen: set[str] = set()  # fields that were asked for once


class View:
    """An index as one snapshot has it. shards: ascending; whole: what is kept of all of them together."""

    __slots__ = ("shards", "states", "transaction", "whole")

    def __init__(self, transaction: int, whole: State, shards: list[int], states: dict[int, State]) -> None:
        self.transaction, self.whole, self.shards, self.states = transaction, whole, shards, states


class Counted:
    """How often something happened, in all threads together, for the price of a call."""

    __slots__ = ("_next", "one_more")

    def __init__(self) -> None:
        self._next = itertools.count()
        self.one_more = self._next.__next__

    def so_far(self) -> int:
        return int(self._next.__reduce__()[1][0])


class Cache:
    """Of one store and process; for any number of threads."""

    def __init__(self, most: int | None = None) -> None:
        """most: bytes."""
        self.most = limit() if most is None else most
        self.size = 0  # at least what is kept: what belongs to versions that are no more is counted until the limit is reached
        self._views: dict[str, View] = {}
        self._tick = 0
        self._lock = threading.Lock()
        self.hits, self.misses = Counted(), Counted()

    def view(self, snapshot: Snapshot, index: str) -> View:
        """What is kept of an index, as far as it is right in this snapshot."""
        transaction = snapshot.transaction
        before = self._views.get(index)
        if before is not None and before.transaction == transaction:
            return before
        version = (*snapshot.changed(index, None), snapshot.schema_version())
        if before is not None and before.whole.version == version:
            view = View(transaction, before.whole, before.shards, before.states)
        else:
            shards = snapshot.shards(index)
            states = {shard: self._state(before, shard, snapshot.changed(index, shard)) for shard in shards}
            view = View(transaction, State(version), shards, states)
        if before is None or before.transaction < transaction:
            self._views[index] = view
        return view

    @staticmethod
    def _state(before: View | None, shard: int, version: tuple[bytes, bytes]) -> State:
        state = None if before is None else before.states.get(shard)
        return state if state is not None and state.version == version else State(version)

    def get(self, state: State, key: Hashable) -> Any:
        """What was put under a key; None if it is not there."""
        kept = state.entries.get(key)
        if kept is None:
            self.misses.one_more()
            return None
        self.hits.one_more()
        self._tick += 1
        kept.used = self._tick
        return kept.value

    def put(self, state: State, key: Hashable, value: Any, size: int) -> None:
        """Keeps a value, which nobody changes any more, of so many bytes, if it is not too large."""
        size += _OVERHEAD
        if size > self.most // 4:
            return
        self._tick += 1
        with self._lock:
            state.entries[key] = _Kept(value, size, self._tick)
            self.size += size
            if self.size > self.most:
                self._make_room()

    def admits(self) -> bool:
        """Whether something large is to be made and kept now. With the cache full, only sometimes: what is used in turn and does
        not fit would be made each time and be gone before it is used again."""
        if self.size + _LARGE < self.most:
            return True
        self._tick += 1
        if self._tick % _ADMITTED:
            return False
        with self._lock:
            self._make_room()
        return True

    def _make_room(self) -> None:
        kept = [
            (one.used, one.size, state, key)
            for view in list(self._views.values())
            for state in (view.whole, *view.states.values())
            for key, one in list(state.entries.items())
        ]
        self.size = sum(size for _, size, _, _ in kept)
        if self.size <= self.most:
            return
        for _, size, state, key in sorted(kept, key=lambda one: one[0]):
            state.entries.pop(key, None)
            self.size -= size
            if self.size <= self.most * _LEFT:
                return
