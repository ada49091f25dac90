"""What is said of packets that a standing query has found: the first and last of them, their jobs and times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from capture.packets.batch import NO_TIME
from indexing import limits
from indexing.calls import Call, RowResult
from proxy.ask import ask_rows
from proxy.locate import locate

MOST_JOBS = 1000
MEMORY = 512 << 20


@dataclass(frozen=True)
class Found:
    """count packets, of which some may have left the index again since they were counted."""

    count: int
    first_column: int
    last_column: int
    jobs: tuple[int, ...] = ()
    first_time_ns: int | None = None
    last_time_ns: int | None = None


def found_of(index: str, call: Call, shards: Sequence[int], count: int) -> Found:
    """What the packets of a bitmap call in row ids are. Raises BackendAway, BackendError."""
    with limits.within(None, MEMORY):
        (result,) = ask_rows(index, [call], shards)
    assert isinstance(result, RowResult)
    columns = np.asarray(result.columns, np.uint64)
    if columns.size == 0:
        return Found(count, -1, -1)
    located = locate(index, columns)
    times = located.record["time_ns"]
    times = times[times != NO_TIME]
    return Found(
        count,
        int(columns[0]),
        int(columns[-1]),
        tuple(np.unique(located.job)[:MOST_JOBS].tolist()),
        int(times.min()) if times.size else None,
        int(times.max()) if times.size else None,
    )
