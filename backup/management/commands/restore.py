"""manage.py restore SOURCE: a server of a backup."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import Error

from backup.manifest import BackupError, Manifest, verify
from backup.restore import check_empty, clean_up, restore
from backup.serving import database
from capture.services.checking import check_all
from indexing.backends.base import BackendAway, BackendError
from indexing.reindexing import reindex


class Command(BaseCommand):
    help = "Restore a backup into an empty data folder (and an empty database, and index). Everything is verified before."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", metavar="SOURCE", help="a folder that `backup` made")
        parser.add_argument("--data", help="the new data folder (read by manage.py itself)")
        parser.add_argument("--verify-only", action="store_true", help="look whether the backup is whole, and change nothing")

    def handle(self, *_: Any, source: str, verify_only: bool, **__: Any) -> None:
        folder, data = Path(source).absolute(), Path(settings.PICAPWEB_DATA)
        try:
            manifest = Manifest.read(folder)
            if verify_only:
                verify(folder, manifest)
                self.stdout.write(f"{source}: {len(manifest.parts):,} parts are as they were backed up, {manifest.made}")
                return
            check_empty(data)
            try:
                with database():
                    self._restore(folder, manifest)
            except BaseException:
                clean_up(data)
                raise
        except (BackupError, BackendAway, BackendError) as error:
            raise CommandError(str(error)) from error
        except (OSError, Error) as error:
            raise CommandError(" ".join(str(error).split())) from error

    def _restore(self, folder: Path, manifest: Manifest) -> None:
        if restore(folder, manifest, self.stdout.write):
            self.stdout.write("the index is made again of the captures: this takes as long as indexing them")
            done = reindex(None, say=self.stdout.write)
            self.stdout.write(done.words())
        found = list(check_all())
        for finding in found:
            self.stdout.write(str(finding))
        words = f"{len(found)} findings: see docs/operations.md" if found else "checked: all packets are where they should be"
        self.stdout.write(f"restored to {settings.PICAPWEB_DATA}; {words}")
