"""Celery's side: doorbells that do nothing but call the services."""

from __future__ import annotations

from celery import shared_task
from celery.signals import worker_process_init, worker_ready
from django.db import close_old_connections, connection

from capture.packets import bounded
from capture.services import alive, work


@shared_task(ignore_result=True)
def ring() -> None:
    """A worker was rung: it works until nothing waits, or for one turn."""
    close_old_connections()  # one that broke, as Django's own requests do
    try:
        work.turn()
    except BaseException:
        connection.close()  # whatever it was, the next turn begins anew
        raise


@worker_process_init.connect
def work_under_bounds(**_: object) -> None:
    """A process of the pool may be ended by what it works on: it says that it lives, and its successor is rung at once."""
    bounded.expendable = True
    alive.say()
    ring.apply_async(retry=False, expires=60)


@worker_ready.connect
def ring_at_start(sender: object = None, **_: object) -> None:
    """A worker that starts after a crash need not wait for the periodic ring."""
    ring.apply_async(retry=False)
