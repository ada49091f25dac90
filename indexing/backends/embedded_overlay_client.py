"""A client index within a write transaction: all of it is in overlays (embedded_overlay); there are no batches.

Keys of the table ``overlay`` besides those of overlays:

- NUL "attrs" NUL index NUL field NUL id (u64) -> JSON: the attributes of a row; of a column, field is empty;
- NUL "depth" NUL index NUL field -> decimal: the bits of the greatest |value - base| that an int field has ever had.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexing.backends import embedded_keys as keys
from indexing.backends.base import BackendError
from indexing.backends.embedded_overlay import IntOverlay, packed_bits
from indexing.backends.embedded_overlay_patch import patched
from indexing.backends.embedded_overlays import Overlays, unpacked_set
from indexing.backends.embedded_snapshot import Snapshot
from indexing.roaring import HEADER, SHARD_WIDTH, U64, RoaringError

_LOW = np.uint64(SHARD_WIDTH - 1)


class ClientTables:
    """Changes one client index; nothing is visible to others before the transaction's commit.

    What `snapshot` has handed out as memoryview is invalid after a change."""

    def __init__(self, txn: Any, schema: Any, overlay: Any, index: str, snapshot: Callable[[], Snapshot]) -> None:
        self._txn, self._schema, self._overlay, self._index = txn, schema, overlay, index
        self._overlays = Overlays(txn, overlay, index)
        self._noted: set[int] = set()  # shards that are noted as changed
        self.snapshot = snapshot

    # Schema

    def declare(self, fields: Mapping[str, str]) -> None:
        """Makes the index, and fields that are not there: their kinds by name."""
        self._changed_schema()
        self._txn.put(keys.name_key(self._index), b"{}", db=self._schema)
        for field, kind in fields.items():
            value = json.dumps({"kind": kind, "minimum": 0, "maximum": 0}).encode()
            self._txn.put(keys.name_key(self._index) + field.encode(), value, db=self._schema, overwrite=False)

    def _changed_schema(self) -> None:
        self._txn.put(keys.SCHEMA_VERSION, keys.NUMBER.pack(self._txn.id()), db=self._schema)

    def forget_fields(self, fields: Iterable[str], attributes_of: str | None) -> None:
        """Takes fields out with all their bits, and the attributes and depth of the field with that name."""
        self._changed_schema()
        gone = set(fields)
        for field in gone:
            self._txn.delete(keys.name_key(self._index) + field.encode(), db=self._schema)
        for shard in sorted(self.snapshot().overlaid(self._index)):
            for field in gone:
                if self._txn.delete(keys.overlay_key(self._index, shard, field), db=self._overlay):
                    self._overlays.changed(shard)
        if attributes_of is not None:
            self._delete(keys.attributes_key(self._index, attributes_of))
            self._txn.delete(keys.depth_key(self._index, attributes_of), db=self._overlay)

    def drop(self) -> None:
        """Takes out all."""
        self._changed_schema()
        for shard in self.snapshot().overlaid(self._index):
            self._overlays.changed(shard)
        self._delete(keys.name_key(self._index), self._schema)
        for prefix in (keys.name_key(self._index), keys.attributes_key(self._index), keys.depth_key(self._index)):
            self._delete(prefix)

    def _delete(self, prefix: bytes, table: Any = None) -> None:
        with self._txn.cursor(db=self._overlay if table is None else table) as cursor:
            more = cursor.set_range(prefix)
            while more and bytes(cursor.key()).startswith(prefix):
                more = cursor.delete()  # moves to the next

    # Bits

    def change_bits(self, field: str, shard: int, add: U64, remove: U64) -> None:
        """Positions (ascending, distinct, none in both) of a set field in a shard that are set and cleared."""
        if not (add.size or remove.size):
            return
        key = keys.overlay_key(self._index, shard, field)
        written = self._txn.get(key, db=self._overlay)
        if written is None and not add.size:
            return
        columns = add & _LOW
        low, high = (int(columns.min()), int(columns.max())) if add.size else (SHARD_WIDTH - 1, 0)
        blob = None
        if written is not None:
            before = unpacked_set(written, self._index, field, shard)
            if before.removed.size:
                raise BackendError(f"field {field} of client index {self._index} has removed bits in shard {shard}")
            low, high = min(low, before.span[0]), max(high, before.span[1])
            blob = before.fragment().blob.data.cast("B")
        try:
            fresh = patched(blob, add, remove)
        except RoaringError as error:
            raise BackendError(f"field {field} of index {self._index} in shard {shard}: {error}") from error
        self._put(key, shard, None if len(fresh) == HEADER.size else packed_bits(fresh, (low, high)))

    def stored(self, field: str, shard: int) -> memoryview | None:
        """The overlay of a field in a shard as it is now; None if there is none. Invalid after a change."""
        value: memoryview | None = self._txn.get(keys.overlay_key(self._index, shard, field), db=self._overlay)
        return value

    def put_ints(self, field: str, shard: int, column: NDArray[np.int64], value: NDArray[np.int64]) -> None:
        """All values of an int field in a shard; columns within it, ascending."""
        packed = IntOverlay(column, value).packed() if column.size else None
        self._put(keys.overlay_key(self._index, shard, field), shard, packed)

    def _put(self, key: bytes, shard: int, value: bytes | None) -> None:
        if shard not in self._noted:
            self._overlays.changed(shard)
            self._noted.add(shard)
        if value is None:
            self._txn.delete(key, db=self._overlay)
        else:
            self._txn.put(key, value, db=self._overlay)

    # What is beside them

    def put_attributes(self, field: str, number: int, attributes: Mapping[str, Any]) -> None:
        """All attributes of a row, or, with an empty field, of a column."""
        key = keys.attributes_key(self._index, field) + keys.NUMBER.pack(number)
        if attributes:
            self._txn.put(key, json.dumps(attributes).encode(), db=self._overlay)
        else:
            self._txn.delete(key, db=self._overlay)

    def deepen(self, field: str, bits: int) -> None:
        """Notes that an int field has had a value of so many bits."""
        key = keys.depth_key(self._index, field)
        if bits > int(bytes(self._txn.get(key, b"0", db=self._overlay))):
            self._txn.put(key, b"%d" % bits, db=self._overlay)
