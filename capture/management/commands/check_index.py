"""manage.py check_index: that the index is what Postgres says. Works beside running workers."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from capture.services import checking
from indexing.backends.base import BackendAway, BackendError
from indexing.checking import NoSuchIndex

CANNOT = 2


class Command(BaseCommand):
    help = "Compare the index with Postgres: a line for each finding. Exit code 0: none is left, 1: some are, 2: cannot tell."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--index", metavar="NAME", help="only this index (default: all)")
        parser.add_argument("--repair", action="store_true", help="delete batches in the embedded store that nobody knows")
        parser.add_argument("--json", action="store_true", help="each finding as a JSON object on a line")
        parser.add_argument("--data", metavar="DIR", help="data folder (read by manage.py itself)")

    def handle(self, *_: Any, index: str | None, repair: bool, **options: Any) -> None:
        left = repaired = 0
        try:
            for finding in checking.check_all(index, repair):
                left, repaired = left + (not finding.repaired), repaired + finding.repaired
                self.stdout.write(json.dumps(finding.json()) if options["json"] else str(finding))
        except NoSuchIndex as error:
            raise CommandError(str(error), returncode=CANNOT) from error
        except (BackendAway, BackendError) as error:
            raise CommandError(f"the index cannot be checked: {error}", returncode=CANNOT) from error
        if not options["json"]:
            self.stdout.write(f"{left} findings" + (f", {repaired} repaired" if repaired else ""))
        if left:
            sys.exit(1)
