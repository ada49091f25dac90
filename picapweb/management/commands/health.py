"""manage.py health PART: whether this host's web, worker, beat or live process does its work. For containers' health checks."""

from __future__ import annotations

import http.client
import socket
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

SECONDS = 5.0
# The clock ticks every few seconds at least.
SILENT_SECONDS = 60.0


class Command(BaseCommand):
    help = "Exit code 0 if the process does its work, else 1 and a word why."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("part", choices=("web", "worker", "beat", "live"))
        parser.add_argument("--data", help="data folder (read by manage.py itself)")

    def handle(self, *_: Any, part: str, **__: Any) -> None:
        try:
            wrong = {"web": _web, "worker": _worker, "beat": _beat, "live": _live}[part]()
        except Exception as error:
            wrong = " ".join(str(error).split()) or type(error).__name__
        if wrong:
            self.stderr.write(f"{part}: {wrong}")
            sys.exit(1)
        self.stdout.write(f"{part}: ok")


def _web() -> str:
    connection = http.client.HTTPConnection("127.0.0.1", settings.PORT, timeout=SECONDS)
    # In any words: in server mode this Host may not be one that is served.
    connection.request("GET", "/healthz", headers={"Host": "localhost"})
    status = connection.getresponse().status
    return "" if status < 500 else f"/healthz is a {status}"


def _worker() -> str:
    from picapweb.celery import app

    name = f"worker@{socket.gethostname()}"
    answers = app.control.inspect(destination=[name], timeout=SECONDS).ping() or {}
    return "" if name in answers else f"{name} does not answer"


def _beat() -> str:
    from picapweb.clock import FILE

    age = time.time() - (Path(settings.PICAPWEB_DATA) / FILE).stat().st_mtime
    return "" if age < SILENT_SECONDS else f"it has not ticked for {age:.0f} s"


def _live() -> str:
    from django.utils import timezone

    from capture.models import LiveWorker
    from capture.services import live_workers

    worker = LiveWorker.objects.filter(host=live_workers.this_host()).first()
    if worker is None:
        return f"no live worker of {live_workers.this_host()!r} has said that it lives"
    age = (timezone.now() - worker.beat).total_seconds()
    return "" if age < live_workers.SILENT_SECONDS else f"it has said nothing for {age:.0f} s"
