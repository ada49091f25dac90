"""`Rows` under a mask: Pilosa's Rows takes no filter and still lists rows that a deletion emptied; TopN does it right."""

from __future__ import annotations

from indexing.backends.base import ACCESS_FIELD, LIVE_ROW
from indexing.calls import Call, PairsResult, RowRef, RowsResult


def live() -> Call:
    """The columns that are not deleted and whole: Row(access=0)."""
    return Call("Row", args={"row": RowRef(ACCESS_FIELD, LIVE_ROW)})


def rows_as_topn(rows: Call, mask: Call) -> Call:
    """The TopN whose rows are those of a Rows call that have a column in the mask. Not for Rows with `column`:
    whether that one column may be seen is a question of its own."""
    return Call("TopN", [mask], {"field": rows.args.get("field")}, rows.legacy, rows.position)


def rows_of_topn(rows: Call, found: PairsResult) -> RowsResult:
    """The answer to that Rows call, its `previous` and `limit` applied."""
    ids = sorted(pair.id for pair in found.pairs)
    previous, limit = rows.args.get("previous"), rows.args.get("limit")
    if previous is not None:
        ids = [row for row in ids if row > previous]
    return RowsResult(ids if limit is None else ids[:limit], found.field)
