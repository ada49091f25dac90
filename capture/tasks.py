"""Celery's side: doorbells that do nothing but call the services."""

from __future__ import annotations

from celery import shared_task
from celery.signals import worker_ready

from capture.services import work


@shared_task(ignore_result=True)
def ring() -> None:
    """A worker was rung: it works until nothing waits, or for one turn."""
    work.turn()


@worker_ready.connect
def ring_at_start(sender: object = None, **_: object) -> None:
    """A worker that starts after a crash need not wait for the periodic ring."""
    ring.apply_async(retry=False)
