"""The last minute, hour, day of the packets that are asked about, as links of the time menu."""

from __future__ import annotations

from django.db.models import Max, Min
from django.http import QueryDict

from capture import sight
from capture.models import CaptureFile
from proxy.moments import NS, written
from proxy.page_query import changed

LASTS = (("Last second", 1), ("Last minute", 60), ("Last 10 minutes", 600), ("Last hour", 3600), ("Last day", 86_400))
# A query that is longer came by POST and stands in no link.
LONGEST_QUERY = 4000


def time_presets(given: QueryDict, index: str) -> list[tuple[str, str]]:
    """Words and the page's query string. They count back from the last packet of the captures, not from now: most captures are
    not of today. What is longer than the captures are is left out."""
    if "\0" in index:
        return []  # no name of any, and Postgres refuses to be asked
    files = CaptureFile.objects.filter(job__deleted__isnull=True, job__index=index)
    if (seen := sight.seen_in(index)) is not None:
        files = files.filter(job__in=seen)
    if jobs := [int(one) for one in given.getlist("job") if one.isascii() and one.isdecimal() and len(one) < 18]:
        files = files.filter(job__in=jobs)
    ends = files.aggregate(first=Min("first_time_ns"), last=Max("last_time_ns"))
    first, last = ends["first"], ends["last"]
    if first is None or last is None:
        return []
    found = [
        (words, changed(given, **{"from": written(last - seconds * NS), "to": ""}))
        for words, seconds in LASTS
        if seconds * NS < last - first
    ]
    if given.get("from") or given.get("to"):
        found.append(("All time", changed(given, **{"from": "", "to": ""})))
    return [] if any(len(url) > LONGEST_QUERY for _, url in found) else found
