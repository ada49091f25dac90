"""What a worker does between two pieces of work: now and then, one of them all, it looks for what is due."""

from __future__ import annotations

import logging
import time

from django.db import connection

from indexing.backends.base import BackendAway, BackendError
from retention.due import due
from retention.take import take

logger = logging.getLogger(__name__)

LOOK_SECONDS = 10.0
# A worker goes on with other work after so long; the next look follows at once then.
TURN_SECONDS = 1.0
_LOCK = 0x7265_7465  # of Postgres: one at a time
_looked = -LOOK_SECONDS


def tidy() -> None:
    """Takes what is due, for a moment."""
    global _looked
    began = time.monotonic()
    if began - _looked < LOOK_SECONDS:
        return
    _looked = began
    if not _locked():
        return
    try:
        while (found := due()) is not None:
            removal = take(found)
            if removal is not None:
                words = "retention (%s) took %s of job %d: %d files, %d bytes, %d packets"
                taken = (removal.files, removal.bytes, removal.packets)
                logger.info(words, removal.why, removal.takes, removal.job, *taken)
            if time.monotonic() - began > TURN_SECONDS:
                _looked = -LOOK_SECONDS
                return
    except (BackendAway, BackendError) as error:
        logger.warning("retention waits: %s", error)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _locked() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        row = cursor.fetchone()
    return bool(row and row[0])
