"""The overlays of one index within a write transaction: their keys and values in the store's table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from indexing.backends import embedded_keys as keys
from indexing.backends import embedded_overlay
from indexing.backends.base import BackendError, BatchRange
from indexing.backends.embedded_overlay import IntOverlay, Overlay, SetOverlay
from indexing.backends.ranges import merged


class Overlays:
    """Reads and changes them; nothing is visible before the transaction's commit."""

    def __init__(self, txn: Any, table: Any, index: str) -> None:
        self._txn, self._table, self._index = txn, table, index

    def changed(self, shard: int) -> None:
        """Notes that this transaction changes bits of a shard: what processes keep of it (embedded_cache) is no longer right."""
        version = keys.NUMBER.pack(self._txn.id())
        for key in (keys.changed_key(self._index), keys.changed_key(self._index, shard)):
            self._txn.put(key, version, db=self._table)

    def put(self, field: str, shard: int, overlay: Overlay) -> None:
        """One that says nothing is no longer there."""
        self.changed(shard)
        key = keys.overlay_key(self._index, shard, field)
        if len(overlay):
            self._txn.put(key, overlay.packed(), db=self._table)
        else:
            self._txn.delete(key, db=self._table)

    def forget(self, batches: Iterable[BatchRange]) -> None:
        """What was written to the columns of these batches, which come or go, is no more. Raises BackendError."""
        for shard, ranges in merged(batches).items():
            for key, value in list(self._of_shard(shard)):
                if not embedded_overlay.touches(value, ranges):
                    continue
                field = keys.field_of_overlay(key)
                before = unpacked(value, self._index, field, shard)
                after = before.without_columns(ranges)
                if len(after) < len(before):
                    self.put(field, shard, after)

    def _of_shard(self, shard: int) -> Iterator[tuple[bytes, bytes]]:
        prefix = keys.overlay_key(self._index, shard)
        with self._txn.cursor(db=self._table) as cursor:
            more = cursor.set_range(prefix)
            while more and bytes(cursor.key()).startswith(prefix):
                yield bytes(cursor.key()), bytes(cursor.value())
                more = cursor.next()


def unpacked(value: bytes | memoryview, index: str, field: str, shard: int) -> Overlay:
    """The overlay of these bytes. Raises BackendError, naming it, if they are damaged."""
    try:
        return embedded_overlay.unpack(value)
    except ValueError as error:
        raise BackendError(f"what PQL wrote to field {field} of index {index} in shard {shard} is damaged: {error}") from error


def unpacked_set(value: bytes | memoryview | None, index: str, field: str, shard: int) -> SetOverlay:
    """The overlay of a set field; an empty one of None. Raises BackendError."""
    overlay = SetOverlay.empty() if value is None else unpacked(value, index, field, shard)
    if not isinstance(overlay, SetOverlay):
        raise BackendError(f"what PQL wrote to field {field} of index {index} in shard {shard} is damaged: it has ints, not rows")
    return overlay


def unpacked_ints(value: bytes | memoryview | None, index: str, field: str, shard: int) -> IntOverlay:
    """The overlay of an int field; an empty one of None. Raises BackendError."""
    overlay = IntOverlay.empty() if value is None else unpacked(value, index, field, shard)
    if not isinstance(overlay, IntOverlay):
        raise BackendError(f"what PQL wrote to field {field} of index {index} in shard {shard} is damaged: it has rows, not ints")
    return overlay
