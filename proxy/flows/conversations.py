"""Conversations out of their directions: who began, in which order they are listed, a page of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capture.packets.batch import NO_TIME
from proxy.flows.direction_kernels import NEVER
from proxy.flows.directions import (
    BYTES,
    COLUMN,
    COMMUNITY_ID,
    FIRST,
    FIRST_COLUMN,
    JOB,
    LAST,
    PACKETS,
    STACK,
    SYN,
    SYN_COLUMN,
)
from proxy.flows.grouping import I64, combined, grouped

ORDERS = ("packets", "bytes", "first", "last", "duration")


@dataclass(frozen=True)
class Conversations:
    """All of them, (n,): the directions table, and of each conversation the place in it of the initiator's direction and of the
    other one's (-1: it sent nothing). by_syn: whether it is the initiator for having sent the first SYN.

    first, last: ns (NO_TIME: no packet has a time). column: its lowest one, which no other conversation has."""

    table: I64
    initiator: I64
    responder: I64
    by_syn: I64
    packets: I64
    bytes: I64
    first: I64
    last: I64
    column: I64

    @property
    def size(self) -> int:
        return int(self.initiator.size)

    def first_of(self, places: I64) -> I64:
        """The column of a packet that the initiator sent, of each conversation at places (n,)."""
        found: I64 = self.table[COLUMN, self.initiator[places]]
        return found

    def page(self, order: str, limit: int, after: tuple[int, int] | None) -> tuple[I64, tuple[int, int] | None]:
        """Places of at most `limit` conversations, and the cursor of the next page: (rank, column). Greatest first; the earliest
        where the order is `first`; equal ones by column. What has no time comes last, in `first` it comes first."""
        key = {
            "packets": self.packets,
            "bytes": self.bytes,
            "first": self.first,
            "last": self.last,
            "duration": np.where(self.first == NO_TIME, -1, self.last - self.first),
        }[order]
        rank = key if order == "first" else ~key  # ~ turns the order around, and no number is out of range
        some = np.arange(self.size)
        if after is not None:
            some = np.flatnonzero((rank > after[0]) | ((rank == after[0]) & (self.column > after[1])))
        if some.size > limit + 1:
            cut = np.partition(rank[some], limit)[limit]
            some = some[rank[some] <= cut]
        some = some[np.lexsort((self.column[some], rank[some]))]
        chosen = some[:limit].astype(np.int64)
        more = some.size > limit
        return chosen, (int(rank[chosen[-1]]), int(self.column[chosen[-1]])) if more else None


def conversations(table: I64) -> Conversations:
    """table: a whole table of directions (see directions), in the order of its key."""
    # Within a conversation: who sent the first SYN, else who sent the first packet; by time, by column where times are equal.
    key = combined([table[JOB], table[STACK], table[COMMUNITY_ID]])
    order = np.lexsort((table[FIRST_COLUMN], table[FIRST], table[SYN_COLUMN], table[SYN], key))
    _, begin = grouped(key[order])
    initiator = order[begin].astype(np.int64)
    sizes = np.diff(np.append(begin, order.size))
    responder = np.full(begin.size, -1, np.int64)
    responder[sizes > 1] = order[begin[sizes > 1] + 1]
    if not begin.size:
        empty = np.zeros(0, np.int64)
        return Conversations(table, initiator, responder, *[empty] * 6)
    there = table[:, order]
    first = np.minimum.reduceat(there[FIRST], begin)
    return Conversations(
        table,
        initiator,
        responder,
        (table[SYN_COLUMN, initiator] != NEVER).astype(np.int64),
        np.add.reduceat(there[PACKETS], begin),
        np.add.reduceat(there[BYTES], begin),
        np.where(first == NEVER, NO_TIME, first),
        np.maximum.reduceat(there[LAST], begin),
        np.minimum.reduceat(there[COLUMN], begin),
    )
