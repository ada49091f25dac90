"""The Celery application. Workers are rung; what there is to do stands in Postgres (docs: DESIGN "queue of record")."""

from __future__ import annotations

import logging
import os
import signal
import warnings
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "picapweb.settings")

from celery import Celery
from celery.exceptions import SecurityWarning
from celery.signals import setup_logging, worker_init, worker_process_init

from picapweb import environment
from picapweb.embedded.launch import die_with_parent

# Celery warns root at every start of a worker; what makes root dangerous there (pickle) is not accepted at all.
warnings.filterwarnings("ignore", category=SecurityWarning, module="celery.platforms")

logger = logging.getLogger(__name__)

app = Celery("picapweb")
app.config_from_object("django.conf:settings", namespace="CELERY")
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


@setup_logging.connect
def keep_djangos_logging(**_: Any) -> None:
    """Having a receiver at all keeps Celery from setting up logging of its own."""
