"""Which rows of a field have columns still, says the backend: also columns that nobody sees (yet)."""

from __future__ import annotations

import numpy as np
from django.db.models import Sum
from numpy.typing import NDArray

from indexing.backends.base import ACCESS_FIELD, LIVE_ROW, Backend, BackendError
from indexing.calls import Call, CountResult, GroupCountsResult, QueryError, RowRef, RowsResult
from indexing.models import Batch, BatchState


def used_rows(backend: Backend, index: str, field: str, first: int, last: int) -> NDArray[np.int64]:
    """The rows first .. last of a set field that have a column, ascending. Exact, and without the mask: columns of a batch that
    was half imported count, for it will be imported again. Raises BackendAway, BackendError."""
    rows = Call("Rows", args={"field": field, "previous": first - 1, "limit": last - first + 1})
    # Pilosa's Rows still has rows that a deletion emptied, and its TopN goes by a cache of so many: its GroupBy counts.
    call = Call("GroupBy", [rows]) if backend.masked else rows
    try:
        answer = backend.query(index, [call])[0]
    except QueryError as error:
        raise BackendError(f"rows of field {field} of index {index}: {error}") from error
    if isinstance(answer, GroupCountsResult):
        found = [group.group[0][1] for group in answer.groups if group.count]
    else:
        assert isinstance(answer, RowsResult)
        found = answer.ids
    ids = np.array(found, np.int64)
    return np.sort(ids[(ids >= first) & (ids <= last)])


def check_is_whole(backend: Backend, index: str) -> None:
    """Raises BackendError if the backend lacks columns that Postgres knows of (an empty disk, an old copy): what it has not is
    not unused. It may have more for a moment: a batch is in the backend before it is visible in Postgres."""
    visible = Batch.objects.filter(index__name=index, state=BatchState.VISIBLE).aggregate(sum=Sum("packets"))["sum"] or 0
    try:
        answer = backend.query(index, [Call("Count", [Call("Row", args={"row": RowRef(ACCESS_FIELD, LIVE_ROW)})])])[0]
    except QueryError as error:
        raise BackendError(f"columns of index {index}: {error}") from error
    assert isinstance(answer, CountResult)
    count = answer.count - backend.written_columns(index).size
    if count < visible:
        raise BackendError(f"index {index} has {count} columns where {visible} packets are indexed")
