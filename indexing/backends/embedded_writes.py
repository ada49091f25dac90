"""The calls of PQL that write: Set, Clear, ClearRow, Store. Each is one commit, and returns what it returns in Pilosa 1.4.1.

Blobs of batches stay as they are: what is written goes into overlays (embedded_overlay). As in Pilosa, Set makes its column
exist, and nothing else changes what exists; Clear of an int does nothing. Refused, where Pilosa 1.4.1 does something by chance:
two fields in one call, a row beyond the last that can be read, a Store without exactly one source (it panics). A Set that is
refused leaves its column as it was, which Pilosa has marked as existing by then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from indexing.backends.base import ACCESS_FIELD, BackendError, FieldSchema
from indexing.backends.check import check, check_bitmap
from indexing.backends.embedded_engine import Engine, open_engine
from indexing.backends.embedded_keys import EXISTS_FIELD
from indexing.backends.embedded_overlay import Overlay, SetOverlay
from indexing.backends.embedded_overlays import Overlays, unpacked_ints, unpacked_set
from indexing.backends.embedded_plan import compile_bitmap
from indexing.backends.embedded_shard import Shard
from indexing.backends.embedded_snapshot import Snapshot
from indexing.backends.embedded_store import Store
from indexing.backends.names import LAST_COLUMN
from indexing.calls import BoolResult, Call, QueryError, RowRef
from indexing.fragment import WORDS, bitmap_of_columns, columns_of
from indexing.roaring import MAX_ROW, SHARD_EXPONENT, SHARD_WIDTH, U64, sorted_unique


def is_write(call: Call) -> bool:
    """Whether a top-level call writes, by itself or inside Options()."""
    if call.name == "Options" and len(call.children) == 1:
        call = call.children[0]
    return call.name in _HANDLERS


def write(store: Store, index: str, call: Call, shards: Sequence[int] | None) -> BoolResult:
    """Does what a call says, in one commit. shards: the only ones in which ClearRow and Store do anything.

    Raises QueryError, BackendAway, BackendError; then nothing has changed."""
    with store.overlays(index) as (snapshot, overlays):
        engine = open_engine(snapshot, index, shards)
        if call.name == "Options":
            check(replace(call, children=[Call("Union")]), engine.schema)  # its own arguments
            if call.args.get("shards") is not None:
                engine = open_engine(snapshot, index, call.args["shards"])
            call = call.children[0]
        writer = _Writer(snapshot, index, engine)
        result = _HANDLERS[call.name](writer, call)
        writer.put(overlays)
        return BoolResult(result)


def write_columns(store: Store, index: str, field: str, row: int, columns: U64, there: bool) -> None:
    """A row has these columns (ascending, distinct; they exist) besides its others, or has them no more, in one commit.

    Raises BackendAway, BackendError; then nothing has changed."""
    with store.overlays(index) as (snapshot, overlays):
        engine = open_engine(snapshot, index, None)
        if field not in engine.schema or engine.schema[field].kind != "set" or not 0 <= row <= MAX_ROW:
            raise BackendError(f"index {index} has no set field {field} with a row {row}")
        writer = _Writer(snapshot, index, engine)
        for shard in sorted_unique(columns >> np.uint64(SHARD_EXPONENT)).tolist():
            inside = columns[(columns >> np.uint64(SHARD_EXPONENT)) == np.uint64(shard)]
            writer.change_row(shard, field, row, bitmap_of_columns((inside & np.uint64(SHARD_WIDTH - 1)).astype(np.int64)), there)
        writer.put(overlays)


class _Writer:
    """Works out what a call changes. Nothing is put before all is read: a change makes invalid what LMDB has handed out."""

    def __init__(self, snapshot: Snapshot, index: str, engine: Engine) -> None:
        self._snapshot, self._index, self._engine = snapshot, index, engine
        self._changed: dict[tuple[str, int], Overlay] = {}

    def put(self, overlays: Overlays) -> None:
        """Within the same transaction: what has changed."""
        for (field, shard), overlay in self._changed.items():
            overlays.put(field, shard, overlay)

    def _overlay(self, field: str, shard: int) -> SetOverlay:
        return unpacked_set(self._snapshot.overlay(self._index, field, shard), self._index, field, shard)

    def _shard(self, shard: int) -> Shard:
        return Shard(self._snapshot, self._index, self._engine.schema, shard)

    # Single bits

    def set(self, call: Call) -> bool:
        """True if the bit was not there, or the int was another."""
        column = _column(call, "Set() column argument 'col' required")
        field = self._field(call, "Set() argument required: field")
        if field.kind == "int":
            changed = self._set_int(call, field, column)
        else:
            row = _row(call, "reading Set() row: ")
            if row > MAX_ROW:
                raise QueryError(f"row id {row} is greater than {MAX_ROW}", call.position)
            changed = self._change_bit(field.name, row, column, True)
        shard, low = divmod(column, SHARD_WIDTH)
        if not self._snapshot.pieces_within(self._index, shard, low, low):
            exists = self._overlay(EXISTS_FIELD, shard)
            if np.uint64(low) not in exists.added:
                self._changed[EXISTS_FIELD, shard] = exists.with_bits(np.array([low], np.uint64))
        return changed

    def _set_int(self, call: Call, field: FieldSchema, column: int) -> bool:
        value = _given(call)
        if isinstance(value, str):
            raise QueryError("string 'row' value not allowed unless field 'keys' option enabled", call.position)
        if isinstance(value, bool) or not isinstance(value, int):
            raise QueryError(f"reading Set() row: could not convert {_go(value)} to int64 in Call.IntArg", call.position)
        if not field.minimum <= value <= field.maximum:
            raise QueryError(f"bsigroup value too {'low' if value < field.minimum else 'high'}", call.position)
        shard, low = divmod(column, SHARD_WIDTH)
        if self._shard(shard).value(field.name, low) == value:
            return False
        written = self._snapshot.overlay(self._index, field.name, shard)
        overlay = unpacked_ints(written, self._index, field.name, shard)
        self._changed[field.name, shard] = overlay.with_value(low, value)
        return True

    def clear(self, call: Call) -> bool:
        """True if the bit was there."""
        column = _column(call, "column argument to Clear(<COLUMN>, <FIELD>=<ROW>) required")
        field = self._field(call, "Clear() argument required: field")
        if _unknown(call):
            return False
        row = _row(call, "reading Clear() row: ")
        return field.kind == "set" and row <= MAX_ROW and self._change_bit(field.name, row, column, False)

    def _change_bit(self, field: str, row: int, column: int, there: bool) -> bool:
        shard, low = divmod(column, SHARD_WIDTH)
        _, rows = self._engine.whole().rows_of_columns(field, np.array([column], np.uint64))
        if (np.uint64(row) in rows) == there:
            return False
        position = np.array([row << SHARD_EXPONENT | low], np.uint64)
        overlay = self._overlay(field, shard)
        self._changed[field, shard] = overlay.with_bits(position) if there else overlay.without_bits(position)
        return True

    # Whole rows

    def clear_row(self, call: Call) -> bool:
        """True if the row had a column."""
        field = self._field(call, "ClearRow() argument required: field")
        if field.kind == "int":
            raise QueryError("ClearRow() is not supported on int field types", call.position)
        if _unknown(call):
            return False
        row = _row(call, "mapreducing clearrow: reading ClearRow() row: ")
        if row > MAX_ROW:
            return False
        for shard, _ in self._engine.each(None):
            self._replace(shard, field.name, row, None)
        return bool(self._changed)

    def store(self, call: Call) -> bool:
        """True, whatever was there."""
        field = self._field(call, "field required for Store()")
        if field.kind == "int":
            raise QueryError("can't Store() on a int field", call.position)
        if len(call.children) != 1:
            text = "only accepts a single row input" if call.children else "requires an input row"
            raise QueryError(f"Store() {text}", call.position)
        check_bitmap(call.children[0], self._engine.schema)
        row = _row(call, "reading Store() row: ")
        if row > MAX_ROW:
            raise QueryError(f"row id {row} is greater than {MAX_ROW}", call.position)
        program = compile_bitmap(call.children[0])
        for shard, carry in self._engine.each(program):
            self._replace(shard, field.name, row, shard.run(program, carry))
        return True

    def change_row(self, shard: int, field: str, row: int, columns: U64, there: bool) -> None:
        """A row has these columns of a shard too, or no more."""
        before = self._shard(shard).row(field, row)
        before = np.zeros(WORDS, np.uint64) if before is None else before
        self._replace(self._shard(shard), field, row, before | columns if there else before & ~columns)

    def _replace(self, shard: Shard, field: str, row: int, columns: U64 | None) -> None:
        """A row has these columns of a shard, and no others."""
        before = shard.row(field, row)
        if before is None and columns is None:
            return
        nothing = np.zeros(WORDS, np.uint64)
        before, columns = nothing if before is None else before, nothing if columns is None else columns
        come, go = (columns_of(some, row << SHARD_EXPONENT) for some in (columns & ~before, before & ~columns))
        if come.size or go.size:
            overlay = self._overlay(field, shard.shard)
            self._changed[field, shard.shard] = overlay.without_bits(go).with_bits(come)

    def _field(self, call: Call, missing: str) -> FieldSchema:
        ref = call.args.get("row")
        name = ref.field if isinstance(ref, RowRef) else call.args["condition"][0] if "condition" in call.args else None
        if name is None:
            raise QueryError(missing, call.position)
        if call.args.get("extra"):
            raise QueryError(f"{call.name}() takes one field, but got {', '.join([name, *call.args['extra']])}", call.position)
        if name == ACCESS_FIELD:
            raise QueryError(f"field {ACCESS_FIELD} is a system field", call.position)
        if name not in self._engine.schema:
            raise QueryError("field not found", call.position)
        return self._engine.schema[name]


def _column(call: Call, missing: str) -> int:
    column = call.args.get("column")
    if column is None:
        raise QueryError(missing, call.position)
    if isinstance(column, bool) or not isinstance(column, int):
        raise QueryError("string 'col' value not allowed unless index 'keys' option enabled", call.position)
    if not 0 <= column <= LAST_COLUMN:
        raise QueryError(f"{call.name}() column {column} is not one of 0 to {LAST_COLUMN}", call.position)
    return column


def _given(call: Call) -> object:
    """What is said behind the field's name: a row, an int, or, wrongly, a condition."""
    return call.args["row"].row if "row" in call.args else call.args["condition"][1]


def _unknown(call: Call) -> bool:
    """Whether the row is a value that no column has: there is nothing to clear."""
    return "row" in call.args and call.args["row"].row is None


def _row(call: Call, prefix: str) -> int:
    row = _given(call)
    if isinstance(row, str):
        raise QueryError("string 'row' value not allowed unless field 'keys' option enabled", call.position)
    if isinstance(row, bool) or not isinstance(row, int):
        raise QueryError(f"{prefix}could not convert {_go(row)} to uint64 in Call.UintArg", call.position)
    if row < 0:
        name = call.args["row"].field
        raise QueryError(f"{prefix}value for '{name}' must be positive, but got {row}", call.position)
    return row


def _go(value: object) -> str:
    """A value and its type as Pilosa's messages write them."""
    if value is None:
        return "<nil> of type <nil>"
    if isinstance(value, bool):
        return f"{str(value).lower()} of type bool"
    if isinstance(value, float):
        return f"{value} of type float64"
    op = getattr(value, "op", None)
    return f"{value} of type {type(value).__name__}" if op is None else f"{op} {value.value} of type *pql.Condition"  # type: ignore[attr-defined]


_HANDLERS: dict[str, Callable[[_Writer, Call], bool]] = {
    "Set": _Writer.set,
    "Clear": _Writer.clear,
    "ClearRow": _Writer.clear_row,
    "Store": _Writer.store,
}
