"""The values of one field by their packets."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from capture.api.jobs import whole_number
from capture.services.errors import Refused
from indexing.calls import QueryError
from proxy.api.analysis import metric_of
from proxy.api.question import question_of, set_field
from proxy.ask import count_and_bytes
from proxy.explore_page import where_of
from proxy.facets import facet
from proxy.field_groups import grouped_sets
from proxy.filter_bar import bar_of, status_of, wrong
from proxy.limited import limited
from proxy.page_query import changed, pairs

TOP_VALUES = 100
# Of which fields it is asked most how many values a value is with.
DISTINCT = ("netsrc", "netdst", "transdst", "dns-qname", "tls-sni", "http-hostname", "job")


@require_safe
@limited
def top(request: HttpRequest) -> HttpResponse:
    """Values of a field by count."""
    given = request.GET
    context = bar_of(given) | {
        "field": given.get("field", ""),
        "order": given.get("order") or "top",
        "prefix": given.get("prefix", ""),
        "find": given.get("find", ""),
        "find_form": pairs(given, "find", "n"),
        "metric": given.get("metric") or "packets",
        "groups": grouped_sets(),
    }
    if not context["field"]:
        return render(request, "proxy/top.html", context)
    try:
        name = set_field(context["field"])
        question = question_of(given)
        if context["order"] not in ("top", "rare"):
            raise Refused(f"order must be top or rare, not {context['order']!r}", option="order")
        n = whole_number(given, "n", TOP_VALUES, 1, 10_000)
        where = where_of(given, question)
        rare = context["order"] == "rare"
        found = facet(
            where,
            question.call,
            name,
            n,
            rare=rare,
            prefix=context["prefix"],
            find=context["find"],
            metric=metric_of(context["metric"]),
            with_bytes=True,
        )
        count, _ = count_and_bytes(question.index, question.call)
    except (QueryError, Refused) as error:
        return render(request, "proxy/top.html", {**context, **wrong(error, given.get("q", ""))}, status=status_of(error))
    context |= {
        "facet": found,
        "count": count,
        "all_url": where.url("/explore/", where.display or where.base),
        "n": n,
        "metrics": _metrics(given, context["metric"]),
        "of": context["metric"].removeprefix("distinct:") if context["metric"].startswith("distinct:") else "",
        "more": min(found.distinct, 10 * n, 10_000) if found.distinct > len(found.values) and n < 10_000 else None,
    }
    return render(request, "proxy/top.html", context)


def _metrics(given: QueryDict, chosen: str) -> dict[str, list[dict[str, Any]]]:
    """What values can be ranked by, each with the page that does it: at hand, and how many values of another field."""
    distinct = [f"distinct:{name}" for name in DISTINCT if name != given.get("field")]
    if chosen.startswith("distinct:") and chosen not in distinct:
        distinct.append(chosen)

    def page(metric: str, words: str) -> dict[str, Any]:
        return {"words": words, "url": changed(given, metric=metric), "on": metric == chosen}

    return {
        "plain": [page("packets", "Packets"), page("bytes", "Bytes")],
        "distinct": [page(one, one.partition(":")[2]) for one in distinct],
    }
