"""What is known of packets that could not be dissected: kept with their batch, told with their job, gone with their columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import F, Sum
from numpy.typing import NDArray

from capture.packets.alone.driver import GivenUp
from indexing.models import Batch, GivenUpPackets

MOST_TOLD = 100


def note(batch: Batch, found: Sequence[GivenUp], locator: NDArray[Any] | None) -> None:
    """Sets what is known of a batch's packets, whatever an earlier attempt found. Part of the caller's transaction.

    locator: the batch's, where anything was found."""
    if batch.attempt > 1 or found:
        forget([batch])
    if locator is None:
        return
    GivenUpPackets.objects.bulk_create(
        GivenUpPackets(
            job=batch.job,
            capture=batch.capture,
            first_column=batch.first_column + one.first,
            packets=one.last - one.first + 1,
            first_number=int(locator["number"][one.first]),
            last_number=int(locator["number"][one.last]),
            offset=int(locator["offset"][one.first]),
            reason=one.reason,
            of_packages=one.of_packages,
        )
        for one in found
    )


def any_in(batch: Batch) -> bool:
    """Whether packets of a batch were given up."""
    rows = GivenUpPackets.objects.filter(job=batch.job, first_column__gte=batch.first_column)
    return rows.filter(first_column__lte=batch.last_column).exists()


def forget(rows: Sequence[Batch]) -> None:
    """The columns of these batches are dissected again, or leave the index."""
    known = set(GivenUpPackets.objects.filter(job__in={row.job for row in rows}).values_list("job", flat=True).distinct())
    for row in rows:
        if row.job in known:
            GivenUpPackets.objects.filter(
                job=row.job, first_column__gte=row.first_column, first_column__lte=row.last_column
            ).delete()


def forget_job(job: int) -> None:
    """A job is deleted."""
    GivenUpPackets.objects.filter(job=job).delete()


def of_job(job: int) -> dict[str, Any] | None:
    """How many packets of a job were given up, and the first ranges of them; None if none was."""
    rows = GivenUpPackets.objects.filter(job=job)
    first = list(rows.order_by("first_column")[:MOST_TOLD])
    if not first:
        return None
    return {
        "packets": rows.aggregate(sum=Sum("packets"))["sum"],
        "ranges": [
            {
                "first": row.first_number,
                "last": row.last_number,
                "packets": row.packets,
                "column": row.first_column,
                "file": row.capture,
                "offset": row.offset,
                "reason": row.reason,
                "only_package_fields": row.of_packages,
            }
            for row in first
        ],
    }


def reason_of(job: int, column: int) -> str:
    """Why the packet of a column must not be dissected again; empty: it may be."""
    row = (
        GivenUpPackets.objects.filter(job=job, first_column__lte=column, of_packages=False)
        .annotate(end=F("first_column") + F("packets"))
        .filter(end__gt=column)
        .first()
    )
    return row.reason if row is not None else ""
