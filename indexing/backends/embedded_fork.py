"""LMDB environments and fork(): a child must neither use nor, while a transaction is open, close its parent's environment.

Closing it in the child aborts the parent's transactions there, which frees their slots in the shared reader table: the
parent's snapshots would lose their protection. Not closing it, the child cannot open the file: "already open in this
process". So a fork waits until no transaction is open (queries take milliseconds), and the child then closes what it got.
It needs max_spare_txns=0: a spare transaction would keep a slot. Programs started by subprocess do not come this way.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_FORK_WAITS_SECONDS = 30.0

# (path) -> environment and how many stores use it. LMDB allows one environment per file and process.
environments: dict[str, tuple[Any, int]] = {}
lock = threading.Lock()  # of `environments`


class _Gate:
    """Counts open transactions; shut while a fork waits for them to end."""

    def __init__(self) -> None:
        self.changed = threading.Condition(threading.RLock())
        self.open = 0
        self.forking = False
        self.idle = True  # at the fork: no transaction was open
        self.mine = threading.local()


_gate = _Gate()


@contextmanager
def transaction() -> Iterator[None]:
    """Around every transaction."""
    gate = _gate
    depth = getattr(gate.mine, "depth", 0)
    with gate.changed:
        while gate.forking and not depth:
            gate.changed.wait()
        gate.open += 1
    gate.mine.depth = depth + 1
    try:
        yield
    finally:
        gate.mine.depth = depth
        with gate.changed:
            gate.open -= 1
            gate.changed.notify_all()


def _before() -> None:
    lock.acquire()
    _gate.changed.acquire()
    _gate.forking = True
    mine = getattr(_gate.mine, "depth", 0)
    _gate.changed.wait_for(lambda: _gate.open <= mine, _FORK_WAITS_SECONDS)
    _gate.idle = _gate.open == 0


def _in_parent() -> None:
    _gate.forking = False
    _gate.changed.notify_all()
    _gate.changed.release()
    lock.release()


def _in_child() -> None:
    global _gate, lock
    if _gate.idle:
        for environment, _ in environments.values():
            environment.close()
    environments.clear()
    _gate, lock = _Gate(), threading.Lock()


os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
