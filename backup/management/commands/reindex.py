"""manage.py reindex: index again what is indexed, while the server runs; or, with --rebuild, make a new embedded store."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import Error, connection, transaction

from backup.serving import database
from capture.models import Job
from capture.packets.errors import PacketsError
from capture.packets.registry import select
from capture.services import progress
from indexing import store
from indexing.backends.base import BackendAway, BackendError
from indexing.models import Batch
from indexing.reindexing import Done, reindex, start_anew


class Command(BaseCommand):
    help = "Index jobs again, from their stored captures: with new fields, or after an upgrade. Answers stay right meanwhile."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--job", type=int, action="append", metavar="N", help="this job (may be given several times)")
        what.add_argument("--index", metavar="NAME", help="all jobs of this index")
        what.add_argument("--all", action="store_true", help="all jobs")
        what.add_argument("--rebuild", action="store_true", help="throw the embedded store away and make it anew; server stopped")
        parser.add_argument("--fields", metavar="NAMES", help="index these fields from now on: names or presets, commas between")
        parser.add_argument("--data", help="data folder (read by manage.py itself)")

    def handle(self, *_: Any, rebuild: bool, fields: str | None, **chosen: Any) -> None:
        try:
            names = None if fields is None else [one.name for one in select([word.strip() for word in fields.split(",")])]
        except PacketsError as error:
            raise CommandError(f"--fields: {error}") from error
        try:
            with database() as alone, _only_one():
                if rebuild:
                    self._start_anew(alone)
                jobs = _jobs(chosen["job"], chosen["index"])
                batches = list(Batch.objects.filter(job__in=jobs).values_list("pk", flat=True))
                done = reindex(batches, names, say=self.stdout.write)
                _count_again(done, names)
        except (BackendAway, BackendError) as error:
            raise CommandError(str(error)) from error
        except Error as error:
            raise CommandError(" ".join(str(error).split())) from error
        for words in done.failed.values():
            self.stderr.write(words)
        self.stdout.write(done.words())
        if done.failed:
            raise CommandError("not all of it could be indexed again")

    def _start_anew(self, alone: bool) -> None:
        if not settings.INDEX_URL.startswith("embedded"):
            raise CommandError("--rebuild is for the embedded store; for Pilosa, drop its indexes there, then reindex --all")
        if settings.EMBEDDED_DATABASE and not alone:
            raise CommandError(f"--rebuild needs the data folder {settings.PICAPWEB_DATA} for itself: stop the server first")
        start_anew()
        for name in Job.objects.live().order_by().values_list("index", flat=True).distinct():
            store.ensure_index(name)
        self.stdout.write("the store is empty now; tags and bits that queries wrote are gone with the old one")


class _only_one:
    """Two at once would do everything twice."""

    def __enter__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(hashtextextended('picapweb reindex', 0))")
            row = cursor.fetchone()
        if not (row and row[0]):
            raise CommandError("another reindex is running")

    def __exit__(self, *_: object) -> None:
        """The lock goes with the connection."""


def _jobs(numbers: Sequence[int] | None, index: str | None) -> list[int]:
    jobs = Job.objects.live()
    if numbers:
        found = list(jobs.filter(pk__in=numbers).values_list("pk", flat=True))
        for number in numbers:
            if number not in found:
                raise CommandError(f"there is no job {number}")
        return found
    if index is not None:
        found = list(jobs.filter(index=index).values_list("pk", flat=True))
        if not found:
            raise CommandError(f"no job has the index {index!r}")
        return found
    return list(jobs.values_list("pk", flat=True))


def _count_again(done: Done, names: list[str] | None) -> None:
    """What batches told anew (undecodable packets, fields that could not be had) their jobs tell too."""
    for pk in sorted(done.jobs):
        with transaction.atomic():
            job = Job.objects.live().select_for_update(of=("self",)).filter(pk=pk).first()
            if job is None:
                continue
            if names is not None:
                job.fields = names
            if job.ended:
                progress.recount(job)
            job.save()
