"""`previous` of the Rows of a GroupBy: a place in the order of groups, and no filter (Pilosa 1.4.1, newGroupByIterator)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from indexing.roaring import MAX_ROW, U64


def first_place(previous: Sequence[int | None], rows_of: Callable[[int], U64]) -> list[int]:
    """Where groups begin: the rows of the first group that may come, of as many fields as decide it. Of no `previous`: [].

    previous: each child's, None where it names none. rows_of: a child's number -> all rows that it goes through, ascending,
    whether or not any group has them. All but the last child begin at their row, the last after it; a child that names none
    begins with its first row. Where a child does not have the row that it should begin with, those behind it begin with their
    first."""
    if all(given is None for given in previous):
        return []
    start: list[int] = []
    for child, given in enumerate(previous):
        if child + 1 == len(previous):
            start.append(0 if given is None else min(given, MAX_ROW) + 1)
        elif given is None:
            rows = rows_of(child)
            start.append(int(rows[0]) if rows.size else 0)
        else:
            rows = rows_of(child)
            at = int(np.searchsorted(rows, np.uint64(min(given, MAX_ROW + 1))))
            start.append(int(rows[at]) if at < rows.size else MAX_ROW + 1)
            if start[-1] != given:
                break
    return start
