"""The live workers: the only processes that open an interface. What they see stands in Postgres, where web processes read it."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import F, Q
from django.db.models.functions import Now

from capture.models import LiveWorker
from capture.packets.errors import InterfaceError
from capture.packets.interfaces import Interface, list_interfaces
from indexing.batches import worker_name

# A worker that has been silent for longer is taken to be away. It says every second that it lives.
SILENT_SECONDS = 5.0
# How long a request waits for a list that is newer than itself.
PATIENCE_SECONDS = 2.0
NO_WORKER = "no live-capture worker is running. Start one: python manage.py live (`up` and script/server do)"


def this_host() -> str:
    """The name under which live workers of this machine are known: it keeps jobs to the machine that has their interfaces."""
    return str(settings.LIVE_HOST)


def alive() -> list[LiveWorker]:
    """The workers that have said lately that they live."""
    return list(LiveWorker.objects.filter(beat__gt=Now() - timedelta(seconds=SILENT_SECONDS)).order_by("host"))


def interfaces(anew: bool = True) -> list[dict[str, Any]]:
    """Interfaces of all live workers, each with its `host`, why it cannot be captured, and what it is.

    anew: the workers look again before this answers, as far as they do so within PATIENCE_SECONDS. Where no worker lives, the
    interfaces of this process's own machine, none of them capturable."""
    if anew:
        _ask_anew()
    workers = alive()
    if workers:
        return [{**one, "host": worker.host} for worker in workers for one in worker.interfaces]
    try:
        return [_shown(one) | {"capturable": False, "why_not": NO_WORKER, "host": None} for one in list_interfaces(False)]
    except InterfaceError:
        return []


def _ask_anew() -> None:
    if not LiveWorker.objects.filter(beat__gt=Now() - timedelta(seconds=SILENT_SECONDS)).update(asked=Now()):
        return
    until = time.monotonic() + PATIENCE_SECONDS
    behind = Q(refreshed__isnull=True) | Q(refreshed__lt=F("asked"))
    while LiveWorker.objects.filter(behind, beat__gt=Now() - timedelta(seconds=SILENT_SECONDS)).exists():
        if time.monotonic() > until:
            return
        connection.close()  # a waiter must not keep a connection that others need
        time.sleep(0.02)


def say_alive() -> None:
    """This process is the live worker of this host: its row says so now."""
    LiveWorker.objects.update_or_create(host=this_host(), defaults={"worker": worker_name(), "beat": Now()})


def list_is_wanted() -> bool:
    """Whether somebody waits for this host's list."""
    behind = Q(refreshed__isnull=True) | Q(asked__gt=F("refreshed"))
    return LiveWorker.objects.filter(behind, host=this_host()).exists()


def publish(found: list[Interface], age_seconds: float) -> None:
    """Puts this host's interfaces where others read them. age_seconds: since the look at them began, so that whoever asked later
    waits for the next one."""
    refreshed = Now() - timedelta(seconds=age_seconds)
    LiveWorker.objects.filter(host=this_host()).update(interfaces=[_shown(one) for one in found], refreshed=refreshed)


def gone() -> None:
    """This process ends."""
    LiveWorker.objects.filter(host=this_host(), worker=worker_name()).delete()


def _shown(one: Interface) -> dict[str, Any]:
    said = asdict(one)
    said.pop("raw_name", None)
    return said
