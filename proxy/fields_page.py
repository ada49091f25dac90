"""The page of fields: what each is, what asks for it, and how much of it there is. Its JSON twin is ?as=json."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from indexing import limits
from indexing.calls import QueryError
from indexing.limits import LimitExceeded
from indexing.models import PacketIndex
from proxy.api.packets import described, fields_json
from proxy.ask import DEFAULT_INDEX
from proxy.display.compile import compile_filter
from proxy.field_groups import LEVELS, grouped
from proxy.filter_bar import bar_of

# Counting what all fields have is quick, or was done already; where it is not, the page is there without, and offers to wait.
COUNT_SECONDS = 2.0


@require_safe
def fields(request: HttpRequest) -> HttpResponse:
    """The field registry; `text` finds some of them, `having` leaves out those that no packet has, `count` waits for figures."""
    given = request.GET
    index = given.get("index") or DEFAULT_INDEX
    wanted, having = given.get("text", "").strip().lower(), given.get("having") == "1"
    found, counted = _figures(index, given.get("count") == "1")
    by_name = {one["name"]: _shown(one) for one in found}
    groups = []
    for group in grouped():
        shown = [by_name[name] for name in group.names if _is_wanted(by_name[name], wanted, having and counted)]
        if shown:
            groups.append({"title": group.title, "anchor": group.anchor, "fields": shown})
    context = {
        **bar_of(given),
        "index": index,
        "indexes": list(PacketIndex.objects.order_by("name").values_list("name", flat=True)),
        "groups": groups,
        "number": len(by_name),
        "shown": sum(len(group["fields"]) for group in groups),
        "counted": counted,
        "text": given.get("text", ""),
        "having": having,
        "filtered": bool(wanted or having),
    }
    return render(request, "proxy/fields.html", context)


def _figures(index: str, wait: bool) -> tuple[list[dict[str, Any]], bool]:
    """Every field, and whether its figures are there."""
    seconds = settings.QUERY_SECONDS if wait else min(COUNT_SECONDS, settings.QUERY_SECONDS)
    try:
        with limits.within(seconds, settings.QUERY_MEMORY):
            return fields_json(index), True
    except LimitExceeded:
        return described({}), False


def _shown(one: dict[str, Any]) -> dict[str, Any]:
    """level in words; filters: Wireshark's names, each with whether a display filter may be that name alone (it is there)."""
    names = [{"name": name, "known": _asks_alone(name)} for name in one["wireshark"].split()]
    return {**one, "level_words": LEVELS[one["level"]], "filters": names}


@lru_cache(maxsize=1024)
def _asks_alone(name: str) -> bool:
    try:
        compile_filter(name)
    except QueryError:
        return False
    return True


def _is_wanted(one: dict[str, Any], wanted: str, having: bool) -> bool:
    if having and not (one["values"] or one["packets"]):
        return False
    return wanted in " ".join((one["name"], one["description"], one["wireshark"], one["protocol"], one["example"])).lower()
