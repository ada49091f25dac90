"""Analysis of the packets of a question: top values, histograms, cross-tables, comparisons. Each by GET, or by POST as a form."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.db.models import Max, Min
from django.http import QueryDict
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from capture.api.jobs import whole_number
from capture.packets.registry import FIELDS
from capture.services.errors import Refused
from indexing import limits
from indexing.calls import Call, QueryError
from proxy.analysis.compare import compare
from proxy.analysis.counter import count_of, is_every
from proxy.analysis.crosstab import crosstab
from proxy.analysis.histogram import MOST_BINS, histogram
from proxy.analysis.widths import width_of
from proxy.api.question import PACKET_PARAMETERS, Question, question_of, set_field
from proxy.by_record.batches import visible
from proxy.moments import nanoseconds
from proxy.not_indexed import fields_of, not_indexed
from proxy.tops import Metric, top

MOST_VALUES = 100_000
BINS = 100
SPLIT, MOST_SPLIT = 5, 50
SIDE, MOST_SIDE = 10, 200
CHANGES, MOST_CHANGES = 10, 1000
# They tell two jobs and two windows apart by themselves; `fields` may name them.
NOT_COMPARED = ("job", "time-second", "time-minute", "time-hour", "time-day")
_SIDES = ("a", "b")
_OF_SIDE = ("lang", "job", "from", "to")


def _texts(*names: str) -> list[OpenApiParameter]:
    return [OpenApiParameter(name, str) for name in names]


def lacking(question: Question, fields: Sequence[str] = ()) -> dict[str, list[int]]:
    """`not_indexed` of an answer: of the fields that the query names, and `fields`, the jobs that were indexed without them."""
    named = list(dict.fromkeys([*fields_of([question.call]), *fields_of([Call("", args={"field": name}) for name in fields])]))
    missing = not_indexed(question.index, named)
    if not question.jobs:
        return missing
    within = {name: [job for job in jobs if job in question.jobs] for name, jobs in missing.items()}
    return {name: jobs for name, jobs in within.items() if jobs}


def form_of(request: Request) -> QueryDict:
    """What a POST carries. Raises Refused for what is no form."""
    kind = request._request.content_type
    if kind not in ("application/x-www-form-urlencoded", "multipart/form-data"):
        raise Refused(f"send the query as a form, not as {kind or 'a body without a Content-Type'}", 415)
    form: QueryDict = request._request.POST
    return form


def within_limits(answer: Callable[[Any], dict[str, Any]], given: Any) -> Response:
    """What `answer` says, in the time and memory that a query may take. Raises LimitExceeded."""
    with limits.within(settings.QUERY_SECONDS, settings.QUERY_MEMORY):
        return Response(answer(given))


def a_set_field(given: Any, option: str) -> str:
    """A field that has values to count, by the name of a parameter. Raises Refused, naming it."""
    try:
        return set_field(given.get(option, ""))
    except Refused as error:
        raise Refused(error.detail, option=option) from None


def metric_of(text: str) -> Metric:
    """Raises Refused."""
    by, _, of = text.partition(":")
    if by in ("packets", "bytes") and not _:
        return Metric(by)
    if by == "distinct" and of:
        try:
            return Metric(by, set_field(of))
        except Refused as error:
            raise Refused(error.detail, option="metric") from None
    raise Refused(f"metric must be packets, bytes or distinct:FIELD, not {text!r}", option="metric")


class Counts(APIView):
    """How many packets, and their bytes: nothing else, and so at once."""

    parser_classes: list[Any] = []

    @extend_schema(responses={200: dict}, parameters=PACKET_PARAMETERS)
    def get(self, request: Request) -> Response:
        return within_limits(count_json, request.GET)

    @extend_schema(request=None, responses={200: dict})
    def post(self, request: Request) -> Response:
        """The same, for a query that is too long for a URL: a form."""
        return within_limits(count_json, form_of(request))


def count_json(given: Any) -> dict[str, Any]:
    question = question_of(given)
    count, size = count_of(question.index, question.call)
    return {"count": count, "bytes": size, **question.said(), "not_indexed": lacking(question)}


class Tops(APIView):
    """The most, or least, frequent values of a field."""

    parser_classes: list[Any] = []

    @extend_schema(
        responses={200: dict}, parameters=[*PACKET_PARAMETERS, *_texts("field", "n", "order", "metric", "prefix", "find")]
    )
    def get(self, request: Request) -> Response:
        return within_limits(top_json, request.GET)

    @extend_schema(request=None, responses={200: dict})
    def post(self, request: Request) -> Response:
        """The same, for a query that is too long for a URL: a form."""
        return within_limits(top_json, form_of(request))


def top_json(given: Any) -> dict[str, Any]:
    question = question_of(given)
    field = a_set_field(given, "field")
    order, metric = given.get("order") or "top", metric_of(given.get("metric") or "packets")
    if order not in ("top", "rare"):
        raise Refused(f"order must be top or rare, not {order!r}", option="order")
    n = whole_number(given, "n", 10, 1, MOST_VALUES)
    prefix, find = given.get("prefix", ""), given.get("find", "")
    found = top(
        question.index, question.call, field, n, rare=order == "rare", prefix=prefix, find=find, metric=metric, with_bytes=True
    )
    named = [field, metric.of] if metric.of else [field]
    return {**found.as_json(), **question.said(), "not_indexed": lacking(question, named)}


class Histogram(APIView):
    """Packets and bytes over time."""

    parser_classes: list[Any] = []

    @extend_schema(responses={200: dict}, parameters=[*PACKET_PARAMETERS, *_texts("bins", "width", "by", "n")])
    def get(self, request: Request) -> Response:
        return within_limits(histogram_json, request.GET)

    @extend_schema(request=None, responses={200: dict})
    def post(self, request: Request) -> Response:
        """The same, for a query that is too long for a URL: a form."""
        return within_limits(histogram_json, form_of(request))


def histogram_json(given: Any) -> dict[str, Any]:
    question = question_of(given)
    if given.get("bins") and given.get("width"):
        raise Refused("give bins or width, not both", option="bins")
    bins = whole_number(given, "bins", BINS, 1, MOST_BINS)
    width = width_of(given["width"]) if given.get("width") else None
    by = a_set_field(given, "by") if given.get("by") else ""
    n = whole_number(given, "n", SPLIT, 1, MOST_SPLIT)
    low, high = _range(question, given)
    found = histogram(question.index, question.call, bins=None if width else bins, width=width, low=low, high=high, by=by, n=n)
    return {**found.as_json(), **question.said(), "not_indexed": lacking(question, [by] if by else [])}


def _range(question: Question, given: Any) -> tuple[int | None, int | None]:
    """First and last ns of the range that was asked for, as far as there are packets in the index."""
    begin, end = nanoseconds(given.get("from", "")), nanoseconds(given.get("to", ""))
    if begin is None and end is None:
        return None, None
    batches = visible(question.index)
    known = batches.aggregate(first=Min("first_time_ns"), last=Max("last_time_ns"))
    if known["first"] is None:
        return None, None
    low = None if begin is None else max(begin, known["first"])
    high = None if end is None else min(end - 1, known["last"])
    return low, high


class Crosstab(APIView):
    """Two fields against each other."""

    parser_classes: list[Any] = []

    @extend_schema(
        responses={200: dict}, parameters=[*PACKET_PARAMETERS, *_texts("rows", "columns", "n_rows", "n_columns", "metric")]
    )
    def get(self, request: Request) -> Response:
        return within_limits(crosstab_json, request.GET)

    @extend_schema(request=None, responses={200: dict})
    def post(self, request: Request) -> Response:
        """The same, for a query that is too long for a URL: a form."""
        return within_limits(crosstab_json, form_of(request))


def crosstab_json(given: Any) -> dict[str, Any]:
    question = question_of(given)
    rows, columns = a_set_field(given, "rows"), a_set_field(given, "columns")
    n_rows, n_columns = (whole_number(given, name, SIDE, 1, MOST_SIDE) for name in ("n_rows", "n_columns"))
    metric = given.get("metric") or "packets"
    if metric not in ("packets", "bytes"):
        raise Refused(f"metric must be packets or bytes, not {metric!r}", option="metric")
    found = crosstab(question.index, question.call, rows, columns, n_rows, n_columns, metric == "bytes")
    return {**found.as_json(), **question.said(), "not_indexed": lacking(question, [rows, columns])}


class Compare(APIView):
    """Two sets of packets against each other, on every field."""

    parser_classes: list[Any] = []

    @extend_schema(
        responses={200: dict},
        parameters=[
            *PACKET_PARAMETERS,
            *_texts("a", "b", *(f"{side}_{name}" for side in _SIDES for name in _OF_SIDE), "fields", "n"),
        ],
    )
    def get(self, request: Request) -> Response:
        return within_limits(compare_json, request.GET)

    @extend_schema(request=None, responses={200: dict})
    def post(self, request: Request) -> Response:
        """The same, for queries that are too long for a URL: a form."""
        return within_limits(compare_json, form_of(request))


def compare_json(given: Any) -> dict[str, Any]:
    question = question_of(given)
    fields = _compared(given.get("fields", ""))
    n = whole_number(given, "n", CHANGES, 1, MOST_CHANGES)
    if not any(given.get(name) for side in _SIDES for name in (side, f"{side}_job", f"{side}_from", f"{side}_to")):
        words = "say what to compare: two queries a and b, or a_job and b_job, or a_from, a_to, b_from and b_to"
        raise Refused(words, option="a")
    sides = [_side(given, side) for side in _SIDES]
    calls = [side.call if is_every(question.call) else Call("Intersect", [question.call, side.call]) for side in sides]
    found = compare(question.index, calls[0], calls[1], fields, n)
    said = {name: {"count": found.count[i], "bytes": found.bytes[i], **sides[i].said()} for i, name in enumerate(_SIDES)}
    missing: dict[str, list[int]] = {}
    for side, call in zip(sides, calls, strict=True):
        both = Question(side.index, "", side.jobs or question.jobs, call)
        for name, jobs in lacking(both, fields).items():
            missing[name] = sorted({*missing.get(name, []), *jobs})
    return {**said, **found.as_json(), **question.said(), "not_indexed": missing}


def _compared(text: str) -> list[str]:
    names = [name for name in dict.fromkeys(text.split(",")) if name]
    if not names:
        return [one.name for one in FIELDS.values() if one.kind == "set" and one.name not in NOT_COMPARED]
    try:
        return [set_field(name) for name in names]
    except Refused as error:
        raise Refused(error.detail, option="fields") from None


def _side(given: Any, side: str) -> Question:
    """The question of one side. Raises Refused, naming the side's own parameter, also for what its query says wrongly."""
    own = QueryDict(mutable=True)
    own["index"], own["q"] = given.get("index", ""), given.get(side, "")
    for name in _OF_SIDE:
        own.setlist(name, given.getlist(f"{side}_{name}"))
    try:
        return question_of(own)
    except Refused as error:
        option = error.members.get("option", "q")
        name = side if option == "q" else f"{side}_{option}"
        detail = re.sub(rf"^{option}\b", name, error.detail)
        raise Refused(detail, error.status, **{**error.members, "option": name}) from None
    except QueryError as error:
        members = {} if error.position is None else {"position": error.position}
        raise Refused(f"{side}: {error}", error.status, option=side, **members) from None
