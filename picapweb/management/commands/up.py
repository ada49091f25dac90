"""manage.py up: everything on this machine, in the foreground."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from picapweb.offer import Server, offer
from picapweb.reexec import with_environment
from picapweb.supervisor import Supervisor, run_or_exit, say


class Command(BaseCommand):
    help = "Start Postgres, Valkey, workers and the web server on this machine; index each FILE. Ctrl-C ends all of it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, help="where the web server listens (default: PICAPWEB_PORT or 11000)")
        parser.add_argument("--data", type=Path, help="data folder (default: PICAPWEB_DATA or ./var)")
        parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="a capture to index")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted: dict[str, str] = {}
        if options["data"] is not None:
            wanted["PICAPWEB_DATA"] = str(options["data"].resolve())
        if options["port"] is not None:
            wanted["PICAPWEB_PORT"] = str(options["port"])
        with_environment(wanted)
        supervisor = Supervisor(settings.PICAPWEB_DATA, port=settings.PORT, workers=settings.WORKERS)
        server = Server(supervisor.host, supervisor.port)

        def ready() -> None:
            say(f"ready: {server.url}/")
            for file in options["files"]:
                offer(server, file)

        run_or_exit(supervisor, ready)
