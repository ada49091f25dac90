"""Pages of conversations: those of a question, and one with its packets as a ladder."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from capture import sight
from capture.api.jobs import whole_number
from capture.models import Job, PassState
from capture.services.conversation_rows import pass_json
from capture.services.errors import Refused
from indexing.calls import Call, QueryError
from proxy.api.flows import flows_json, one_flow
from proxy.ask import DEFAULT_INDEX, bitmap_of
from proxy.display.compile import compile_filter
from proxy.filter_bar import bar_of, status_of, wrong
from proxy.flows.conversations import ORDERS
from proxy.flows.packets import FlowPackets
from proxy.health import has_conversations, health
from proxy.health_lines import Line, lines
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
    context = head_of(index, column, found)
    shown = ladder(packets, found, (number - 1) * STEPS, column, analysed=_analysed(context["job"]))
    context |= {
        "ladder": shown,
        "lines": _lines(index, found) if has_conversations(context["job"]) else [],
        "tab": "packets",
        "pages": pages,
        "page": number,
        "previous": number - 1 if number > 1 else None,
        "next": number + 1 if number < pages else None,
    }
    return render(request, "proxy/flow.html", context)


def _analysed(job: Job) -> bool:
    """Whether the second pass has been over all packets of a job."""
    known = pass_json(job)
    return known is not None and known["state"] == PassState.DONE and "tcp-analysis" in job.fields


def _lines(index: str, found: dict[str, Any]) -> list[Line]:
    """How a conversation went, in words that lead to its packets."""
    where, call = Where(index=index), bitmap_of(found["pql"])

    def url(text: str) -> str:
        asked = compile_filter(text).call
        assert asked is not None
        return where.url("/explore/", Call("Intersect", [call, asked]), lang="pql")

    return lines(health(index, call), url)


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
