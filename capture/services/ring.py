"""The doorbell. What there is to do stands in Postgres; a message only wakes a worker, and a lost one costs nothing."""

from __future__ import annotations

import logging
import os
import threading

from celery import current_app
from django.db import transaction

logger = logging.getLogger(__name__)
TASK = "capture.tasks.ring"  # by its name: the task itself stands above the services

# Rings that are not sent yet are sent by one thread: a broker that hangs must hold up nobody's request. More rings than
# this at once say nothing new.
MOST_WAITING = 64
_lock = threading.Lock()
_waiting = 0
_thread_of = 0  # the process that the sending thread runs in; a forked child has none


def ring(times: int = 1) -> None:
    """Wakes workers, after the caller's transaction. A broker that is away is logged, not raised: the periodic ring follows."""
    transaction.on_commit(lambda: _send(times))


def _send(times: int) -> None:
    global _waiting, _thread_of
    with _lock:
        _waiting = min(_waiting + times, MOST_WAITING) if _thread_of == os.getpid() else times
        if _thread_of != os.getpid():
            _thread_of = os.getpid()
            threading.Thread(target=_deliver, name="ring", daemon=True).start()


def _deliver() -> None:
    global _waiting, _thread_of
    while True:
        with _lock:
            if _waiting == 0:
                _thread_of = 0
                return
            _waiting -= 1
        try:
            current_app.send_task(TASK, retry=False, expires=60)
        except Exception as error:
            logger.warning("the broker is away, the job waits for the periodic ring: %s", error)
            with _lock:
                _waiting = 0
