"""Which worker processes live: each holds a lock on a file of its own, which the kernel lets go when the process ends, however.

So what a dead one had claimed is taken up at once, by whoever shares the data folder, and not when its lease runs out. Where
nothing is known of a process (other folder, other machine), the lease decides.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from django.conf import settings
from django.db import connection

from indexing.batches import worker_name

# (process, its file's descriptor): a forked child must not think that its parent's is its own.
_held: tuple[int, int] | None = None


_CLAIMS = (
    ("indexing_batch", "state = 'claimed'"),
    ("capture_capturefile", "scan_state = 'scanning'"),
    ("capture_conversationpass", "state = 'running'"),
)


def say() -> None:
    """This process works from now on, as `worker_name`."""
    global _held
    if _held is not None and _held[0] == os.getpid():
        return
    path = _path(worker_name())
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)  # another one of the same name lives, in another container perhaps: leases decide
        return
    _held = (os.getpid(), file)


def is_gone(worker: str) -> bool:
    """Whether the process that called itself so has ended. False where nothing is known of it."""
    path = _path(worker)
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Not removed: a process of the same name may just be opening it. There are as many files as process ids at most.
        return True
    except OSError:
        return False
    finally:
        os.close(file)


def end_claims_of_the_dead() -> int:
    """What dead processes had claimed can be claimed at once: batches, scans, second passes. How many."""
    ended = 0
    with connection.cursor() as cursor:
        for table, state in _CLAIMS:
            cursor.execute(f"SELECT DISTINCT worker FROM {table} WHERE {state} AND lease_until > now()")
            gone = [worker for (worker,) in cursor.fetchall() if worker and is_gone(worker)]
            if gone:
                cursor.execute(
                    f"UPDATE {table} SET lease_until = now() WHERE {state} AND lease_until > now() AND worker = ANY(%s)", [gone]
                )
                ended += cursor.rowcount
    return ended


def _path(worker: str) -> Path:
    name = "".join(c if c.isalnum() or c in "-_." else "_" for c in worker)
    return Path(settings.PICAPWEB_DATA) / "workers" / (name[:200] or "_")
