"""Locators: each batch has one, with as many packets, and those that its row says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from django.conf import settings

from capture.packets.errors import PacketsError
from capture.packets.locator import read_locator
from indexing.checking_findings import Finding, agreed
from indexing.models import Batch, BatchState

_ROWS_AT_ONCE = 50


def locators(index: str) -> Iterator[Finding]:
    """Findings about the locators of an index. A merge replaces some meanwhile: what looks wrong is looked at again."""
    ids = Batch.objects.filter(index__name=index, packets__gt=0).exclude(state=BatchState.HIDDEN).order_by("pk")
    left = ids.values_list("pk", flat=True).iterator(chunk_size=5000)
    while some := list(islice(left, _ROWS_AT_ONCE)):
        yield from agreed(lambda some=some: _look(index, some))  # type: ignore[misc]


def _look(index: str, ids: Sequence[int]) -> list[Finding]:
    found = []
    rows = Batch.objects.filter(pk__in=ids).exclude(state=BatchState.HIDDEN).order_by("pk")
    for batch in rows.only("job", "locator", "capture", "packets", "first_number", "last_number"):
        if words := _wrong(batch):
            found.append(Finding("locator", words, {"index": index, "job": batch.job, "batch": batch.pk}))
    return found


def _wrong(batch: Batch) -> str:
    """What is wrong with a batch's locator, in words."""
    data = Path(settings.PICAPWEB_DATA)
    try:
        locator = read_locator(data / batch.locator)
    except FileNotFoundError:
        return f"{batch.locator} is not there"
    except (PacketsError, OSError) as error:
        return f"{batch.locator}: {error}"
    if len(locator) != batch.packets:
        return f"{batch.locator} has {len(locator)} packets and not {batch.packets}"
    numbers = int(locator["number"][0]), int(locator["number"][-1])
    if numbers != (batch.first_number, batch.last_number):
        return f"{batch.locator} has packets {numbers[0]} to {numbers[1]} and not {batch.first_number} to {batch.last_number}"
    try:
        size = (data / batch.capture).stat().st_size
    except OSError:
        return ""  # a ring keeps its index longer than its files; files that should be there are the jobs' to check
    end = int((locator["offset"] + locator["captured_length"]).max())
    return f"{batch.locator} says that packets end at byte {end}, and {batch.capture} has {size}" if end > size else ""
