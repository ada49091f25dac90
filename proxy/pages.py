"""Pages of questions and packets. Every number on them is a link to its packets; every page has its JSON twin (?as=json)."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from capture.api.jobs import find_jobs, whole_number
from capture.packets.registry import FIELDS
from capture.services.errors import Refused
from indexing.calls import QueryError
from indexing.models import PacketIndex
from proxy.api.packets import LIMIT, TABLE_FIELDS, Question, fields_json, numbered, packets_json, question_of, set_field
from proxy.ask import DEFAULT_INDEX, ask_text, bitmap_of, count_and_bytes
from proxy.caret import caret
from proxy.facets import facet
from proxy.field_groups import LEVELS, grouped, grouped_sets
from proxy.links import Where
from proxy.one_packet import OnePacket, one_packet
from proxy.pql.render import render_json
from proxy.results import shown

FACET_FIELDS = (
    "netsrc",
    "netdst",
    "transproto",
    "transsrc",
    "transdst",
    "appproto",
    "tcp",
    "http-hostname",
    "http-method",
    "error",
)
FACET_VALUES = 6
MOST_FACETS = 40
TOP_VALUES = 100
HEX_WIDTH = 16
JOBS_IN_MENU = 200
EXAMPLES = (
    "TopN(netsrc, n=10)",
    'Count(Row(transproto="UDP"))',
    'Difference(Row(tcp="SYN"), Row(tcp="ACK"))',
    "TopN(http-hostname, n=10)",
    'TopN(transdst, Row(tcp="SYN"), n=10)',
    'Intersect(Row(appproto="DNS"), Row(length > 200))',
    "Sum(Row(transdst=443), field=length)",
    'Count(Bitmap(frame=http-method, rowID="GET"))',
)


@require_http_methods(["GET", "HEAD", "POST"])
def explore(request: HttpRequest) -> HttpResponse:
    """Packets of a query with facets. A POST carries a query that is too long for a URL."""
    given = request.POST if request.method == "POST" else request.GET
    context = _bar(given)
    try:
        question = question_of(given)
        more = _more_facets(given)
        where = replace(Where.of(question.index, question.jobs, question.q, given.get("lang", "")), facets=tuple(more))
        found = packets_json(given)
        total, _ = count_and_bytes(question.index, bitmap_of("", question.jobs)) if question.q.strip() else (found["count"], 0)
        facets = [facet(where, question.call, name, FACET_VALUES) for name in FACET_FIELDS] if found["count"] else []
        chosen = [facet(where, question.call, name, FACET_VALUES) for name in more] if found["count"] else []
    except (QueryError, Refused) as error:
        return render(request, "proxy/explore.html", {**context, **_wrong(error, given.get("q", ""))}, status=_status(error))
    limit = whole_number(given, "limit", LIMIT, 1, 10_000)
    context |= {
        "question": question,
        "found": found,
        "total": total,
        "facets": [replace(one, remove=_query_without(given, "facet", one.field)) for one in chosen]
        + [one for one in facets if one.values],
        "more_facets": _facets_to_add(given, {*more, *(one.field for one in facets if one.values)}),
        "rows": [_table_row(where, question.index, one) for one in found["packets"]],
        "columns": TABLE_FIELDS,
        "cursor": given.get("cursor", ""),
        "limit": limit,
        "order": given.get("order") or "capture",
        "pql": found["pql"] if len(found["pql"]) <= 20_000 else found["pql"][:20_000] + "…",
        "parameters": [(name, value) for name in ("index", "job", "lang", "q") for value in given.getlist(name) if value],
        "origin": request.build_absolute_uri("/packets/"),
    }
    return render(request, "proxy/explore.html", context)


def _more_facets(given: QueryDict) -> list[str]:
    """Fields whose top values were asked for beside the usual ones. Raises Refused."""
    names = [set_field(name) for name in dict.fromkeys(given.getlist("facet")) if name and name not in FACET_FIELDS]
    if len(names) > MOST_FACETS:
        raise Refused(f"at most {MOST_FACETS} facets at a time, not {len(names)}", option="facet")
    return names


def _facets_to_add(given: QueryDict, shown: set[str]) -> list[dict[str, Any]]:
    """The other fields by group, each with the page that shows its top values too."""
    return [
        {"title": one.title, "names": [(name, _query_with(given, "facet", name)) for name in one.names if name not in shown]}
        for one in grouped_sets()
    ]


def _query_with(given: QueryDict, name: str, value: str) -> str:
    """The page's query string with one more value of a parameter."""
    query = given.copy()
    query.appendlist(name, value)
    query.pop("csrfmiddlewaretoken", None)
    return f"?{query.urlencode()}"


def _query_without(given: QueryDict, name: str, value: str) -> str:
    """The page's query string without a value of a parameter."""
    query = given.copy()
    query.setlist(name, [one for one in given.getlist(name) if one != value])
    query.pop("csrfmiddlewaretoken", None)
    return f"?{query.urlencode()}"


def _bar(given: QueryDict) -> dict[str, Any]:
    """What the filter bar shows."""
    chosen = set(given.getlist("job"))
    jobs = list(find_jobs({})[:JOBS_IN_MENU])
    return {
        "q": given.get("q", ""),
        "lang": given.get("lang", ""),
        "index": given.get("index") or DEFAULT_INDEX,
        "indexes": [DEFAULT_INDEX, *PacketIndex.objects.exclude(name=DEFAULT_INDEX).values_list("name", flat=True)],
        "jobs": [{"pk": job.pk, "name": job.name, "chosen": str(job.pk) in chosen} for job in jobs],
        "chosen_jobs": sorted(chosen - {""}),
    }


def _table_row(where: Where, index: str, packet: dict[str, Any]) -> dict[str, Any]:
    # In the field order of the table; each value with the link that narrows to it.
    cells = {}
    for name in TABLE_FIELDS:
        cells[name.replace("-", "_")] = [(value, where.narrow(name, value)) for value in packet["fields"].get(name, [])]
    return {**packet, "cells": cells}


def _wrong(error: QueryError | Refused, query: str) -> dict[str, Any]:
    """How an error stands on a page: its words, and the place in the query."""
    if isinstance(error, Refused):
        return {"error": error.detail, "error_option": error.members.get("option", "")}
    return {"error": str(error), "caret": caret(query, error.position)}


def _status(error: QueryError | Refused) -> int:
    return error.status


@require_safe
def packet(request: HttpRequest, index: str, column: int) -> HttpResponse:
    """One packet."""
    return _packet(request, one_packet(index, column))


@require_safe
def numbered_packet(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """A job's packet by its number."""
    return _packet(request, one_packet(*numbered(pk, number)))


def _packet(request: HttpRequest, found: OnePacket) -> HttpResponse:
    where = Where(index=found.row.index)
    values = [
        {**one, "url": where.narrow(one["field"], one["value"]), "about": FIELDS[one["field"]].description}
        for one in found.values
    ]
    context = {
        "packet": found,
        "row": found.row,
        "job": found.job,
        "layers": [layer.to_json() for layer in found.layers],
        "values": values,
        "hex": hexdump(found.data),
        "cut": found.row.length - len(found.data) if found.data else 0,
    }
    return render(request, "proxy/packet.html", context)


def hexdump(data: bytes) -> list[dict[str, str]]:
    """Lines of 16 bytes: offset, hex (a wider gap after the eighth), ASCII."""
    lines = []
    for offset in range(0, len(data), HEX_WIDTH):
        part = data[offset : offset + HEX_WIDTH]
        text = " ".join(filter(None, (part[:8].hex(" "), " " + part[8:].hex(" ") if len(part) > 8 else "")))
        lines.append(
            {
                "offset": f"{offset:04x}",
                "hex": text.ljust(3 * HEX_WIDTH),
                "ascii": "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part),
            }
        )
    return lines


@require_safe
def console(request: HttpRequest) -> HttpResponse:
    """PQL in, results out."""
    q, index = request.GET.get("q", ""), request.GET.get("index") or DEFAULT_INDEX
    context = {**_bar(request.GET), "examples": EXAMPLES, "lines": min(20, max(4, q.count("\n") + 1))}
    if not q.strip():
        return render(request, "proxy/console.html", context)
    began = time.perf_counter()
    try:
        answer = ask_text(index, q)
        milliseconds = 1000 * (time.perf_counter() - began)
        where = Where(index=index)
        results = [shown(where, call, result) for call, result in zip(answer.calls, answer.results, strict=True)]
        raw = render_json(answer.results, answer.calls)
    except QueryError as error:
        return render(request, "proxy/console.html", {**context, **_wrong(error, q)}, status=_status(error))
    text = raw.decode() if isinstance(raw, bytes) else raw
    context |= {
        "results": results,
        "milliseconds": f"{milliseconds:,.1f}",
        "raw": text if len(text) <= 100_000 else text[:100_000] + "…",
        "origin": request.build_absolute_uri(f"/index/{index}/query"),
    }
    return render(request, "proxy/console.html", context)


@require_safe
def top(request: HttpRequest) -> HttpResponse:
    """Values of a field by count."""
    given = request.GET
    context = _bar(given) | {
        "field": given.get("field", ""),
        "order": given.get("order") or "top",
        "prefix": given.get("prefix", ""),
        "groups": grouped_sets(),
    }
    if not context["field"]:
        return render(request, "proxy/top.html", context)
    try:
        name = set_field(context["field"])
        question: Question = question_of(given)
        if context["order"] not in ("top", "rare"):
            raise Refused(f"order must be top or rare, not {context['order']!r}", option="order")
        n = whole_number(given, "n", TOP_VALUES, 1, 10_000)
        where = Where.of(question.index, question.jobs, question.q, given.get("lang", ""))
        found = facet(where, question.call, name, n, rare=context["order"] == "rare", prefix=context["prefix"])
        count, _ = count_and_bytes(question.index, question.call)
    except (QueryError, Refused) as error:
        return render(request, "proxy/top.html", {**context, **_wrong(error, given.get("q", ""))}, status=_status(error))
    context |= {
        "facet": found,
        "count": count,
        "all_url": where.url("/explore/", where.base),
        "n": n,
        "more": min(found.distinct, 10 * n, 10_000) if found.distinct > len(found.values) and n < 10_000 else None,
    }
    return render(request, "proxy/top.html", context)


@require_safe
def fields(request: HttpRequest) -> HttpResponse:
    """The field registry."""
    index = request.GET.get("index") or DEFAULT_INDEX
    by_name = {one["name"]: one for one in fields_json(index)}
    groups = [
        {
            "title": one.title,
            "anchor": one.anchor,
            "fields": [{**by_name[name], "level_words": LEVELS[by_name[name]["level"]]} for name in one.names],
        }
        for one in grouped()
    ]
    context = {**_bar(request.GET), "groups": groups, "number": len(by_name)}
    return render(request, "proxy/fields.html", context)
