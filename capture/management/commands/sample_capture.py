"""manage.py sample_capture OUT: writes the sample capture that the first page offers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from capture.sample import sample


class Command(BaseCommand):
    help = "Writes a small capture to try things on: an office for a minute, the same bytes each time."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("out", metavar="OUT", help="the file to write, or - for standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        data = sample()
        if options["out"] == "-":
            sys.stdout.buffer.write(data)
            return
        try:
            Path(options["out"]).write_bytes(data)
        except OSError as error:
            raise CommandError(f"{options['out']}: {error.strerror}") from None
        self.stdout.write(f"{options['out']}: {len(data):,} bytes")
