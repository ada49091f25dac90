"""Locators of batches that became one: they stay for a while, for somebody may just have read a row that names them.

Before a merge writes anything, it notes which files it may leave without a row: those of its batches, and the new one (which
nothing names if the merge does not come to its end). A note is a small file of its own, ``retired/<job>-<token>`` in the data
folder: {path: id of the batch whose row may name it}. What no row names when the note is old is removed: one look-up by ids.
"""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from indexing.models import Batch

GRACE_SECONDS = 600.0
# How often a process looks at the notes.
SWEEP_SECONDS = 30.0

logger = logging.getLogger(__name__)
_swept = 0.0


def lock(job: int) -> bool:
    """Whether the caller's transaction is now the only one that merges batches of the job, or sweeps up behind that."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended('merging batches of job ' || %s, 0))", [job])
        row = cursor.fetchone()
    return bool(row and row[0])


def note(job: int, token: str, paths: dict[str, int]) -> None:
    """Notes paths of locators (relative to the data folder) that may be nobody's soon, each with its batch. Raises OSError."""
    folder = _folder()
    folder.mkdir(exist_ok=True, mode=0o700)
    part = folder / f".{job}-{token}"
    part.write_text(json.dumps(paths))
    part.rename(folder / f"{job}-{token}")


def sweep_now_and_then() -> None:
    """Sweeps, if this process has not done so lately."""
    global _swept
    now = time.monotonic()
    if now - _swept > SWEEP_SECONDS:
        _swept = now
        sweep()


def sweep() -> int:
    """Removes what was noted longer than GRACE_SECONDS ago and no row names; how many files."""
    removed = 0
    try:
        notes = list(_folder().iterdir())
    except FileNotFoundError:
        return 0
    for found in notes:
        try:
            if time.time() - found.stat().st_mtime > GRACE_SECONDS:
                removed += _sweep(found)
        except FileNotFoundError:
            continue  # another process was here
        except OSError as error:
            logger.warning("locators that %s names are not removed yet: %s", found, error)
    return removed


def _sweep(found: Path) -> int:
    job = found.name.lstrip(".").partition("-")[0]
    removed = 0
    with transaction.atomic():
        if not job.isdecimal() or not lock(int(job)):
            return 0  # a merge that takes very long may still commit
        try:
            paths: dict[str, int] = json.loads(found.read_text())
        except ValueError:
            paths = {}  # its writer was killed
        named = set(Batch.objects.filter(pk__in=list(paths.values())).values_list("locator", flat=True))
        for path in paths.keys() - named:
            try:
                (Path(settings.PICAPWEB_DATA) / path).unlink()
                removed += 1
            except FileNotFoundError:
                continue
        found.unlink()
    return removed


def _folder() -> Path:
    return Path(settings.PICAPWEB_DATA) / "retired"
