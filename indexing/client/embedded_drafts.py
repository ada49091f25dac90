"""What a run of writes has changed so far, in memory: each write sees those before it, and the store sees them all at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from indexing.backends.embedded_keys import EXISTS_FIELD
from indexing.backends.embedded_overlay_client import ClientTables
from indexing.backends.embedded_overlay_patch import among
from indexing.backends.embedded_overlays import unpacked_ints, unpacked_set
from indexing.backends.embedded_snapshot import Snapshot
from indexing.client import embedded_attributes
from indexing.client.contract import ClientIndex
from indexing.client.embedded_fields import store_name
from indexing.fragment import Fragment, bitmap_of_columns
from indexing.roaring import SHARD_EXPONENT, SHARD_WIDTH, U64

_LOW = SHARD_WIDTH - 1


class Bits:
    """One set field in one shard. Positions are row << 20 | column within the shard."""

    def __init__(self, blob: bytes | memoryview | None) -> None:
        """blob: roaring bytes of what is stored."""
        self._blob = blob
        self._stored: dict[int, bool] = {}
        self._now: dict[int, bool] = {}
        self._asked: set[int] = set()
        self._asked_columns: set[int] = set()
        self._rows: dict[int, set[int]] = {}  # of columns that were asked for: the rows that they have now

    def will_ask(self, position: int) -> None:
        """To look up many at once."""
        self._asked.add(position)

    def will_ask_rows(self, column: int) -> None:
        self._asked_columns.add(column)

    def has(self, position: int) -> bool:
        """Whether the bit is there now."""
        found = self._now.get(position)
        return self._was(position) if found is None else found

    def _was(self, position: int) -> bool:
        if self._blob is None:
            return False
        if position not in self._stored:
            asked = np.array(sorted(self._asked | {position}), np.uint64)
            self._stored.update(zip(asked.tolist(), among(self._blob, asked).tolist(), strict=True))
            self._asked.clear()
        return self._stored[position]

    def put(self, position: int, there: bool) -> bool:
        """Sets or clears a bit; whether it was otherwise."""
        if self.has(position) is there:
            return False
        self._now[position] = there
        rows = self._rows.get(position & _LOW)
        if rows is not None:
            (rows.add if there else rows.discard)(position >> SHARD_EXPONENT)
        return True

    def rows(self, column: int) -> set[int]:
        """The rows that a column has now. Not to be changed."""
        if column not in self._rows:
            asked = {column} | self._asked_columns - self._rows.keys()
            for one in asked:
                self._rows[one] = set()
            if self._blob is not None:
                mask = bitmap_of_columns(np.array(sorted(asked), np.int64))
                for position in Fragment(self._blob).positions(mask).tolist():
                    self._rows[position & _LOW].add(position >> SHARD_EXPONENT)
            for position, there in self._now.items():
                if position & _LOW in asked:
                    rows = self._rows[position & _LOW]
                    (rows.add if there else rows.discard)(position >> SHARD_EXPONENT)
        return self._rows[column]

    def changes(self) -> tuple[U64, U64]:
        """Positions that were set and that were cleared, ascending; what is as it was stored may be among them."""
        add, remove = ([p for p, there in self._now.items() if there is wanted] for wanted in (True, False))
        return np.array(sorted(add), np.uint64), np.array(sorted(remove), np.uint64)


class Ints:
    """One int field in one shard."""

    def __init__(self, overlay: Any) -> None:
        """overlay: an IntOverlay of what is stored."""
        self._overlay = overlay
        self._fragment = overlay.fragment() if len(overlay) else None
        self.now: dict[int, int] = {}

    def put(self, column: int, value: int) -> bool:
        """Whether the column had another value, or none."""
        before = self.now.get(column)
        if before is None and self._fragment is not None:
            before = self._fragment.at(column)
        if before == value:
            return False
        self.now[column] = value
        return True

    def all(self) -> tuple[Any, Any]:
        """Columns within the shard, ascending, and their values."""
        columns = np.array(sorted(self.now), np.int64)
        values = np.array([self.now[column] for column in columns.tolist()], np.int64)
        return with_values(self._overlay.column, self._overlay.value, columns, values)


def with_values(column: Any, value: Any, columns: Any, values: Any) -> tuple[Any, Any]:
    """Values int64 (n,) at columns (n,), with those at `columns` (m,) instead or besides. Columns ascend, before and after."""
    kept = ~np.isin(column, columns, assume_unique=True)
    all_columns, all_values = np.concatenate([column[kept], columns]), np.concatenate([value[kept], values])
    order = np.argsort(all_columns, kind="stable")
    return all_columns[order], all_values[order]


class Drafts:
    """Of one index in one write transaction."""

    def __init__(self, tables: ClientTables, index: ClientIndex) -> None:
        self._tables, self.index = tables, index
        self._store_index = store_name(index.name)
        self._begin()

    def _begin(self) -> None:
        self._snapshot: Snapshot = self._tables.snapshot()
        self._bits: dict[tuple[str, int], Bits] = {}
        self._ints: dict[tuple[str, int], Ints] = {}
        self._attributes: dict[tuple[str, int], dict[str, Any]] = {}
        self._depths: dict[str, int] = {}
        self._exists: dict[int, set[int]] = {}
        self._declared: set[str] = set()

    def bits(self, field: str, shard: int) -> Bits:
        """field: a physical one."""
        found = self._bits.get((field, shard))
        if found is None:
            value = self._snapshot.overlay(self._store_index, field, shard)
            stored = None
            if value is not None:
                stored = unpacked_set(value, self._store_index, field, shard).fragment().blob.data.cast("B")
            found = self._bits[field, shard] = Bits(stored)
        return found

    def ints(self, field: str, shard: int) -> Ints:
        """field: a physical one."""
        found = self._ints.get((field, shard))
        if found is None:
            value = self._snapshot.overlay(self._store_index, field, shard)
            found = self._ints[field, shard] = Ints(unpacked_ints(value, self._store_index, field, shard))
        return found

    def exists(self, column: int) -> None:
        """A column comes to exist, where that is tracked."""
        if self.index.options.track_existence:
            self._exists.setdefault(column >> SHARD_EXPONENT, set()).add(column & _LOW)

    def deepen(self, field: str, value: int) -> None:
        """A value was stored."""
        bits = abs(value - self.index.fields[field].base).bit_length()
        self._depths[field] = max(bits, self._depths.get(field, 0))

    def declare(self, field: str) -> None:
        """A physical field is written to, perhaps for the first time."""
        self._declared.add(field)

    def set_attributes(self, field: str, number: int, more: dict[str, Any]) -> None:
        before = self._attributes.get((field, number))
        if before is None:
            before = embedded_attributes.of(self._snapshot, self.index.name, field, number)
        self._attributes[field, number] = embedded_attributes.merged(before, more)

    def flush(self, have: Any) -> None:
        """Puts all into the transaction. have: the physical fields that the store knows, to which those that it did not are
        added."""
        changes = {key: bits.changes() for key, bits in self._bits.items()}
        ints = {key: some.all() for key, some in self._ints.items() if some.now}
        exists = {shard: np.array(sorted(columns), np.uint64) for shard, columns in self._exists.items()}
        for shard, columns in list(exists.items()):
            value = self._snapshot.overlay(self._store_index, EXISTS_FIELD, shard)
            if value is not None:
                stored = unpacked_set(value, self._store_index, EXISTS_FIELD, shard).fragment()
                exists[shard] = columns[~among(stored.blob.data.cast("B"), columns)]
        fresh = {field: "set" for field in sorted(self._declared) if field not in have}
        # From here on what LMDB handed out is invalid
        if fresh:
            self._tables.declare(fresh)
            have.update(fresh)
        none = np.zeros(0, np.uint64)
        for (field, shard), (add, remove) in changes.items():
            self._tables.change_bits(field, shard, add, remove)
        for (field, shard), (column, value) in ints.items():
            self._tables.put_ints(field, shard, column, value)
        for shard, columns in exists.items():
            self._tables.change_bits(EXISTS_FIELD, shard, columns, none)
        for (field, number), attributes in self._attributes.items():
            self._tables.put_attributes(field, number, attributes)
        for field, bits in self._depths.items():
            self._tables.deepen(field, bits)
        self._begin()
