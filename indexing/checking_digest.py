"""What an index says of a job, independent of the columns and row ids that it got: a digest per field over packets and values.

Two runs of one capture are equal, bit for bit, when their digests are: whatever was killed meanwhile, on either backend.
The contract of a backend is used (but for the embedded store's int fields), so that the digest is of what answers are made
from and not of how it is kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from capture.packets.locator import read_locator
from capture.packets.registry import FIELDS
from indexing import checking_blobs, store, translation
from indexing.backends.base import ACCESS_FIELD, LIVE_ROW, Backend, FieldSchema
from indexing.backends.embedded import EmbeddedBackend
from indexing.calls import Call, Condition, CountResult, RowRef, RowResult, RowsResult
from indexing.models import Batch, BatchState

U64 = NDArray[np.uint64]
Pairs = tuple[U64, U64]  # columns (n,), rows or values (n,)

JOB_FIELD = "job"
LOCATOR = "(locator)"  # what stands beside the fields: where each packet's bytes are, its time and lengths
_CALLS_AT_ONCE = 500
_COLUMNS_AT_ONCE = 1 << 18


def digests(index: str, job: int) -> dict[str, str]:
    """Field -> "bits:digest" of a job's packets in an index; a field without bits is left out.

    Read it while nobody changes the job. Raises BackendAway, BackendError, OSError, PacketsError."""
    columns, numbers, locators = _packets(index, job)
    found = {LOCATOR: f"{columns.size}:{locators}"}
    backend = store.backend()
    for field in backend.indexes().get(index, []):
        which, what = _pairs(backend, index, field, job, columns)
        if not which.size:
            continue
        at = np.searchsorted(columns, which)
        if int(at[-1]) >= columns.size or not np.array_equal(columns[at], which):
            found[field.name] = "columns that are no packet's"
            continue
        values = _values(index, field, job, what)
        order = np.lexsort((values, numbers[at]))
        digest = hashlib.blake2b(digest_size=16)
        digest.update(numbers[at][order].tobytes())
        digest.update(values[order].tobytes())
        found[field.name] = f"{which.size}:{digest.hexdigest()}"
    return found


def _packets(index: str, job: int) -> tuple[U64, U64, str]:
    """Columns of the job's visible packets, ascending, their numbers in the capture, and a digest of their locators."""
    rows = Batch.objects.filter(index__name=index, job=job, state=BatchState.VISIBLE, packets__gt=0)
    columns, numbers, parts = [np.zeros(0, np.uint64)], [np.zeros(0, np.uint64)], list[NDArray[Any]]()
    for first_column, locator in rows.order_by("first_column").values_list("first_column", "locator"):
        read = read_locator(Path(settings.PICAPWEB_DATA) / locator)
        columns.append(np.arange(first_column, first_column + len(read), dtype=np.uint64))
        numbers.append(read["number"].astype(np.uint64))
        parts.append(read)
    digest = hashlib.blake2b(digest_size=16)
    if parts:
        whole = np.concatenate(parts)
        digest.update(whole[np.argsort(whole["number"], kind="stable")].tobytes())
    return np.concatenate(columns), np.concatenate(numbers), digest.hexdigest()


def _pairs(backend: Backend, index: str, field: FieldSchema, job: int, columns: U64) -> Pairs:
    """All bits that a field has at the job's columns, by column. An int's values come as they are, modulo 2^64."""
    if field.kind == "int" and isinstance(backend, EmbeddedBackend):
        found = list(checking_blobs.int_values(index, Path(settings.INDEX_DIR), field.name, columns))
    elif field.kind == "int":
        found = list(_ints(backend, index, field, job))
    elif backend.masked:
        found = list(_rows(backend, index, field.name, job))
    else:
        # One pass over a field's blobs, where the other way would be a question for each row.
        some = range(0, columns.size, _COLUMNS_AT_ONCE)
        found = [backend.rows_of_columns(index, field.name, columns[i : i + _COLUMNS_AT_ONCE]) for i in some]
    which = np.concatenate([np.zeros(0, np.uint64), *(one for one, _ in found)])
    what = np.concatenate([np.zeros(0, np.uint64), *(one for _, one in found)])
    order = np.argsort(which, kind="stable")
    return which[order], what[order]


def _rows(backend: Backend, index: str, field: str, job: int) -> Iterator[Pairs]:
    """Row by row, for a backend that tells a column's rows one column at a time."""
    (rows,) = backend.query(index, [Call("Rows", args={"field": field})])
    assert isinstance(rows, RowsResult)
    for i in range(0, len(rows.ids), _CALLS_AT_ONCE):
        some = rows.ids[i : i + _CALLS_AT_ONCE]
        calls = [_within(backend, job, Call("Row", args={"row": RowRef(field, row)})) for row in some]
        for row, answer in zip(some, backend.query(index, calls), strict=True):
            assert isinstance(answer, RowResult)
            columns = np.asarray(answer.columns, np.uint64)
            yield columns, np.full(columns.size, row, np.uint64)


def _ints(backend: Backend, index: str, field: FieldSchema, job: int) -> Iterator[Pairs]:
    """Value by value: a range is halved as long as it has columns. Closed ranges are right on both backends."""
    ranges = [(field.minimum, field.maximum)]
    while ranges:
        counts = _ask(backend, index, field.name, job, ranges, "Count")
        left = [one for one, count in zip(ranges, counts, strict=True) if isinstance(count, CountResult) and count.count]
        single = [one for one in left if one[0] == one[1]]
        for (value, _), row in zip(single, _ask(backend, index, field.name, job, single, "Row"), strict=True):
            assert isinstance(row, RowResult)
            columns = np.asarray(row.columns, np.uint64)
            yield columns, np.full(columns.size, value & (2**64 - 1), np.uint64)
        ranges = [half for low, high in left if low < high for half in _halves(low, high)]


def _halves(low: int, high: int) -> list[tuple[int, int]]:
    middle = (low + high) // 2
    return [(low, middle), (middle + 1, high)]


def _ask(backend: Backend, index: str, field: str, job: int, ranges: Sequence[tuple[int, int]], what: str) -> list[Any]:
    answers: list[Any] = []
    for i in range(0, len(ranges), _CALLS_AT_ONCE):
        rows = [
            _within(backend, job, Call("Row", args={"condition": (field, Condition("><", [low, high]))}))
            for low, high in ranges[i : i + _CALLS_AT_ONCE]
        ]
        answers += backend.query(index, [Call("Count", [row]) for row in rows] if what == "Count" else rows)
    return answers


def _within(backend: Backend, job: int, call: Call) -> Call:
    """The call, of the job's packets; under the mask where the backend needs it."""
    children = [call, Call("Row", args={"row": RowRef(JOB_FIELD, job)})]
    if backend.masked:
        children.append(Call("Row", args={"row": RowRef(ACCESS_FIELD, LIVE_ROW)}))
    return Call("Intersect", children)


def _values(index: str, field: FieldSchema, job: int, rows: U64) -> U64:
    """What rows stand for, as numbers that are the same in every index: a hash of a text, the number itself of all else."""
    if field.kind == "int":
        return rows
    if field.name == JOB_FIELD:
        own: U64 = (rows == np.uint64(job)).astype(np.uint64)
        return own
    if field.name not in FIELDS or FIELDS[field.name].encoding != "text":
        return rows
    distinct, inverse = np.unique(rows, return_inverse=True)
    texts = translation.values_of(index, {field.name: distinct.tolist()})[field.name]
    numbers = np.array([_number(texts.get(row)) for row in distinct.tolist()], np.uint64)
    values: U64 = numbers[inverse]
    return values


def _number(value: bytes | None) -> int:
    """A hash of a value; 0 stands for a row that the translation table does not know."""
    return 0 if value is None else int.from_bytes(hashlib.blake2b(value, digest_size=8).digest(), "little") | 1
