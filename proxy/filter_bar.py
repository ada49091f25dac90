"""The filter bar that pages of packets share: what it shows, and how an error stands under it."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict

from capture import sight
from capture.api.jobs import find_jobs
from capture.services.errors import Refused
from indexing.calls import QueryError
from indexing.models import PacketIndex
from proxy.ask import DEFAULT_INDEX
from proxy.caret import caret
from proxy.chips import chips_of
from proxy.time_presets import time_presets

JOBS_IN_MENU = 200
# What a page was told besides its question: it stays when another question is asked. And all that begins with FIND.
KEPT = ("off", "facet", "rare", "columns", "by", "gaps")
FIND = "find-"


def bar_of(given: QueryDict) -> dict[str, Any]:
    """What the filter bar shows."""
    chosen = set(given.getlist("job"))
    jobs = list(find_jobs({})[:JOBS_IN_MENU])
    return {
        "q": given.get("q", ""),
        "lang": given.get("lang", ""),
        "index": given.get("index") or DEFAULT_INDEX,
        "indexes": [DEFAULT_INDEX, *_other_indexes()],
        "jobs": [{"pk": job.pk, "key": str(job.pk), "name": job.name, "chosen": str(job.pk) in chosen} for job in jobs],
        "chosen_jobs": sorted(chosen - {""}),
        "begin": given.get("from", ""),
        "end": given.get("to", ""),
        "by": given.get("by", ""),
        "chips": chips_of(given),
        "kept": kept(given),
        "time_presets": time_presets(given, given.get("index") or DEFAULT_INDEX),
    }


def _other_indexes() -> list[str]:
    found = PacketIndex.objects.exclude(name=DEFAULT_INDEX)
    names = sight.index_names()
    return list((found if names is None else found.filter(name__in=names)).values_list("name", flat=True))


def kept(given: QueryDict) -> tuple[tuple[str, str], ...]:
    """What stays of a page when its question changes."""
    return tuple(
        (name, value)
        for name, values in given.lists()
        if name in KEPT or name.startswith(FIND)
        for value in values
        if isinstance(value, str) and value
    )


def wrong(error: QueryError | Refused, query: str) -> dict[str, Any]:
    """How an error stands on a page: its words, and the place in the query."""
    if isinstance(error, Refused):
        return {"error": error.detail, "error_option": error.members.get("option", "")}
    return {"error": str(error), "caret": caret(query, error.position)}


def status_of(error: QueryError | Refused) -> int:
    """The HTTP status of an error on a page."""
    return error.status
