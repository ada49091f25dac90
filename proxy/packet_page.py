"""The page of one packet: layers, bytes, values as indexed, and the packets beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from capture.packets.layer import Layer
from capture.packets.registry import FIELDS
from capture.services.errors import Refused
from indexing.calls import QueryError
from indexing.limits import LimitExceeded
from proxy.api.packets import numbered
from proxy.api.question import question_of
from proxy.flows.marks import marks_of
from proxy.hexdump import hexdump
from proxy.limited import limited
from proxy.links import Where
from proxy.neighbours import Beside, in_flow, in_result, result_of
from proxy.one_packet import OnePacket, one_packet
from proxy.tree_values import TreeValues
from proxy.value_counts import value_counts

TAG = "tag"


@dataclass(frozen=True)
class Way:
    """A way to go on from a packet. previous, next: URLs, empty: there is none."""

    name: str
    previous: str
    next: str


@require_safe
@limited
def packet(request: HttpRequest, index: str, column: int) -> HttpResponse:
    """One packet."""
    return _packet(request, one_packet(index, column))


@require_safe
@limited
def numbered_packet(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """A job's packet by its number."""
    return _packet(request, one_packet(*numbered(pk, number)))


def _packet(request: HttpRequest, found: OnePacket) -> HttpResponse:
    jobs, asked = _jobs(request.GET, found)
    where = Where(index=found.row.index, jobs=tuple(jobs))
    values = _values(found, where, jobs)
    context = {
        "packet": found,
        "row": found.row,
        "job": found.job,
        "layers": _layers(found, where),
        "values": [one for one in values if one["field"] != TAG],
        "tags": [one for one in values if one["field"] == TAG],
        "jobs": jobs,
        "this_packet": f"Intersect(Row(job={found.row.job}), FrameNumber(from={found.row.number}, to={found.row.number}))",
        "of_result": result_of(request.GET),
        "result_url": f"/explore/{_explored(request.GET, found.row.index)}" if asked else "",
        "ways": _ways(request.GET, found) if asked is not None else _ways(QueryDict(), found),
        "wrong_result": asked is None,
        "marks": marks_of(one["value"] for one in found.values if one["field"] == "tcp-analysis"),
        "in_flow": any(one["field"] == "community-id" for one in found.values),
        "hex": hexdump(found.data),
        "cut": found.row.length - len(found.data) if found.data else 0,
    }
    return render(request, "proxy/packet.html", context)


def _jobs(given: QueryDict, found: OnePacket) -> tuple[list[int], bool | None]:
    """The jobs whose packets are counted: those of the result that the packet was found in, else its own job; and whether there
    is such a result: None if what should say so is wrong."""
    if not result_of(given):
        return [found.row.job], False
    asked = given.copy()
    asked["index"] = found.row.index
    try:
        return question_of(asked).jobs, True
    except (QueryError, Refused):
        return [found.row.job], None


def _explored(given: QueryDict, index: str) -> str:
    query = given.copy()
    query["index"] = index
    query.pop("as", None)
    return f"?{query.urlencode()}"


def _values(found: OnePacket, where: Where, jobs: list[int]) -> list[dict[str, Any]]:
    """As indexed, lengths too, each with the page of the packets that have it and how many these are (None: not counted)."""
    lengths = {"length": found.row.length, "captured-length": found.row.captured_length}
    values = [*found.values, *({"field": name, "value": str(size), "label": None} for name, size in lengths.items())]
    counts: list[int | None]
    try:
        counts = value_counts(found.row.index, jobs, values)
    except LimitExceeded:
        counts = [None] * len(values)
    return [
        {**one, "url": where.narrow(one["field"], one["value"]), "about": FIELDS[one["field"]].description, "count": count}
        for one, count in zip(values, counts, strict=True)
    ]


def _layers(found: OnePacket, where: Where) -> list[dict[str, Any]]:
    """The layer tree; lines that are indexed say as what."""
    known = TreeValues(found.values)

    def line(layer: Layer, number: int) -> dict[str, Any]:
        one = layer.fields[number]
        value = known.of(layer, one)
        return {**vars(one), "indexed": value, "url": where.narrow(*value) if value else ""}

    return [
        {
            **layer.to_json(),
            "summary": layer.summary.removeprefix(layer.name).strip(),  # the name stands before it
            "fields": [line(layer, number) for number in range(len(layer.fields))],
        }
        for layer in found.layers
    ]


def _ways(given: QueryDict, found: OnePacket) -> list[Way]:
    """In the result, in the conversation, in the capture: each where there is such."""
    row = found.row
    more = result_of(given)

    def way(name: str, beside: Beside) -> Way:
        urls = ["" if at is None else reverse("packet", args=[row.index, at]) + more for at in (beside.previous, beside.next)]
        return Way(name, *urls)

    ways = []
    try:
        if beside := in_result(given, row):
            ways.append(way("result", beside))
        if beside := in_flow(row, found.values):
            ways.append(way("conversation", beside))
    except LimitExceeded:
        pass  # the packet itself is there all the same
    return [*ways, way("capture", Beside(found.previous, found.next))]
