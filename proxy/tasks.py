"""Celery's side of standing queries: a look every second, for what was not looked at where it happened."""

from __future__ import annotations

from celery import shared_task
from django.db import close_old_connections, connection


@shared_task(ignore_result=True)
def watch() -> None:
    """Asks standing queries of packets that have come, and sends what is due."""
    from proxy.saved.watch import look  # the clock loads this module too, and has no use for what that brings

    close_old_connections()
    try:
        look()
    except BaseException:
        connection.close()  # whatever it was, the next look begins anew
        raise
