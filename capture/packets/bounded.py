"""Bounds on what this process may take for one piece of work, kept by the kernel: no loop and no lock is in their way.

Time: a process that is over its time is ended (SIGALRM, which nobody handles). Memory: what is asked for beyond it is refused
(MemoryError in Python and numpy; compiled code may end the process). Who was ended says nothing: others find its claim lapsed.
"""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Whether work in this process may end it: a worker's process is started again, a test's or a command's is not.
expendable = False


def taken() -> int:
    """Bytes that count against the bound: this process's private writable memory (VmData of proc(5))."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    return 0


@contextmanager
def memory(most: int) -> Iterator[None]:
    """Inside, the process gets at most so many bytes more than it has now; 0: as many as there are."""
    if not most:
        yield
        return
    before, hard = resource.getrlimit(resource.RLIMIT_DATA)
    bound = taken() + most
    if hard != resource.RLIM_INFINITY:
        bound = min(bound, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (bound, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (before, hard))


@contextmanager
def seconds(most: float) -> Iterator[None]:
    """Inside, an expendable process is ended after so long; 0: never."""
    if not most or not expendable:
        yield
        return
    signal.setitimer(signal.ITIMER_REAL, most)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def more_time(most: float) -> None:
    """Work that goes on in steps begins a new one: its time counts from now."""
    if most and expendable:
        signal.setitimer(signal.ITIMER_REAL, most)
