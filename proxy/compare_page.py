"""The page of two sets of packets against each other: jobs, times or queries."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from capture import sight
from capture.models import Job
from capture.packets.registry import FIELDS
from capture.services.errors import Refused
from indexing.calls import Call, QueryError
from proxy.api.analysis import compare_json
from proxy.limited import limited
from proxy.links import Where, row
from proxy.pages import bar_of, status_of, wrong
from proxy.pql.parse import parse

SIDES = ("a", "b")
_OWN = ("job", "from", "to")


@require_http_methods(["GET", "HEAD", "POST"])
@limited
def compare(request: HttpRequest) -> HttpResponse:
    """What is new, what is gone, what changed its share."""
    given = request.POST if request.method == "POST" else request.GET
    context = bar_of(given) | {"sides": [_side(given, side) for side in SIDES], "fields": given.get("fields", "")}
    if not any(given.get(name) for side in SIDES for name in (side, *(f"{side}_{own}" for own in _OWN))):
        return render(request, "proxy/compare.html", {**context, "pair": _newest_two(context["index"])})
    try:
        found = compare_json(given)
    except (QueryError, Refused) as error:
        return render(request, "proxy/compare.html", {**context, **wrong(error, given.get("q", ""))}, status=status_of(error))
    _link(context["index"], found)
    names = {job["key"]: job["name"] for job in context["jobs"]}
    for side in context["sides"]:
        found[side["name"]]["title"] = ", ".join(names.get(one, f"job {one}") for one in sorted(side["jobs"])[:3])
    return render(request, "proxy/compare.html", {**context, "found": found})


def _newest_two(index: str) -> list[Job]:
    """What most people compare: the last two jobs with packets, the older one first."""
    return list(sight.seen().filter(index=index, packets_indexed__gt=0).order_by("-pk")[:2])[::-1]


def _side(given: QueryDict, side: str) -> dict[str, Any]:
    return {
        "name": side,
        "q": given.get(side, ""),
        "jobs": set(given.getlist(f"{side}_job")),
        "begin": given.get(f"{side}_from", ""),
        "end": given.get(f"{side}_to", ""),
    }


def _link(index: str, found: dict[str, Any]) -> None:
    """Gives every value the pages of its packets on either side, and a bar on either side of the middle."""
    where = Where(index=index)
    calls = [Call("Intersect", [*parse(found["pql"]), *parse(found[side]["pql"])]) for side in SIDES]
    for side, call in zip(SIDES, calls, strict=True):
        found[side]["url"] = where.url("/explore/", call)
    for field in found["fields"]:
        field["description"] = FIELDS[field["field"]].description
        most = max((max(one["share_a"], one["share_b"]) for one in field["values"]), default=0) or 1
        for one in field["values"]:
            having = row(field["field"], one["value"])
            for side, call in zip(SIDES, calls, strict=True):
                one[f"url_{side}"] = where.url("/explore/", Call("Intersect", [call, having])) if one[side] else ""
                one[f"bar_{side}"] = round(100 * one[f"share_{side}"] / most, 2)
