"""Calls of ours that become other calls before values are translated: what no row of the index says by itself.

A resolver gets the index and the call, whose children are resolved already, rows still values; what it gives may hold rows of row
ids all the same (RowSet) and columns (indexing.columns). It is masked like any other call afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from indexing import limits
from indexing.backends.embedded_cache_results import key_of
from indexing.calls import Call
from proxy.by_record.number import frame_number
from proxy.by_record.relative import time_relative
from proxy.by_record.time import time
from proxy.pql.walk import everything, rebuild


def _flow(index: str, call: Call) -> Call:
    from proxy.flows.flow import flow  # it asks questions of its own, by way of this module

    return flow(index, call)


def _named(index: str, call: Call) -> Call:
    from proxy.flows.named import named  # as above

    return named(index, call)


RESOLVERS: dict[str, Callable[[str, Call], Call]] = {
    "Flow": _flow,
    "FrameNumber": frame_number,
    "Named": _named,
    "Time": time,
    "TimeRelative": time_relative,
}


def resolve(index: str, calls: Sequence[Call]) -> list[Call]:
    """The calls without those that are resolved. The calls given are not changed. Raises QueryError, LimitExceeded."""
    return [
        rebuild(call, lambda node: _resolved(index, node) if node.name in RESOLVERS else node)
        if any(node.name in RESOLVERS for node in everything(call))
        else call
        for call in calls
    ]


def _resolved(index: str, node: Call) -> Call:
    """Worked out once for a request, which counts packets, adds up their bytes and lists some of them."""
    known, key = limits.current().known, key_of(node)
    if key is None:
        return RESOLVERS[node.name](index, node)
    place = ("resolved", index, key)
    if place not in known:
        known[place] = RESOLVERS[node.name](index, node)
    found: Call = known[place]
    return found
