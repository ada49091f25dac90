"""manage.py backup TARGET: a copy of everything, while the server runs or not."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error

from backup.make import make
from backup.manifest import BackupError
from backup.serving import database
from indexing.backends.base import BackendAway, BackendError


class Command(BaseCommand):
    help = "Copy the database, the index and all captures, as they are in one moment, to a new folder TARGET. The server may run."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("target", metavar="TARGET", help="a folder that does not exist yet, or is empty")
        parser.add_argument("--data", help="data folder (read by manage.py itself)")

    def handle(self, *_: Any, target: str, **__: Any) -> None:
        try:
            with database():
                manifest = make(Path(target).absolute(), self.stdout.write)
        except (BackupError, BackendAway, BackendError) as error:
            raise CommandError(str(error)) from error
        except (OSError, Error) as error:
            raise CommandError(" ".join(str(error).split())) from error
        packets = sum(manifest.facts["packets"].values())
        self.stdout.write(f"backed up {manifest.facts['jobs']} jobs with {packets:,} packets to {target}")
