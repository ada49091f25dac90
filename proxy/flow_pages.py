"""Pages of conversations: those of a question, and one with its packets as a ladder."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from capture import sight
from capture.api.jobs import whole_number
from capture.services.errors import Refused
from indexing.calls import QueryError
from proxy.api.flows import flows_json, one_flow
from proxy.ask import DEFAULT_INDEX
from proxy.filter_bar import bar_of, status_of, wrong
from proxy.flows.conversations import ORDERS
from proxy.flows.packets import FlowPackets
from proxy.ladder import STEPS, ladder
from proxy.limited import limited
from proxy.links import Where


@require_http_methods(["GET", "HEAD", "POST"])
@limited
def flows(request: HttpRequest) -> HttpResponse:
    """Conversations among the packets of a question."""
    given = request.POST if request.method == "POST" else request.GET
    context = bar_of(given) | {"orders": ORDERS, "order": given.get("order") or ORDERS[0]}
    try:
        found = flows_json(given)
    except (QueryError, Refused) as error:
        return render(request, "proxy/flows.html", {**context, **wrong(error, given.get("q", ""))}, status=status_of(error))
    where = Where(index=context["index"])
    for one in found["flows"]:
        one["packets_url"] = where.url("/explore/", one["pql"], lang="pql")
    return render(request, "proxy/flows.html", {**context, "found": found, "cursor": given.get("cursor", "")})


@require_safe
@limited
def flow(request: HttpRequest, index: str, column: int) -> HttpResponse:
    """The whole conversation that a packet is of: the page of its ladder that has the packet, unless another is asked for."""
    found = one_flow(index, column)["flow"]
    packets = FlowPackets(index, found)
    pages = max(1, -(-packets.columns.size // STEPS))
    of_packet = int(packets.columns.searchsorted(column)) // STEPS + 1
    number = whole_number(request.GET, "page", min(of_packet, pages), 1, pages)
    shown = ladder(packets, found, (number - 1) * STEPS, column)
    context = head_of(index, column, found) | {
        "ladder": shown,
        "tab": "packets",
        "pages": pages,
        "page": number,
        "previous": number - 1 if number > 1 else None,
        "next": number + 1 if number < pages else None,
    }
    return render(request, "proxy/flow.html", context)


def head_of(index: str, column: int, found: dict[str, Any]) -> dict[str, Any]:
    """What all pages of one conversation show above."""
    where = Where(index=index)
    export = {"index": index, "lang": "pql", "q": found["pql"], "format": "pcapng"}
    return {
        "index": index,
        "column": column,
        "flow": found,
        "job": sight.seen().filter(pk=found["job"]).first(),
        "packets_url": where.url("/explore/", found["pql"], lang="pql"),
        "export_url": f"/packets/export?{urlencode(export)}",
        "others_url": "/flows/?" + urlencode(({"index": index} if index != DEFAULT_INDEX else {}) | {"job": found["job"]}),
    }
