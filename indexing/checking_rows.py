"""Checks of Postgres alone: columns belong to one batch, and none that was given out will be given out again."""

from __future__ import annotations

from django.db import connection

from indexing.checking_findings import Finding, agreed
from indexing.models import PacketIndex


def overlaps(index: PacketIndex) -> list[Finding]:
    """Batches that have columns of the batch before them, whatever their state: columns are never given out twice."""

    def look() -> list[Finding]:
        with connection.cursor() as cursor:
            cursor.execute(
                """SELECT id, job, first_column, before_id, before_end FROM (
                       SELECT id, job, first_column, lag(id) OVER w AS before_id,
                              max(first_column + packets) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before_end
                       FROM indexing_batch WHERE index_id = %s AND packets > 0
                       WINDOW w AS (ORDER BY first_column, id)) AS found
                   WHERE first_column < before_end""",
                [index.pk],
            )
            return [
                Finding(
                    "columns of two batches",
                    f"it begins at column {first}, and columns up to {end - 1} are taken (batch {before} comes before it)",
                    {"index": index.name, "job": job, "batch": batch},
                )
                for batch, job, first, before, end in cursor.fetchall()
            ]

    return agreed(look)


def next_column(index: PacketIndex) -> list[Finding]:
    """The next column to be given out lies behind all that were."""

    def look() -> list[Finding]:
        with connection.cursor() as cursor:
            cursor.execute(
                """SELECT i.next_column, coalesce((SELECT max(b.first_column + b.packets) FROM indexing_batch b
                       WHERE b.index_id = i.id AND b.packets > 0), 0) FROM indexing_packetindex i WHERE i.id = %s""",
                [index.pk],
            )
            row = cursor.fetchone()
        if row is None or row[0] >= row[1]:
            return []
        words = f"the next column is {row[0]}, and batches have columns up to {row[1] - 1}"
        return [Finding("columns would be given out twice", words, {"index": index.name})]

    return agreed(look)
