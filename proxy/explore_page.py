"""The packets of a question on one page: how many, when, the top values of fields, and the packets themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from capture.api.jobs import whole_number
from capture.packets.registry import FIELDS
from capture.services.errors import Refused
from indexing import limits
from indexing.calls import QueryError
from proxy import page_query
from proxy.api.packets import LIMIT, packets_json
from proxy.api.question import Question, question_of, set_field
from proxy.ask import bitmap_of, count_and_bytes
from proxy.explore_chart import chart_context, split_of
from proxy.facets import Facet, facet
from proxy.field_groups import grouped_sets
from proxy.filter_bar import FIND, bar_of, kept, status_of, wrong
from proxy.limited import limited
from proxy.links import Where
from proxy.neighbours import result_of
from proxy.table_columns import chosen, columns_of, from_boxes, menu_of, rows_of
from proxy.tops import top as top_values

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
LONGEST_PQL = 20_000  # characters that are shown
ORDERS = {"capture": "order of capture", "time": "order of time", "-capture": "last captured first", "-time": "newest first"}
HOW = {"and": Where.narrow, "not": Where.exclude, "or": Where.widen}


@require_http_methods(["GET", "HEAD", "POST"])
@limited
def explore(request: HttpRequest) -> HttpResponse:
    """Packets of a query with facets. A POST carries a query that is too long for a URL."""
    given = request.POST if request.method == "POST" else request.GET
    context = bar_of(given)
    try:
        if request.method != "POST" and (plain := _plain(given)) is not None:
            return HttpResponseRedirect(plain)
        context |= _found(given)
    except (QueryError, Refused) as error:
        return render(request, "proxy/explore.html", {**context, **wrong(error, given.get("q", ""))}, status=status_of(error))
    context["origin"] = request.build_absolute_uri("/packets/")
    return render(request, "proxy/explore.html", context)


@require_safe
def explore_with(request: HttpRequest) -> HttpResponse:
    """Leads to the page's question with a value added: how=and (if left out), not, or. What is clicked elsewhere comes here."""
    given = request.GET
    try:
        question = question_of(given)
        name, how = given.get("field", ""), given.get("how") or "and"
        if name not in FIELDS:
            raise Refused(f"no such field: {name!r}" if name else "say which field", option="field")
        if how not in HOW:
            raise Refused(f"how must be and, not or or, not {how!r}", option="how")
        url = HOW[how](where_of(given, question), name, given.get("value", ""))
        if not url:
            raise Refused("the query is too long to be narrowed by a click: write it into the bar", option="q")
    except (QueryError, Refused) as error:
        context = {**bar_of(given), **wrong(error, given.get("q", ""))}
        return render(request, "proxy/explore.html", context, status=status_of(error))
    return HttpResponseRedirect(url)


def _plain(given: QueryDict) -> str | None:
    """Where a form was sent, the page's own URL: chosen columns as one list, nothing that is empty. None: it is that already."""
    searched = [name for name in given if name.startswith(FIND)]
    if "column" not in given and all(given.get(name) for name in searched):
        return None
    values: dict[str, Any] = {name: given.getlist(name) for name in given if name not in page_query.PASSING}
    if "column" in given:
        values["columns"] = from_boxes(given)
    return page_query.changed(given, **values)


def _found(given: QueryDict) -> dict[str, Any]:
    """What the page shows of a question. Raises QueryError, Refused."""
    question = question_of(given)
    names = chosen(given)
    more, rare = (_named(given, option) for option in ("facet", "rare"))
    by = split_of(given)
    where = where_of(given, question)
    asked = given.copy()
    asked.pop("fields", None)
    if given.get("columns"):
        asked["fields"] = ",".join(names)
    found = packets_json(asked)
    cut = bool(question.q.strip() or given.get("from") or given.get("to"))
    total, _ = count_and_bytes(question.index, bitmap_of("", question.jobs)) if cut else (found["count"], 0)
    within = result_of(given)  # a packet's page knows which result it was found in
    packets = [{**one, "url": one["url"] + within} for one in found["packets"]]
    context: dict[str, Any] = {
        "question": question,
        "found": found,
        "total": total,
        "cut": cut,
        "of_jobs": top_values(question.index, question.call, "job", 1).distinct if found["count"] else 0,
        "rows": rows_of(where, names, packets),
        "columns": columns_of(given, names),
        "column_names": ",".join(names),
        "column_menu": menu_of(names),
        "column_form": page_query.pairs(given, "columns"),
        "cursor": given.get("cursor", ""),
        "limit": whole_number(given, "limit", LIMIT, 1, 10_000),
        "order": given.get("order") or "capture",
        "compare_url": _compare_url(given),
        "export_fields": ",".join(names) if given.get("columns") else None,
        "export_order": "time" if given.get("order", "").endswith("time") else None,
        "orders": [(name, words, page_query.changed(given, order=name)) for name, words in ORDERS.items()],
        "pql": found["pql"] if len(found["pql"]) <= LONGEST_PQL else found["pql"][:LONGEST_PQL] + "…",
        "parameters": [
            (name, value) for name in ("index", "job", "from", "to", "lang", "q") for value in given.getlist(name) if value
        ],
    }
    if found["count"]:
        context |= chart_context(given, question, where, by)
        context |= _facet_context(given, question, where, more, rare)
    return context


def _compare_url(given: QueryDict) -> str:
    """The page that holds these packets (B) against all of their jobs (A)."""
    query = [("index", given["index"])] if given.get("index") else []
    query += [(f"{side}_job", job) for side in "ab" for job in given.getlist("job") if job]
    query += [(name, value) for name in ("q", "from", "to", "lang") for value in given.getlist(name) if value]
    sides = {"q": "b", "from": "b_from", "to": "b_to", "lang": "b_lang"}
    return "/compare/?" + urlencode([("a", ""), *[(sides.get(name, name), str(value)) for name, value in query]])


def where_of(given: QueryDict, question: Question) -> Where:
    """Where a page stands, with what it was told besides its question."""
    where = Where.of(question.index, question.jobs, question.q, given.get("lang", ""))
    return replace(where, begin=given.get("from", ""), end=given.get("to", ""), kept=kept(given))


def _facet_context(
    given: QueryDict, question: Question, where: Where, more: Sequence[str], rare: Sequence[str]
) -> dict[str, Any]:
    more = [name for name in more if name not in FACET_FIELDS]
    facets = [_tools(given, one) for one in _facets(given, where, question, [*more, *FACET_FIELDS], rare)]
    shown = [one for one in facets if one.values or one.find or one.field in more]
    names = {one.field for one in shown}
    groups = [
        {"title": one.title, "names": [(name, page_query.added(given, "facet", name)) for name in one.names if name not in names]}
        for one in grouped_sets()
    ]
    searched = [name for name in given if name.startswith(FIND)]
    return {"facets": shown, "more_facets": groups, "facet_form": page_query.pairs(given, *searched)}


def _facets(given: QueryDict, where: Where, question: Question, names: Sequence[str], rare: Sequence[str]) -> list[Facet]:
    """One after the other: what is held for one is gone when the next is asked."""
    budget, facets = limits.current(), []
    for name in names:
        held = budget.held
        find = given.get(FIND + name, "")
        facets.append(facet(where, question.call, name, FACET_VALUES, rare=name in rare, find=find))
        budget.free(budget.held - held)
    return facets


def _tools(given: QueryDict, one: Facet) -> Facet:
    """The facet with the links that change how it is shown."""
    name = one.field
    turn = page_query.removed if one.rare else page_query.added
    remove = "" if name in FACET_FIELDS else page_query.removed(given, "facet", name)
    return replace(one, remove=remove, turn=turn(given, "rare", name), found_all=page_query.changed(given, **{FIND + name: ""}))


def _named(given: QueryDict, option: str) -> list[str]:
    """Set fields by the name of a parameter. Raises Refused, naming it."""
    try:
        names = [set_field(name) for name in dict.fromkeys(given.getlist(option)) if name]
    except Refused as error:
        raise Refused(error.detail, option=option) from None
    if len(names) > MOST_FACETS:
        raise Refused(f"at most {MOST_FACETS} facets at a time, not {len(names)}", option=option)
    return names
