"""What is due: jobs that have ended and are older, or larger, than they are kept. What is queued, running or stopping never is.

In this order: a job's own age, the server's age, a job's own bytes, the server's bytes; within each, who ended first. A job that
says `retention: keep` is never taken, and counts towards the server's bytes all the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from retention.models import Takes, Why


@dataclass(frozen=True)
class Due:
    """A job, why it is taken, what is taken. keep: bytes of captures that may stay (its newest files)."""

    job: int
    why: Why
    takes: Takes
    keep: int = 0


# The jobs that may be taken, each with what is taken of it and where there is some of that.
_ENDED = """
    SELECT j.id, j.finished, coalesce(nullif(j.options->>'retention', ''), %(takes)s) AS takes,
           coalesce((j.options->>'keep_seconds')::float, 0) AS keep_seconds,
           coalesce((j.options->>'keep_bytes')::bigint, 0) AS keep_bytes
    FROM capture_job j
    WHERE j.deleted IS NULL AND j.finished IS NOT NULL AND j.state IN ('done', 'stopped', 'failed')
      AND coalesce(j.options->>'retention', '') <> 'keep'"""
_SOMETHING = """(takes = 'all'
      OR takes = 'captures' AND EXISTS (SELECT 1 FROM capture_capturefile c WHERE c.job_id = ended.id)
      OR takes = 'index' AND EXISTS (SELECT 1 FROM indexing_batch b WHERE b.job = ended.id AND b.state <> 'hidden'))"""
_OLD = f"""
    WITH ended AS ({_ENDED})
    SELECT id, takes, keep_seconds > 0 FROM ended
    WHERE CASE WHEN keep_seconds > 0 THEN finished < now() - keep_seconds * interval '1 second'
               WHEN %(age)s > 0 THEN finished < now() - %(age)s * interval '1 second' ELSE false END AND {_SOMETHING}
    ORDER BY keep_seconds > 0 DESC, finished LIMIT 1"""
_JOB_TOO_LARGE = f"""
    WITH ended AS ({_ENDED})
    SELECT id, takes, keep_bytes FROM ended
    WHERE keep_bytes > 0 AND takes <> 'index'
      AND keep_bytes < (SELECT coalesce(sum(c.size), 0) FROM capture_capturefile c WHERE c.job_id = ended.id)
    ORDER BY finished LIMIT 1"""
_OLDEST = f"""
    WITH ended AS ({_ENDED})
    SELECT id, takes FROM ended
    WHERE takes <> 'index' AND EXISTS (SELECT 1 FROM capture_capturefile c WHERE c.job_id = ended.id AND c.size > 0)
    ORDER BY finished LIMIT 1"""


def due() -> Due | None:
    """The next job whose data goes; None if there is none."""
    rules: dict[str, str | float] = {"takes": settings.RETENTION_TAKES, "age": settings.RETENTION_AGE}
    with connection.cursor() as cursor:
        cursor.execute(_OLD, rules)
        if row := cursor.fetchone():
            return Due(row[0], Why.JOB_AGE if row[2] else Why.AGE, Takes(row[1]))
        cursor.execute(_JOB_TOO_LARGE, rules)
        if row := cursor.fetchone():
            return Due(row[0], Why.JOB_BYTES, Takes(row[1]), keep=row[2])
        if settings.RETENTION_BYTES and captured_bytes() > settings.RETENTION_BYTES:
            cursor.execute(_OLDEST, rules)
            if row := cursor.fetchone():
                return Due(row[0], Why.BYTES, Takes(row[1]))
    return None


def captured_bytes() -> int:
    """What the captures of all jobs take that are not deleted."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT coalesce(sum(c.size), 0) FROM capture_capturefile c JOIN capture_job j ON j.id = c.job_id
               WHERE j.deleted IS NULL"""
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0
