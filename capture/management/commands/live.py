"""manage.py live: the live worker, the only process that needs the right to capture."""

from __future__ import annotations

import fcntl
import logging
import os
import signal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from capture.packets.live.priority import prefer_this_process
from capture.services.live_process import LiveProcess
from capture.services.live_workers import this_host
from picapweb.embedded.launch import die_with_parent

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Capture for live jobs, on the interfaces of this host. It alone needs CAP_NET_RAW; one runs a host and data folder."
    requires_system_checks = []

    def handle(self, *_: Any, **__: Any) -> None:
        if os.environ.get("PICAPWEB_SUPERVISED") == "true":
            # Asked for by the launcher too, but the kernel forgets it where the program has capabilities of its own.
            die_with_parent(signal.SIGKILL, os.getppid())
        lock = self.lock()
        prefer_this_process()
        process = LiveProcess()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: process.stop())
        try:
            process.run()
        finally:
            lock.close()

    def lock(self) -> Any:
        """One live worker a host: whoever holds this knows that the one before it is dead, and takes up its jobs at once."""
        folder = Path(settings.CAPTURES_DIR)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = (folder / f"live-{this_host().replace('/', '_')}.lock").open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CommandError(f"a live worker of host {this_host()!r} runs on this data folder already") from None
        return file


