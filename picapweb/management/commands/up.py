"""``manage.py up``: everything on this machine, in the foreground."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from picapweb.files import index_files
from picapweb.pilosa_bind import BadBind, wanted
from picapweb.up import CannotStart, Options, Up, check_bind, run, wait_for_ever
from picapweb.uploader import headers_for_files


class Command(BaseCommand):
    help = "Start Postgres, Valkey, workers and the web server here, and index each FILE. SIGINT or SIGTERM ends all of it."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="*", metavar="FILE", help="a capture to index; in server mode with PICAPWEB_TOKEN")
        parser.add_argument("--port", type=int, default=settings.PORT, help="port of the web server (default %(default)s)")
        parser.add_argument("--bind", default=settings.BIND, help="address to listen on (default %(default)s)")
        parser.add_argument(
            "--data", default=str(settings.PICAPWEB_DATA), help="data folder (default %(default)s; read by manage.py itself)"
        )

    def handle(self, *_: Any, files: list[str], port: int, bind: str, **__: Any) -> None:
        if not 1 <= port <= 65535:
            raise CommandError(f"--port {port} is not a port: 1 to 65535")

        def then(up: Up) -> int:
            print(f"ready: {up.options.url}/", flush=True)
            index_files(up.options.url, files, headers=headers)
            wait_for_ever(up)

        try:
            check_bind(bind, local=settings.LOCAL_MODE)
            headers = headers_for_files() if files else {}
            try:
                pilosa = wanted(local=settings.LOCAL_MODE)
            except BadBind as error:
                raise CannotStart(str(error)) from error
            code = run(options_from_settings(port=port, bind=bind, pilosa=pilosa), then)
        except CannotStart as error:
            raise CommandError(str(error)) from error
        sys.exit(code)


def options_from_settings(**changes: Any) -> Options:
    """Options as the environment has them: a part that it gives an address for is not started here."""
    given = {
        "data": settings.PICAPWEB_DATA,
        "port": settings.PORT,
        "bind": settings.BIND,
        "workers": settings.WORKERS,
        "database": settings.EMBEDDED_DATABASE,
        "broker": settings.EMBEDDED_BROKER,
    }
    return Options(**{**given, **changes})
