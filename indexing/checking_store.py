"""Batches in a store that knows of batches (the embedded one), against the rows of Postgres, both ways."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from indexing.backends.base import Backend, BatchRange
from indexing.checking_findings import Finding, agreed, settled
from indexing.models import Batch, BatchState

# A batch of which an attempt came as far as the store: the next one replaces it.
_UNFINISHED = (BatchState.READY, BatchState.CLAIMED)


class Holding(Protocol):
    """A backend that knows which batches it holds."""

    def batches(self, index: str) -> list[BatchRange]: ...


class Row(NamedTuple):
    job: int
    state: str
    first_column: int
    packets: int


def batches(index: str, backend: Backend, holding: Holding, repair: bool) -> list[Finding]:
    """Every visible batch is there, with its columns, and no other. With `repair`, those that nobody knows are deleted."""
    found = agreed(lambda: _compare(index, holding))
    lost = [one.where["batch"] for one in found if one.what == ORPHAN]
    if not repair or not lost:
        return found
    with settled():  # again: what was an orphan a moment ago is one now, but a repair must not rest on that
        now = {one.where["batch"]: one for one in _compare(index, holding) if one.what == ORPHAN}
        there = [one for one in holding.batches(index) if one.batch in now]
        backend.hide_batches(index, there)
        backend.clear_batches(index, there)
    return [Finding(one.what, one.words, one.where, one.where["batch"] in now and one.what == ORPHAN) for one in found]


ORPHAN = "batch that nobody knows"


def _compare(index: str, holding: Holding) -> list[Finding]:
    rows = _rows(index)
    held = holding.batches(index)
    present: set[int] = set()
    found: list[Finding] = []
    for one in held:
        row = rows.get(one.batch)
        where = {"index": index, **({"job": row.job} if row else {}), "batch": one.batch}
        columns = f"columns {one.first_column} to {one.first_column + one.count - 1}"
        if row is None:
            found.append(Finding(ORPHAN, f"the store has {columns} of it, and Postgres has no such batch", where))
        elif row.state in (BatchState.FAILED, BatchState.DROPPED):
            found.append(Finding(ORPHAN, f"the store has {columns} of it, and Postgres says that it is {row.state}", where))
        elif row.state in (*_UNFINISHED, BatchState.HIDDEN):
            continue
        elif (row.first_column, row.packets) == (one.first_column, one.count):
            present.add(one.batch)
        elif inside := _half_merged(one, row, rows):
            present.update(inside)
        else:
            present.add(one.batch)
            other = f"{row.first_column} to {row.first_column + row.packets - 1}"
            found.append(Finding("columns of a batch", f"the store has {columns} of it, and Postgres {other}", where))
    for batch, row in rows.items():
        if row.state == BatchState.VISIBLE and row.packets and batch not in present:
            words = f"{row.packets} packets from column {row.first_column} on are visible, and the store has no such batch"
            found.append(Finding("batch is missing", words, {"index": index, "job": row.job, "batch": batch}))
    return found


def _rows(index: str) -> dict[int, Row]:
    rows = Batch.objects.filter(index__name=index).order_by("first_column", "id")
    names = ("pk", "job", "state", "first_column", "packets")
    return {pk: Row(*row) for pk, *row in rows.values_list(*names).iterator(chunk_size=5000)}


def _half_merged(one: BatchRange, row: Row, rows: dict[int, Row]) -> list[int]:
    """A merge whose rows did not follow yet (decision 0018): the visible rows of the job that make up what the store has."""
    end = one.first_column + one.count
    inside = [
        (other.first_column, other.packets, batch)
        for batch, other in rows.items()
        if other.job == row.job and other.state == BatchState.VISIBLE and one.first_column <= other.first_column < end
    ]
    column = one.first_column
    for first, packets, _ in sorted(inside):
        if first != column:
            return []
        column += packets
    return [batch for *_, batch in inside] if column == end and row.first_column == one.first_column else []
