"""The contract of a backend: what holds the bitmaps. Two of them, one contract suite (tests/indexing/backends)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from indexing.calls import Call, Result

SHARD_WIDTH = 1 << 20
# System fields. `access` row 0 = live columns: imported last on Pilosa, and the mask of its every read.
ACCESS_FIELD = "access"
LIVE_ROW = 0


class BackendAway(Exception):
    """The backend (a Pilosa node, the store's disk) does not answer now; the text names it. Try again later."""


class BackendError(Exception):
    """The backend refused; the text says what and why."""


class MergeRefused(BackendError):
    """Batches cannot become one as asked. `held`: a batch that has some of their columns and others besides, if that is why."""

    def __init__(self, text: str, held: BatchRange | None = None) -> None:
        super().__init__(text)
        self.held = held


@dataclass(frozen=True)
class FieldSchema:
    """A field as a backend needs to know it. kind "set" or "int"; minimum/maximum of int fields, inclusive."""

    name: str
    kind: str
    minimum: int = 0
    maximum: int = 0


@dataclass(frozen=True)
class SetBits:
    """Bits of a set field: row uint64 (n,), column uint64 (n,) absolute column ids; in any order, may repeat."""

    row: NDArray[np.uint64]
    column: NDArray[np.uint64]


@dataclass(frozen=True)
class CodedBits:
    """Bits of a set field as a dissector finds them: packet i of the batch, whose column is first_column + i, has row rows[code].

    packet: uint32 (n,), ascending; code: uint32 (n,), each below k; rows: uint64 (k,), each once; a pair (packet, code) comes
    once. The same bits as SetBits at a quarter of the bytes, and with nothing to sort."""

    packet: NDArray[np.uint32]
    code: NDArray[np.uint32]
    rows: NDArray[np.uint64]


@dataclass(frozen=True)
class IntBits:
    """Values of an int field: column uint64 (n,) absolute, each once; value int64 (n,)."""

    column: NDArray[np.uint64]
    value: NDArray[np.int64]


@dataclass(frozen=True)
class BatchBits:
    """All bits of one batch. Its columns are first_column .. first_column + count - 1 (dense; all of them exist).

    generation: 0, or that of the index's generations which the batch goes with (see Backend.drop_generation)."""

    batch: int  # id of the batch in Postgres
    first_column: int
    count: int
    fields: dict[str, SetBits | CodedBits | IntBits] = field(default_factory=dict)
    generation: int = 0


@dataclass(frozen=True)
class BatchRange:
    """A batch to remove: its id and its columns, and where they are: the generation that it was imported with."""

    batch: int
    first_column: int
    count: int
    generation: int = field(default=0, compare=False)  # says where a batch lies, not which one it is


class Backend(Protocol):
    """Where bitmaps live. Instances are per process, opened lazily after fork; all methods are thread-safe."""

    name: str  # "embedded" | "pilosa"
    masked: bool  # True: every read of a packet index must carry the `access` mask (Pilosa)
    generational: bool  # True: what batches took is freed with their generation only (Pilosa); False: generations are ignored

    def ensure_index(self, index: str, fields: Iterable[FieldSchema]) -> None:
        """Creates what is missing of the index, its fields and `access`; checks the options of what is there. Idempotent.

        Raises BackendAway, BackendError (a field exists with another type)."""

    def import_batch(self, index: str, bits: BatchBits) -> None:
        """Makes a batch visible, all at once. Running it twice, or after a half-done run, gives the same index.

        Raises BackendAway, BackendError."""

    def import_more(self, index: str, bits: BatchBits, fields: Collection[str], again: bool = False) -> None:
        """Bits of some `fields` of a visible batch, in place of what it has of them; its other fields stay as they are.

        Running it twice, or after a half-done run, gives the same index.

        again: the batch may have other bits of these fields, from before; without it, a backend that can only add need not look.
        Raises BackendAway, BackendError (there is no such batch)."""

    def hide_batches(self, index: str, batches: Sequence[BatchRange]) -> None:
        """Takes batches out of all (masked) answers at once. Idempotent."""

    def clear_batches(self, index: str, batches: Sequence[BatchRange]) -> None:
        """Removes the bits of hidden batches from every field; slow work for the background. Idempotent.

        Of batches of a generation bits may stay that the mask hides, until the generation is dropped."""

    def merge_batches(self, index: str, batches: Sequence[BatchRange], into: BatchRange) -> None:
        """Visible batches whose columns follow one another become one: `into` has the id of the first and the columns of all.

        No answer changes. Idempotent, also where some of them had become one already.
        Raises BackendAway, BackendError, MergeRefused (what is there does not make up `into`)."""

    def compact(self) -> bool:
        """Does a bounded piece of what makes answers faster and changes none of them; False if there is nothing to do.

        For the background. Any number of processes may do so at once. Raises BackendAway, BackendError."""

    def drop_generation(self, index: str, generation: int) -> None:
        """Removes all bits of a generation (> 0), whose batches were hidden, and frees what they took. Idempotent.

        Slow work for the background; no batch may be imported into it meanwhile. Raises BackendAway, BackendError."""

    def generations(self, index: str) -> list[int]:
        """The generations > 0 that take up room, ascending: also what a drop or a first import that broke off has left."""

    def drop_index(self, index: str) -> None:
        """Removes an index with its generations and all its bits. Idempotent."""

    def indexes(self) -> dict[str, list[FieldSchema]]:
        """The indexes and their fields, system fields left out."""

    def query(self, index: str, calls: Sequence[Call], shards: Sequence[int] | None = None) -> list[Result]:
        """Answers calls whose rows are row ids (RowRef.row None = empty row). The mask is in the calls already.

        Writes are done in order, each at once, also where a later one is refused.
        Raises QueryError (worded as Pilosa words it), BackendAway, BackendError (what is stored is damaged)."""

    def rows_of_columns(
        self, index: str, field: str, columns: NDArray[np.uint64]
    ) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """Which rows of a set field hold these columns: (column uint64 (n,), row uint64 (n,)), sorted by column, row."""

    def numbers_of_columns(
        self, index: str, field: str, columns: NDArray[np.uint64]
    ) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        """Values of an int field, of those of these columns that have one: (column uint64 (n,), value int64 (n,)), by column."""

    def write_row(self, index: str, field: str, row: int, columns: Mapping[int, NDArray[np.uint64]], there: bool = True) -> None:
        """Sets (or clears) bits of a row of a set field at columns of visible batches, ascending, by the batches' generation.

        The batches must remain while it lasts: what takes their bits away later takes these, too. Idempotent.
        Raises BackendAway, BackendError (the field is none)."""

    def written_columns(self, index: str) -> NDArray[np.uint64]:
        """Columns, ascending, that exist because PQL set a bit of theirs, and belong to no batch, as far as the backend can tell
        them from others."""

    def status(self) -> dict[str, Any]:
        """{"name", "state": "NORMAL" | ..., "detail": str, ...}; raises BackendAway if it cannot tell."""

    def close(self) -> None:
        """Frees what the process holds."""
