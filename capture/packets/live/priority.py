"""This process before others: a capture that waits for the processor loses packets, an index that waits is late."""

from __future__ import annotations

import os

WANTED = -10


def prefer_this_process() -> str:
    """Raises the priority of this thread and of all that it starts from now on (call it before there are threads), as far as
    that is allowed. A sentence that says what it got."""
    before = os.getpriority(os.PRIO_PROCESS, 0)
    for nice in range(WANTED, before):
        try:
            os.setpriority(os.PRIO_PROCESS, 0, nice)
        except PermissionError:
            continue
        return f"priority: nice {nice}" + ("" if nice == WANTED else f" (wanted: {WANTED})")
    if before <= WANTED:
        return f"priority: nice {before}"
    return f"priority: nice {before}, since this process may not raise it (it lacks CAP_SYS_NICE)"
