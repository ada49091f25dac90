"""The query console: PQL in, results out. Every number on it is a link to its packets."""

from __future__ import annotations

import time
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from indexing.calls import QueryError
from proxy.ask import DEFAULT_INDEX, Answer, ask_text
from proxy.filter_bar import bar_of, status_of, wrong
from proxy.limited import limited
from proxy.links import Where
from proxy.pql.render import render_json
from proxy.results import PACKET_FIELDS, Shown, shown

LONGEST_RAW = 20_000  # characters of the answer as it comes
MOST_RESULTS = 20
MOST_LINKS = 800  # of all tables together: a page has its size
OF_PACKET = 9  # links
EXAMPLES = (
    ("Who sends the most packets", "TopN(netsrc, n=10)"),
    ("How many are UDP", 'Count(Row(transproto="UDP"))'),
    ("SYNs that are no answers", 'Difference(Row(tcp="SYN"), Row(tcp="ACK"))'),
    ("Hosts asked for by HTTP", "TopN(http-hostname, n=10)"),
    ("Ports that SYNs go to", 'TopN(transdst, Row(tcp="SYN"), n=10)'),
    ("Large DNS messages", 'Intersect(Row(appproto="DNS"), Row(length > 200))'),
    ("Bytes to port 443", "Sum(Row(transdst=443), field=length)"),
    ("Protocols by IP version", "GroupBy(Rows(netproto), Rows(transproto))"),
    ("Values of a field", "Rows(http-method)"),
    ("As picap wrote it", 'Count(Bitmap(frame=http-method, rowID="GET"))'),
)


@require_safe
@limited
def console(request: HttpRequest) -> HttpResponse:
    """PQL in, results out."""
    q, index = request.GET.get("q", ""), request.GET.get("index") or DEFAULT_INDEX
    context = {
        **bar_of(request.GET),
        "examples": EXAMPLES,
        "packet_fields": PACKET_FIELDS,
        "lines": min(20, max(4, q.count("\n") + 1)),
    }
    if not q.strip():
        return render(request, "proxy/console.html", context)
    began = time.perf_counter()
    try:
        answer = ask_text(index, q)
        milliseconds = 1000 * (time.perf_counter() - began)
        context |= _answered(index, answer)
    except QueryError as error:
        return render(request, "proxy/console.html", {**context, **wrong(error, q)}, status=status_of(error))
    context |= {
        "milliseconds": f"{milliseconds:,.1f}",
        "origin": request.build_absolute_uri(f"/index/{index}/query"),
    }
    return render(request, "proxy/console.html", context)


def _answered(index: str, answer: Answer) -> dict[str, Any]:
    """Results with their links, and the answer as Pilosa's own endpoint gives it. Raises QueryError."""
    where = Where(index=index)
    results: list[Shown] = []
    room = MOST_LINKS
    for call, result in list(zip(answer.calls, answer.results, strict=True))[:MOST_RESULTS]:
        one = shown(where, call, result)
        of_row = len(one.fields) + 1
        rows, packets = room // of_row, room // OF_PACKET
        one.left_out += max(0, len(one.rows) - rows) + max(0, len(one.packets) - packets)
        one.rows, one.packets = one.rows[:rows], one.packets[:packets]
        room -= of_row * len(one.rows) + OF_PACKET * len(one.packets)
        results.append(one)
    raw = render_json(answer.results, answer.calls)
    text = raw.decode() if isinstance(raw, bytes) else raw
    return {
        "results": results,
        "results_left_out": len(answer.results) - len(results),
        "raw": text[:LONGEST_RAW],
        "raw_left_out": max(0, len(text) - LONGEST_RAW),
    }
