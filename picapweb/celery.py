"""The Celery application. Workers are rung; what there is to do stands in Postgres (docs: DESIGN "queue of record")."""

from __future__ import annotations

import logging
import os
import signal
from typing import Any

from celery.signals import (
    task_prerun,
    task_received,
    worker_init,
    worker_process_init,
    worker_process_shutdown,
    worker_ready,
    worker_shutting_down,
)

from picapweb import deaf_worker, environment, logs
from picapweb.celery_app import make_app
from picapweb.embedded.launch import die_with_parent

logger = logging.getLogger(__name__)
_watch: deaf_worker.Watch | None = None

app = make_app()
app.autodiscover_tasks()
# Else Celery closes the connection to Postgres before and after each task: a new one costs more than a small job.
app.conf["CELERY_DB_REUSE_MAX"] = 1_000_000


@worker_init.connect
def load_the_loops(**_: Any) -> None:
    """Before the pool's processes are forked: they share the compiled code, and none of them compiles."""
    from capture.packets.fast import warm
    from capture.packets.registry import PROBLEMS

    if not environment.boolean("PICAPWEB_SUPERVISED", False):  # else `up` says so
        for problem in PROBLEMS:
            logger.warning("%s", problem)
    warm.warm()


@worker_process_init.connect
def end_with_the_worker(**_: Any) -> None:
    """A pool process must not outlive a worker that was killed: it would hold its batch's lease and go on writing."""
    die_with_parent(signal.SIGKILL)


@worker_ready.connect
def watch_that_it_hears(**_: Any) -> None:
    """Nothing is at work when it ends for that: the pool's processes go with it."""
    global _watch
    _watch = deaf_worker.watch(app, lambda: os._exit(1))


@task_received.connect
def note_a_message(**_: Any) -> None:
    if _watch is not None:
        _watch.heard()


@worker_shutting_down.connect
def end_at_a_second_word(**_: Any) -> None:
    """The first SIGTERM lets batches at work be finished. A second one ends it all: what was at work is taken over by others."""
    if _watch is not None:
        _watch.stop()
    signal.signal(signal.SIGTERM, _end_now)
    signal.signal(signal.SIGINT, _end_now)


def _end_now(*_: object) -> None:
    # The pool's processes go with it, see end_with_the_worker.
    os._exit(1)


@worker_process_shutdown.connect
def save_what_was_counted(**_: Any) -> None:
    from picapweb import counts

    counts.save()


@task_prerun.connect
def name_the_task(task_id: str | None = None, **_: Any) -> None:
    """Lines of the log say which task they belong to; the job and batch are said by who works on them."""
    logs.bind(task=task_id)
