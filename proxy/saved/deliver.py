"""Alerts on their way to webhooks: sent at least once, again and again until they are taken (2xx) or given up.

What is to be sent stands in Postgres. Threads of a worker send, so that a receiver that hangs holds up nobody but the threads;
a delivery that is at work is due again when its sender must have died.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone

from proxy.models import Alert, Delivery, DeliveryState, StandingQuery
from proxy.saved.alerts import alert_json
from proxy.saved.webhook import post

logger = logging.getLogger(__name__)

# Seconds between an attempt and the next; after the last one the delivery is given up.
RETRY_SECONDS = (10, 60, 300, 1800, 7200, 21600)
THREADS = 4  # of a process
_lock = threading.Lock()
_sending: set[threading.Thread] = set()
_pid = 0


def enqueue(one: StandingQuery, alert: Alert) -> None:
    """The alert is to be posted. Part of the caller's transaction."""
    body = json.dumps({"type": "alert", "alert": alert_json(alert, deliveries=False)})
    Delivery.objects.create(standing=one, alert=alert, body=body, due=timezone.now())


def start() -> None:
    """Sends what is due, in another thread; at once if there is nothing."""
    global _pid
    with _lock:
        if _pid != os.getpid():  # a fork has no threads but one
            _pid = os.getpid()
            _sending.clear()
        if len(_sending) < THREADS:
            thread = threading.Thread(target=_send_all, name="webhooks", daemon=True)
            _sending.add(thread)
            thread.start()


def wait(seconds: float) -> bool:
    """Waits for the threads that send now; False if one of them takes longer."""
    until = time.monotonic() + seconds
    for thread in list(_sending):
        thread.join(max(0.0, until - time.monotonic()))
    return not _sending


def _send_all() -> None:
    try:
        while (one := claim()) is not None:
            send(one)
    except Exception:
        logger.exception("sending to webhooks")  # what is due is due again
    finally:
        connection.close()
        with _lock:
            _sending.discard(threading.current_thread())


def claim() -> Delivery | None:
    """The next that is due, as this thread's; None if there is none."""
    patience = 2 * settings.WEBHOOK_SECONDS + 30.0
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE proxy_delivery SET due = now() + %s * interval '1 second', attempts = attempts + 1 WHERE id = (
                   SELECT id FROM proxy_delivery WHERE state = 'waiting' AND due <= now()
                   ORDER BY due LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id""",
            [patience],
        )
        row = cursor.fetchone()
    return None if row is None else Delivery.objects.select_related("standing").filter(pk=row[0]).first()


def send(one: Delivery) -> None:
    """One attempt, and what came of it."""
    standing = one.standing
    if not standing.webhook:
        _save(one, DeliveryState.GIVEN_UP, None, "the webhook was removed")
        return
    connection.close()  # who waits for a receiver must not keep a connection that others need
    answer = post(standing.webhook, one.body.encode(), standing.secret, one.pk)
    if answer.taken:
        _save(one, DeliveryState.DELIVERED, answer.status, "")
    elif one.attempts > len(RETRY_SECONDS):
        _save(one, DeliveryState.GIVEN_UP, answer.status, answer.error)
        logger.warning("alert %s of %s was not taken by its webhook: %s", one.alert_id, standing.saved_id, answer.error)
    else:
        _save(one, DeliveryState.WAITING, answer.status, answer.error)


def _save(one: Delivery, state: DeliveryState, status: int | None, error: str) -> None:
    """Unless another has sent it meanwhile."""
    now = timezone.now()
    waits = state == DeliveryState.WAITING
    due = now + timedelta(seconds=RETRY_SECONDS[one.attempts - 1]) if waits else now
    mine = Delivery.objects.filter(pk=one.pk, state=DeliveryState.WAITING, attempts=one.attempts)
    mine.update(state=state, status=status, error=error[:1000], due=due, finished=None if waits else now)
