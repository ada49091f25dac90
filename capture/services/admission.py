"""Who may send one more capture now: bounds on uploads at once, uploads a minute, and jobs that have not ended, of each person.

In local mode everybody is one person. The first two are kept in small files under the captures' own folder, locked, so that all
web processes count together, and a process that is killed gives back what it held.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings

from capture.models import ENDED, Job, JobState
from capture.services.errors import Refused

# Named one by one, for the index on states.
OPEN = [state for state in JobState if state not in ENDED]
# A refused client is told to come back after so long, where nothing better is known.
AGAIN_SECONDS = 10


@contextmanager
def admitted(owner: Any) -> Iterator[None]:
    """Around the receiving of an upload, and the making of its job. Raises Refused (429, with when to try again)."""
    person = getattr(owner, "pk", None)
    _check_open_jobs(person)
    slot = _take_slot(person)
    try:
        _take_turn(person)
        yield
    finally:
        if slot is not None:
            os.close(slot)


def _check_open_jobs(person: int | None) -> None:
    most = settings.MAX_OPEN_JOBS
    if most and Job.objects.live().filter(owner=person).filter(state__in=OPEN).count() >= most:
        raise _too_many(
            f"{most:,} jobs of yours have not ended (PICAPWEB_MAX_OPEN_JOBS): wait for some, or stop them", AGAIN_SECONDS
        )


def _take_slot(person: int | None) -> int | None:
    """A locked file: as many uploads at once as there are."""
    most = settings.MAX_UPLOADS
    if not most:
        return None
    for number in range(most):
        file = _open(f"{_name(person)}-{number}")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except OSError:
            os.close(file)
    raise _too_many(f"{most:,} uploads of yours are coming in (PICAPWEB_MAX_UPLOADS): wait for one to end", AGAIN_SECONDS)


def _take_turn(person: int | None) -> None:
    """A bucket that holds a minute's uploads and is filled evenly."""
    most = settings.UPLOADS_A_MINUTE
    if not most:
        return
    file = _open(f"{_name(person)}-turns")
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        now = time.time()
        left, since = _read(file, float(most), now)
        # A clock that was set back gives nothing, and takes nothing.
        left = min(float(most), left + max(0.0, now - since) * most / 60)
        if left < 1:
            seconds = max(1, round((1 - left) * 60 / most + 0.5))
            raise _too_many(f"more than {most:,} uploads a minute (PICAPWEB_UPLOADS_A_MINUTE)", seconds)
        os.ftruncate(file, 0)
        os.pwrite(file, json.dumps([left - 1, now]).encode(), 0)
    finally:
        os.close(file)


def _read(file: int, left: float, now: float) -> tuple[float, float]:
    try:
        kept_left, since = json.loads(os.pread(file, 100, 0))
        return float(kept_left), float(since)
    except (ValueError, TypeError):  # new, or its writer was killed
        return left, now


def _name(person: int | None) -> str:
    return "everybody" if person is None else f"user-{person}"


def _open(name: str) -> int:
    folder = Path(settings.CAPTURES_DIR) / "admission"
    try:
        return os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _too_many(why: str, seconds: int) -> Refused:
    return Refused(why, 429, retry_after=seconds)
