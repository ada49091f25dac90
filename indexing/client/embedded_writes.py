"""The calls that write to a client index: those that follow each other are one transaction. Results are as in Pilosa.

Unlike in Pilosa, Clear() of a time field says whether any of its views had the bit, and a Set() that is refused leaves its column
as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from indexing.backends.base import FieldSchema
from indexing.backends.embedded_overlay_client import ClientTables
from indexing.calls import BoolResult, Call, NoResult, QueryError, Result, RowRef, RowResult
from indexing.client import embedded_times
from indexing.client.contract import ClientIndex, FieldOptions
from indexing.client.embedded_attributes import COLUMNS
from indexing.client.embedded_drafts import Drafts
from indexing.client.embedded_fields import physical, physical_fields
from indexing.client.embedded_reads import Reader
from indexing.roaring import MAX_ROW, SHARD_EXPONENT, SHARD_WIDTH, U64

_LOW = SHARD_WIDTH - 1
Write = tuple[Call, Sequence[int] | None]  # a call, and the shards that ClearRow() and Store() look at (None: all)


class Writer:
    """Within one write transaction. `finish` puts what was written into it."""

    def __init__(self, tables: ClientTables, index: ClientIndex, have: dict[str, FieldSchema]) -> None:
        """have: the physical fields that the store knows."""
        self._tables, self.index = tables, index
        self.have = dict(have)
        self._drafts = Drafts(tables, index)

    def prepare(self, calls: Iterable[Write]) -> None:
        """Says what is going to be asked for, so that it is looked up at once."""
        for call, _ in calls:
            ref, column = call.args.get("row"), call.args.get("column")
            if call.name not in ("Set", "Clear") or not isinstance(ref, RowRef) or not isinstance(column, int):
                continue
            options = self.index.fields.get(ref.field)
            if options is None or options.type == "int" or not isinstance(ref.row, int) or not 0 <= ref.row <= MAX_ROW:
                continue
            bits = self._drafts.bits(physical(ref.field), column >> SHARD_EXPONENT)
            bits.will_ask(int(ref.row) << SHARD_EXPONENT | column & _LOW)
            if options.type in ("mutex", "bool"):
                bits.will_ask_rows(column & _LOW)

    def write(self, call: Call, shards: Sequence[int] | None) -> Result:
        """Does what a call says. Raises QueryError; then the call has done nothing."""
        return _HANDLERS[call.name](self, call, shards)

    def finish(self) -> None:
        """Once, after all calls."""
        self._drafts.flush(self.have)

    def _options(self, call: Call, missing: str) -> tuple[str, FieldOptions]:
        ref = call.args.get("row")
        if not isinstance(ref, RowRef):
            raise QueryError(missing, call.position)
        if ref.field not in self.index.fields or physical(ref.field) not in self.have:
            raise QueryError("field not found", call.position)
        return ref.field, self.index.fields[ref.field]

    # Single bits

    def _set(self, call: Call, shards: Sequence[int] | None) -> Result:
        field, options = self._options(call, "Set() argument required: field")
        column, row = call.args["column"], call.args["row"].row
        shard, low = divmod(column, SHARD_WIDTH)
        if options.type == "int":
            value = int(row)
            if not options.minimum <= value <= options.maximum:
                raise QueryError(f"bsigroup value too {'low' if value < options.minimum else 'high'}", call.position)
            changed = self._drafts.ints(physical(field), shard).put(low, value)
            self._drafts.deepen(field, value)
        else:
            views = self._views_set(call, options)
            position = _position(call, int(row), low)
            changed = False
            for view in views:
                name = physical(field, view)
                if view:
                    self._drafts.declare(name)
                bits = self._drafts.bits(name, shard)
                if options.type in ("mutex", "bool"):
                    for other in bits.rows(low) - {int(row)}:
                        bits.put(other << SHARD_EXPONENT | low, False)
                changed |= bits.put(position, True)
        self._drafts.exists(column)
        return BoolResult(changed)

    def _views_set(self, call: Call, options: FieldOptions) -> list[str]:
        views = [] if options.no_standard_view else [""]
        if "timestamp" in call.args and options.type == "time":
            views += embedded_times.views_at(embedded_times.instant(call.args["timestamp"]), options.time_quantum)
        return views

    def _clear(self, call: Call, shards: Sequence[int] | None) -> Result:
        field, options = self._options(call, "Clear() argument required: field")
        column, row = call.args["column"], call.args["row"].row
        if options.type == "int" or options.no_standard_view or row is None or int(row) > MAX_ROW:
            return BoolResult(False)
        shard, low = divmod(column, SHARD_WIDTH)
        position = _position(call, int(row), low)
        changed = False
        for name in self._physical_fields(field, options):
            changed |= self._drafts.bits(name, shard).put(position, False)
        return BoolResult(changed)

    def _physical_fields(self, field: str, options: FieldOptions) -> list[str]:
        return [*physical_fields(field, self.have)] if options.type == "time" else [physical(field)]

    # Whole rows

    def _clear_row(self, call: Call, shards: Sequence[int] | None) -> Result:
        field, options = self._options(call, "ClearRow() argument required: field")
        if options.type == "int":
            raise QueryError("ClearRow() is not supported on int field types", call.position)
        row = call.args["row"].row
        if row is None or int(row) > MAX_ROW:
            return BoolResult(False)
        reader = self._reader()
        names = self._physical_fields(field, options)
        reader.schema.update((name, FieldSchema(name, "set")) for name in names)
        held = [(name, _columns(reader, Call("Row", [], {"row": RowRef(name, int(row))}), shards)) for name in names]
        for name, columns in held:
            self._change(name, int(row), columns[:0], columns)
        return BoolResult(any(columns.size for _, columns in held))

    def _store(self, call: Call, shards: Sequence[int] | None) -> Result:
        field, options = self._options(call, "field required for Store()")
        if options.type != "set":
            raise QueryError(f"can't Store() on a {options.type} field", call.position)
        if len(call.children) != 1:
            raise QueryError("Store() requires a source row", call.position)
        row = int(call.args["row"].row)
        _position(call, row, 0)
        reader = self._reader()
        source = _columns(reader, reader.bitmap(call.children[0]), shards)
        before = _columns(reader, Call("Row", [], {"row": RowRef(physical(field), row)}), shards)
        gone = np.setdiff1d(before, source, assume_unique=True)
        self._change(physical(field), row, np.setdiff1d(source, before, assume_unique=True), gone)
        return BoolResult(True)

    def _reader(self) -> Reader:
        """Sees what was written so far."""
        self._drafts.flush(self.have)
        return Reader.of(self._tables.snapshot(), self.index, self.have)

    def _change(self, name: str, row: int, come: U64, go: U64) -> None:
        """Columns (ascending) that a row gets and loses."""
        high, low = np.uint64(row << SHARD_EXPONENT), np.uint64(_LOW)
        shard_of = np.uint64(SHARD_EXPONENT)
        for shard in np.unique(np.concatenate([come, go]) >> shard_of).tolist():
            some = (columns[columns >> shard_of == shard] & low | high for columns in (come, go))
            self._tables.change_bits(name, shard, *some)
        self._drafts = Drafts(self._tables, self.index)

    # Attributes

    def _row_attrs(self, call: Call, shards: Sequence[int] | None) -> Result:
        field, _ = self._options(call, "SetRowAttrs() field required")
        self._drafts.set_attributes(field, int(call.args["row"].row), _attributes(call))
        return NoResult()

    def _column_attrs(self, call: Call, shards: Sequence[int] | None) -> Result:
        self._drafts.set_attributes(COLUMNS, call.args["column"], _attributes(call))
        return NoResult()


def _columns(reader: Reader, call: Call, shards: Sequence[int] | None) -> U64:
    """Of a bitmap call on physical fields. Raises QueryError as Store() does."""
    try:
        result = reader.engine(shards).answer(call)
    except QueryError as error:
        raise QueryError("getting source row: " + str(error).removeprefix("map reduce: "), error.position) from None
    assert isinstance(result, RowResult)
    columns: U64 = result.columns
    return columns


def _position(call: Call, row: int, low: int) -> int:
    if row > MAX_ROW:
        raise QueryError(f"row id {row} is greater than {MAX_ROW}", call.position)
    return row << SHARD_EXPONENT | low


def _attributes(call: Call) -> dict[str, Any]:
    attributes: dict[str, Any] = call.args.get("attrs", {})
    return attributes


_HANDLERS: dict[str, Callable[[Writer, Call, Sequence[int] | None], Result]] = {
    "Set": Writer._set,
    "Clear": Writer._clear,
    "ClearRow": Writer._clear_row,
    "Store": Writer._store,
    "SetRowAttrs": Writer._row_attrs,
    "SetColumnAttrs": Writer._column_attrs,
}
WRITES = frozenset(_HANDLERS)
