"""Client indexes: those that Pilosa's clients make through us, beside the packet indexes; and what a backend does for them.

An engine sees ids alone. Keys of rows and of columns are translated above it, in one place for both backends, so the order of
ids (first seen first), text outside of ASCII and unknown keys (which allocate nothing) are the same on both. Nothing here imports
Django.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from indexing.calls import Call, Result

U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]

FieldType = Literal["set", "int", "time", "mutex", "bool"]
INT64_MIN, INT64_MAX = -(1 << 63), (1 << 63) - 1
Attributes = Mapping[str, str | int | bool | float]


@dataclass(frozen=True)
class IndexOptions:
    """keys: columns have names. track_existence: Not() is answered."""

    keys: bool = False
    track_existence: bool = True


@dataclass(frozen=True)
class FieldOptions:
    """What a field was made with; an option that its type does not have is at its default.

    minimum, maximum: of int fields, inclusive. time_quantum: of time fields, e.g. "YMDH"."""

    type: FieldType = "set"
    keys: bool = False
    cache_type: Literal["ranked", "lru", "none"] = "ranked"
    cache_size: int = 50000
    minimum: int = INT64_MIN
    maximum: int = INT64_MAX
    time_quantum: str = ""
    no_standard_view: bool = False

    @property
    def base(self) -> int:
        """What Pilosa subtracts from the values of an int field before it stores them."""
        return self.minimum if self.minimum > 0 else self.maximum if self.maximum < 0 else 0


@dataclass(frozen=True)
class ClientIndex:
    """One index: its options and its fields by name."""

    name: str
    options: IndexOptions = IndexOptions()
    fields: Mapping[str, FieldOptions] = field(default_factory=dict)


@dataclass(frozen=True)
class Wanted:
    """What a request asks for besides its calls. shards: the only ones to look at (None: all)."""

    shards: Sequence[int] | None = None
    column_attrs: bool = False
    exclude_row_attrs: bool = False
    exclude_columns: bool = False


@dataclass
class Answered:
    """results: one a call. column_attrs: of the columns in Row results, ascending, where they were asked for (by `Wanted` or by
    an Options() call) and a column has any."""

    results: list[Result]
    column_attrs: list[tuple[int, Attributes]] = field(default_factory=list)


class ClientEngine(Protocol):
    """A backend's client indexes. All methods are thread-safe; all raise BackendAway and BackendError as Backend's do.

    Names and options were checked above. Calls have ids: RowRef.row is an int >= 0, of a bool field 0 or 1, of an int field the
    value as written; None is a key that nobody has: an empty row."""

    def create_index(self, index: ClientIndex) -> None:
        """Makes it with all its fields; idempotent."""

    def create_field(self, index: ClientIndex, name: str) -> None:
        """Makes the field `name` of index.fields; idempotent."""

    def delete_index(self, index: ClientIndex) -> None:
        """Removes it with all its bits and attributes; idempotent."""

    def delete_field(self, index: ClientIndex, name: str) -> None:
        """Removes a field with all its bits and attributes; idempotent. "_exists": what exists is forgotten."""

    def query(self, index: ClientIndex, calls: Sequence[Call], wanted: Wanted) -> Answered:
        """Answers calls in order; each sees what those before it wrote. The first error ends it, what was written stays.

        Raises QueryError in Pilosa's words (without "executing: ")."""

    def import_bits(
        self, index: ClientIndex, name: str, rows: U64, columns: U64, timestamps: I64 | None = None, clear: bool = False
    ) -> None:
        """Bits (n,) of a set, time, mutex or bool field; columns come to exist, unless cleared. timestamps: ns since 1970 UTC,
        0: none. Of a mutex or bool field the last row of a column counts. Raises QueryError."""

    def import_values(self, index: ClientIndex, name: str, columns: U64, values: I64, clear: bool = False) -> None:
        """Values (n,) of an int field, the last one of a column; clear: the columns lose theirs. Raises QueryError."""

    def import_roaring(
        self, index: ClientIndex, name: str, shard: int, views: Sequence[tuple[str, bytes]], clear: bool = False
    ) -> None:
        """Roaring bytes (Pilosa's or the official form) of views of a set or time field: "" or "standard", or a time view's end
        ("2018", "201801"). Does not make columns exist. Raises QueryError."""

    def export(self, index: ClientIndex, name: str, shard: int) -> tuple[U64, U64]:
        """(rows, columns), in order of row, column: the standard view of a field in a shard; of an int field nothing."""

    def shards(self, index: ClientIndex) -> list[int]:
        """The shards that have anything, ascending."""

    def bit_depths(self, index: ClientIndex) -> dict[str, int]:
        """Of int fields: bits of the greatest |value - base| that was ever stored; 0 for none."""

    def attributes(self, index: ClientIndex, name: str | None) -> dict[int, dict[str, Any]]:
        """All attributes of a field's rows, or (None) of the index's columns."""
