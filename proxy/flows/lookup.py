"""What the packets of a call have of some fields, in arrays, on either backend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from indexing import limits, store
from indexing.backends.embedded import EmbeddedBackend
from indexing.backends.embedded_analysis import EmbeddedAnalysis
from indexing.calls import Call, GroupCountsResult, PairsResult, RowRef, RowResult
from proxy.ask import ask_rows, bounded, every_packet
from proxy.flows.grouping import I64

U64 = NDArray[np.uint64]
Part = tuple[U64, list[I64]]
_FEW = 512  # columns of which Pilosa is asked one by one
_AT_ONCE = 500  # calls in a request
WHAT = "the packets looked at; a narrower query needs less"


class Lookup(Protocol):
    """Of one index. within: a bitmap call in row ids, None: every packet. Raises LimitExceeded."""

    def first_rows(self, fields: Sequence[str], within: Call | None) -> Iterator[Part]:
        """Columns (n,), ascending, part by part, and of each set field the columns' (lowest) rows (n,), -1: none."""

    def pairs(self, field: str, within: Call) -> tuple[U64, U64]:
        """All (column, row) of a set field, sorted by column."""


@contextmanager
def lookup_of(index: str) -> Iterator[Lookup]:
    """The lookup of an index; on the embedded store, all that is asked within the `with` is of one state of it."""
    backend = store.ensure_index(index)
    if isinstance(backend, EmbeddedBackend):
        with backend.analysis(index) as analysis:
            yield _Held(index, analysis)
    else:
        yield _Asked(index)


class _Held:
    """See Lookup: the embedded store, a shard at a time."""

    def __init__(self, index: str, analysis: EmbeddedAnalysis) -> None:
        self._index, self._analysis = index, analysis

    def first_rows(self, fields: Sequence[str], within: Call | None) -> Iterator[Part]:
        return self._analysis.first_rows(fields, bounded(self._index, within))

    def pairs(self, field: str, within: Call) -> tuple[U64, U64]:
        columns = np.concatenate([np.zeros(0, np.uint64), *self._analysis.columns(bounded(self._index, within))])
        limits.current().take(6 * columns.nbytes, WHAT)
        limits.current().free(6 * columns.nbytes)
        return store.ensure_index(self._index).rows_of_columns(self._index, field, columns)


class _Asked:
    """See Lookup: Pilosa. Of many columns it is asked row by row which of them have the row.

    A column's rows cost it a look at all rows of the field."""

    def __init__(self, index: str) -> None:
        self._index = index

    def first_rows(self, fields: Sequence[str], within: Call | None) -> Iterator[Part]:
        call = every_packet() if within is None else within
        columns = self._columns([call])[0]
        if not columns.size:
            return
        limits.current().take(columns.nbytes * (1 + len(fields)), WHAT)
        found = []
        for field in fields:
            out = np.full(columns.size, -1, np.int64)
            its, rows = self._pairs(field, call, columns)
            first = np.flatnonzero(np.append(True, its[1:] != its[:-1])) if its.size else np.zeros(0, np.int64)
            its, rows = its[first], rows[first]
            at = np.searchsorted(columns, its)
            there = at < columns.size
            there[there] = columns[at[there]] == its[there]  # what came meanwhile is left out
            out[at[there]] = rows[there]
            found.append(out)
        yield columns, found
        limits.current().free(columns.nbytes * (1 + len(fields)))

    def pairs(self, field: str, within: Call) -> tuple[U64, U64]:
        return self._pairs(field, within, self._columns([within])[0])

    def _pairs(self, field: str, within: Call, columns: U64) -> tuple[U64, U64]:
        if columns.size <= _FEW:
            return store.ensure_index(self._index).rows_of_columns(self._index, field, columns)
        rows = self._rows(field, within)
        its: list[U64] = [np.zeros(0, np.uint64)]
        for at in range(0, rows.size, _AT_ONCE):
            limits.current().check()
            some = rows[at : at + _AT_ONCE].tolist()
            its += self._columns([Call("Intersect", [Call("Row", args={"row": RowRef(field, row)}), within]) for row in some])
        of = np.repeat(rows, [one.size for one in its[1:]])
        all_columns = np.concatenate(its)
        order = np.lexsort((of, all_columns))
        return all_columns[order], of[order]

    def _rows(self, field: str, within: Call) -> U64:
        """The rows that packets of the call have, ascending."""
        (top,) = ask_rows(self._index, [Call("TopN", [within], {"field": field})])
        assert isinstance(top, PairsResult)
        if top.exact:
            return np.sort(np.array([pair.id for pair in top.pairs if pair.count], np.uint64))
        # The field has outgrown the cache that TopN goes by.
        groups = Call("GroupBy", [Call("Rows", args={"field": field})], {"filter": within})
        (found,) = ask_rows(self._index, [groups])
        assert isinstance(found, GroupCountsResult)
        return np.sort(np.array([one.group[0][1] for one in found.groups], np.uint64))

    def _columns(self, calls: list[Call]) -> list[U64]:
        out = []
        for result in ask_rows(self._index, calls):
            assert isinstance(result, RowResult)
            out.append(np.asarray(result.columns, np.uint64))
        return out
