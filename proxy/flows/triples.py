"""Conversations as triples of row ids (job, VLAN stack, Community ID), and all packets that are of some of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capture.packets.registry import FIELDS
from indexing import limits
from indexing.calls import Call, RowRef, RowSet
from indexing.columns import of_columns
from indexing.predicates import Everything
from proxy.flows.grouping import I64, combined, grouped
from proxy.flows.lookup import U64, WHAT, Lookup, Part
from proxy.translator import TableTranslator

JOB, STACK, COMMUNITY_ID = "job", "vlan-stack", "community-id"
CONVERSATION = (JOB, STACK, COMMUNITY_ID)
# So many pairs of a job and a VLAN stack are asked for by rows; of more, columns are gone through.
MOST_PAIRS = 64


@dataclass(frozen=True)
class Triples:
    """job, stack (-1: no tag), community_id: int64 (n,) each, row ids; in that order ascending, each triple once."""

    job: I64
    stack: I64
    community_id: I64

    @property
    def size(self) -> int:
        return int(self.job.size)


def of_parts(parts: Iterable[Part]) -> Triples:
    """The conversations of packets; parts: their rows of CONVERSATION. Packets without a Community ID have none."""
    budget = limits.current()
    found = [np.zeros((3, 0), np.int64)]
    held = 0
    for _, rows in parts:
        budget.check()
        some = _distinct(np.array([array[rows[2] >= 0] for array in rows], np.int64).reshape(3, -1))
        found.append(some)
        held += 2 * some.nbytes
        budget.hold(found, held, WHAT)
    whole = _distinct(np.concatenate(found, axis=1))
    budget.hold(found, 0, "")
    return Triples(*whole)


def _distinct(table: I64) -> I64:
    if not table.size:
        return table
    order, begin = grouped(combined(list(table)))
    found: I64 = table[:, order[begin]]
    return found


def packets_of(index: str, lookup: Lookup, some: Triples) -> Call:
    """All packets of conversations, as a bitmap call; rows are values or sets of row ids. Raises LimitExceeded."""
    if not some.size:
        return Call("Union")
    order, begin = grouped(combined([some.job, some.stack]))
    if begin.size > MOST_PAIRS:
        return _by_columns(lookup, some)
    with_tag = tagged(index)
    groups = []
    for of in np.split(order, begin[1:]):
        job, stack = int(some.job[of[0]]), int(some.stack[of[0]])
        group = [_row_set(COMMUNITY_ID, np.sort(some.community_id[of])), Call("Row", args={"row": RowRef(JOB, job)})]
        if stack >= 0:
            group.append(_row_set(STACK, np.array([stack])))
        within = Call("Intersect", group)
        groups.append(Call("Difference", [within, with_tag]) if stack < 0 and with_tag is not None else within)
    return groups[0] if len(groups) == 1 else Call("Union", groups)


def tagged(index: str) -> Call | None:
    """The packets with a VLAN tag; None where the index has no such value."""
    every = TableTranslator(index).matching(FIELDS[STACK], Everything())
    return Call("Row", args={"row": every}) if np.asarray(every.rows).size else None


def _by_columns(lookup: Lookup, some: Triples) -> Call:
    """The same of many jobs: packets with one of the Community IDs are gone through, and kept where the triple is one."""
    ids, jobs = np.unique(some.community_id), np.unique(some.job)
    candidates = Call("Intersect", [_row_set(COMMUNITY_ID, ids), _row_set(JOB, jobs)])
    kept: list[U64] = [np.zeros(0, np.uint64)]
    held = 0
    for columns, rows in lookup.first_rows(CONVERSATION, candidates):
        limits.current().check()
        found = columns[among(rows, some)]
        kept.append(found)
        held += 2 * found.nbytes
        limits.current().hold(kept, held, WHAT)
    limits.current().hold(kept, 0, "")
    return of_columns(np.concatenate(kept)).call()


def among(rows: list[I64], some: Triples) -> NDArray[np.bool_]:
    """Which of triples (n,) are among `some`."""
    n = rows[0].size
    key = combined([np.concatenate([a, b]) for a, b in zip(rows, (some.job, some.stack, some.community_id), strict=True)])
    found: NDArray[np.bool_] = np.isin(key[:n], key[n:])
    return found


def _row_set(field: str, rows: NDArray[np.int64]) -> Call:
    return Call("Row", args={"row": RowSet(field, rows.astype(np.uint64))})
