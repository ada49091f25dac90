"""Packets that ask and packets that answer them: which of the askers had an answer from the other side of their conversation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexing import limits, store
from indexing.calls import Call
from proxy.flows.grouping import I64, combined, grouped
from proxy.flows.lookup import U64, WHAT, Lookup
from proxy.flows.triples import CONVERSATION
from proxy.translator import TableTranslator

_FIELDS = (*CONVERSATION, "netsrc", "transsrc")
_Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Packets:
    """Packets of conversations. columns (n,), ascending, may repeat (one for each further key). conversation: arrays (n,) that
    together say which one, and which exchange of it; side: arrays (n,) that say who sent the packet."""

    columns: U64
    conversation: list[I64]
    side: list[I64]

    def kept(self, some: _Flags) -> Packets:
        """Some of them."""
        return Packets(self.columns[some], [one[some] for one in self.conversation], [one[some] for one in self.side])


def packets(lookup: Lookup, within: Call, key: str = "") -> Packets:
    """The packets of a call that have a Community ID. key: a set field: only what has the same value of it belongs together, and
    packets without it are left out. Raises LimitExceeded."""
    columns: list[U64] = [np.zeros(0, np.uint64)]
    rows = [np.zeros((len(_FIELDS), 0), np.int64)]
    held = 0
    budget = limits.current()
    for some, its in lookup.first_rows(_FIELDS, within):
        there = its[2] >= 0
        columns.append(some[there])
        rows.append(np.array(its)[:, there])
        held += 8 * int(there.sum()) * (len(_FIELDS) + 1) * 2
        budget.hold(columns, held, WHAT)
    table = np.concatenate(rows, axis=1)
    found = Packets(np.concatenate(columns), list(table[:3]), list(table[3:]))
    if key:
        of, value = lookup.pairs(key, within)
        at = np.searchsorted(found.columns, of)
        there = at < found.columns.size
        there[there] = found.columns[at[there]] == of[there]
        at, value = at[there], value[there]
        found = Packets(
            found.columns[at],
            [*(one[at] for one in found.conversation), value.astype(np.int64)],
            [one[at] for one in found.side],
        )
    budget.hold(columns, 0, "")
    return found


def answered(index: str, askers: Packets, answers: Packets) -> _Flags:
    """Of each asker whether one of the answers is in its conversation and not from its own side."""
    out: _Flags = np.zeros(askers.columns.size, np.bool_)
    if not askers.columns.size or not answers.columns.size:
        return out
    n = askers.columns.size
    key, side = _joined(askers.conversation, answers.conversation), _joined(askers.side, answers.side)
    order, begin = grouped(key[n:])
    keys = key[n:][order][begin]
    its = side[n:][order]
    low, high = np.minimum.reduceat(its, begin), np.maximum.reduceat(its, begin)
    at = np.minimum(np.searchsorted(keys, key[:n]), keys.size - 1)
    there = keys[at] == key[:n]
    out = there & ((low[at] != side[:n]) | (high[at] != side[:n]))
    # Only answers from an address and a port that are its own: those of who talks to itself are answers all the same.
    own = np.flatnonzero(there & ~out)
    out[own] = _to_itself(index, askers.columns[own])
    return out


def _joined(one: Sequence[I64], other: Sequence[I64]) -> I64:
    return combined([np.concatenate(pair) for pair in zip(one, other, strict=True)])


def _to_itself(index: str, columns: U64) -> _Flags:
    """Of packets (n,) whether both ends are the same address and the same port (or neither has one)."""
    if not columns.size:
        return np.zeros(0, np.bool_)
    backend = store.ensure_index(index)
    distinct, back = np.unique(columns, return_inverse=True)

    def of(field: str) -> I64:
        its, rows = backend.rows_of_columns(index, field, distinct)
        out = np.full(distinct.size, -1, np.int64)
        out[np.searchsorted(distinct, its)] = rows
        return out

    same = of("transsrc") == of("transdst")
    ends = {name: of(name) for name in ("netsrc", "netdst")}
    values = TableTranslator(index).values({name: set(rows[same].tolist()) - {-1} for name, rows in ends.items()})
    for i in np.flatnonzero(same).tolist():
        source, destination = (values[name].get(int(rows[i])) for name, rows in ends.items())
        same[i] = source is not None and source == destination
    found: _Flags = same[back]
    return found
