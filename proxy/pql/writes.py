"""Packet indexes are written by capture jobs alone."""

from __future__ import annotations

from collections.abc import Iterable

from indexing.calls import Call, QueryError
from proxy.pql.walk import WRITES, everything


def readable(calls: Iterable[Call]) -> None:
    """Raises QueryError (400) if any of the calls writes, wherever it stands."""
    for call in calls:
        for node in everything(call):
            if node.name in WRITES:
                raise not_allowed(node)


def not_allowed(call: Call) -> QueryError:
    """The error of a call that writes."""
    return QueryError(f"{call.name}: writes to packet indexes are not allowed", call.position)
