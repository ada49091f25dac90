"""`Flow(q)`: all packets of the conversations that packets of q are of. Exact, see docs/flows.md."""

from __future__ import annotations

import numpy as np

from indexing.calls import Call, QueryError
from proxy.analysis.counter import counter_of
from proxy.ask import in_rows
from proxy.flows.lookup import lookup_of
from proxy.flows.triples import COMMUNITY_ID, CONVERSATION, JOB, STACK, Triples, of_parts, packets_of

NAME = "Flow"
FIELDS = (COMMUNITY_ID, STACK)  # what jobs must have indexed for it
_MANY = 1 << 16  # packets, of more than which rows are counted before packets are gone through


def flow(index: str, call: Call) -> Call:
    """The call as rows; see proxy.resolve. Raises QueryError, LimitExceeded."""
    if len(call.children) != 1 or call.args:
        raise QueryError(f"{NAME}() takes one call, that of the packets whose conversations are meant", call.position)
    within = in_rows(index, call.children[0])
    with lookup_of(index) as lookup:
        found = _of_one_network(index, within)
        if found is None:
            found = of_parts(lookup.first_rows(CONVERSATION, within))
        made = packets_of(index, lookup, found)
    made.position = call.position
    return made


def _of_one_network(index: str, within: Call) -> Triples | None:
    """The conversations of very many packets that are of one job and have no tag, by counting; else None."""
    with counter_of(index) as counter:
        if counter.count(within)[0] < _MANY:
            return None
        jobs, stacks = counter.tallies([JOB, STACK], within)
        if jobs.rows.size != 1 or stacks.rows.size or not (jobs.exact and stacks.exact):
            return None
        (ids,) = counter.tallies([COMMUNITY_ID], within)
        if not ids.exact:
            return None
    job, none = np.full(ids.rows.size, jobs.rows[0], np.int64), np.full(ids.rows.size, -1, np.int64)
    return Triples(job, none, ids.rows.astype(np.int64))
