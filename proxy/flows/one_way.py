"""Conversations of which only one side sent packets."""

from __future__ import annotations

import numpy as np

from indexing import limits
from proxy.flows.grouping import combined, grouped
from proxy.flows.lookup import WHAT, Lookup
from proxy.flows.triples import CONVERSATION, Triples

_FIELDS = (*CONVERSATION, "netsrc", "transsrc")
_PENDING = 2_000_000


def one_way(lookup: Lookup) -> Triples:
    """Of all packets of an index. Raises LimitExceeded."""
    budget = limits.current()
    found = [np.zeros((len(_FIELDS), 0), np.int64)]
    pending = 0
    for _, rows in lookup.first_rows(_FIELDS, None):
        budget.check()
        some = _distinct(np.array([array[rows[2] >= 0] for array in rows], np.int64).reshape(len(_FIELDS), -1))
        found.append(some)
        pending += some.shape[1]
        if pending > _PENDING + 2 * found[0].shape[1]:
            found = [_distinct(np.concatenate(found, axis=1))]
            pending = found[0].shape[1]
        budget.hold(budget, 3 * sum(one.nbytes for one in found), WHAT)
    table = _distinct(np.concatenate(found, axis=1))
    _, begin = grouped(combined(list(table[:3])))  # in order already
    alone = begin[np.diff(np.append(begin, table.shape[1])) == 1]
    budget.hold(budget, 0, "")
    return Triples(*table[:3, alone])


def _distinct(table: np.typing.NDArray[np.int64]) -> np.typing.NDArray[np.int64]:
    if not table.size:
        return table
    order, begin = grouped(combined(list(table)))
    found: np.typing.NDArray[np.int64] = table[:, order[begin]]
    return found
