"""This process before others: a capture that waits for the processor loses packets, an index that waits is late."""

from __future__ import annotations

import os
from pathlib import Path

WANTED = -10
# Where the kernel shares processors between sessions first (sched_autogroup), niceness counts within a session only.
_SESSION = Path("/proc/self/autogroup")


def prefer_this_process() -> str:
    """Raises the priority of this thread and of all that it starts from now on (call it before there are threads), as far as
    that is allowed; that of its session as well, if this process leads it. A sentence that says what it got."""
    nice = _raise_process()
    if nice >= 0:
        return f"priority: nice {nice}, this process may not raise it (it lacks CAP_SYS_NICE)"
    words = f"priority: nice {nice}"
    if os.getsid(0) == os.getpid():
        try:
            _SESSION.write_text(str(nice))
            words += ", its session too"
        except OSError:
            pass  # a kernel without autogroups: nothing is lost
    return words


def _raise_process() -> int:
    """The niceness that it has in the end."""
    before = os.getpriority(os.PRIO_PROCESS, 0)
    for nice in range(WANTED, before):
        try:
            os.setpriority(os.PRIO_PROCESS, 0, nice)
        except PermissionError:
            continue
        return nice
    return before
