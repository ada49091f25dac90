"""What both backends demand of an index, its fields and the bits of a batch before anything is written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from indexing.backends.base import ACCESS_FIELD, BackendError, BatchBits, CodedBits, FieldSchema, IntBits, SetBits
from indexing.backends.generation_names import MOST, is_generation_name
from indexing.client.pilosa_names import is_physical
from indexing.roaring import MAX_ROW

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}", re.ASCII)
_RULE = "must match [a-z][a-z0-9_-]* and contain at most 64 characters"
LAST_COLUMN = (1 << 63) - 1


def check_names(index: str, fields: Iterable[FieldSchema]) -> None:
    """Raises BackendError for a name that Pilosa would refuse or that is taken, an unknown kind or an empty range."""
    if not _NAME.fullmatch(index):
        raise BackendError(f"invalid index name {index!r}: it {_RULE}")
    if is_generation_name(index):
        raise BackendError(f"invalid index name {index!r}: on Pilosa, a generation of another index is called so")
    if is_physical(index):
        raise BackendError(f"invalid index name {index!r}: on Pilosa, an index of its clients is called so")
    for field in fields:
        if not _NAME.fullmatch(field.name):
            raise BackendError(f"invalid field name {field.name!r} in index {index}: it {_RULE}")
        if field.name == ACCESS_FIELD:
            raise BackendError(f"field {ACCESS_FIELD} of index {index} is a system field")
        if field.kind not in ("set", "int"):
            raise BackendError(f"field {field.name} of index {index} has the unknown kind {field.kind!r}")
        if field.kind == "int" and field.minimum > field.maximum:
            raise BackendError(f"field {field.name} of index {index}: minimum {field.minimum} is greater than {field.maximum}")


def check_same(index: str, have: FieldSchema, want: FieldSchema) -> None:
    """Raises BackendError if a field exists with other options than are wanted."""
    if have.kind != want.kind:
        raise BackendError(f"field {want.name} of index {index} exists as {have.kind}, {want.kind} is wanted")
    if have.kind == "int" and (have.minimum, have.maximum) != (want.minimum, want.maximum):
        raise BackendError(
            f"int field {want.name} of index {index} exists with the range {have.minimum} to {have.maximum}, "
            f"{want.minimum} to {want.maximum} is wanted"
        )


def check_bits(index: str, fields: Mapping[str, FieldSchema], bits: BatchBits) -> None:
    """Raises BackendError naming the batch, the field and the first value that does not fit."""
    where = f"batch {bits.batch} of index {index}"
    if bits.count < 1 or bits.first_column < 0 or bits.first_column + bits.count - 1 > LAST_COLUMN:
        raise BackendError(f"{where}: {bits.count} columns from {bits.first_column} are not a range of columns")
    if not 0 <= bits.generation <= MOST:
        raise BackendError(f"{where}: {bits.generation} is not a generation")
    first, last = np.uint64(bits.first_column), np.uint64(bits.first_column + bits.count - 1)
    for name, some in bits.fields.items():
        field = fields.get(name)
        if field is None:
            raise BackendError(f"{where}: index {index} has no field {name}")
        if isinstance(some, IntBits) != (field.kind == "int"):
            raise BackendError(f"{where}: field {name} is of kind {field.kind}, the bits are not")
        if isinstance(some, CodedBits):
            _check_coded(f"{where}: field {name}", some, bits.count)
            continue
        other = some.row if isinstance(some, SetBits) else some.value
        if some.column.shape != other.shape or some.column.ndim != 1:
            raise BackendError(f"{where}: field {name} has {some.column.size} columns and {other.size} rows or values")
        if some.column.size == 0:
            continue
        low_column, high_column = some.column.min(), some.column.max()
        if low_column < first or high_column > last:
            wrong_column = int(low_column if low_column < first else high_column)
            raise BackendError(f"{where}: field {name} has column {wrong_column}, not one of {int(first)} to {int(last)}")
        if isinstance(some, SetBits):
            _check_rows(f"{where}: field {name}", some.row)
            continue
        low, high = int(some.value.min()), int(some.value.max())
        if low < field.minimum or high > field.maximum:
            wrong = low if low < field.minimum else high
            raise BackendError(f"{where}: field {name} has value {wrong}, not in {field.minimum} to {field.maximum}")
        if not bool((some.column[1:] > some.column[:-1]).all()):
            ordered = np.sort(some.column)
            twice = np.flatnonzero(ordered[1:] == ordered[:-1])
            if twice.size:
                raise BackendError(f"{where}: field {name} has two values for column {int(ordered[twice[0]])}")


def _check_rows(where: str, rows: NDArray[np.uint64]) -> None:
    if rows.size and int(rows.max()) > MAX_ROW:
        raise BackendError(f"{where} has row {int(rows.max())}, greater than {MAX_ROW}")


def _check_coded(where: str, some: CodedBits, count: int) -> None:
    """What the encoder does not see itself: that packets ascend and codes are in range is checked where they are used."""
    if some.packet.shape != some.code.shape or some.packet.ndim != 1:
        raise BackendError(f"{where} has {some.packet.size} packets and {some.code.size} codes")
    if some.packet.size and int(some.packet[-1]) >= count:
        raise BackendError(f"{where} has packet {int(some.packet[-1])} of {count}")
    _check_rows(where, some.rows)
