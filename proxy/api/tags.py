"""Tags of packets: all packets of a query get one, or lose it; which there are."""

from __future__ import annotations

import unicodedata
from typing import Any

from django.conf import settings
from django.http import HttpRequest, QueryDict
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from capture.api.jobs import whole_number
from capture.services.errors import Refused
from indexing import limits
from proxy.api.question import PACKET_PARAMETERS, Question, question_of
from proxy.links import Where, row
from proxy.saved.given import json_object, only
from proxy.saved.tags import FIELD, write_tag
from proxy.tops import top

LONGEST_TAG = 200
MEMBERS = ("tag", "index", "q", "lang", "job", "jobs", "from", "to")
TAGS, MOST_TAGS = 1000, 100_000
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class Tags(APIView):
    """Tags of packets."""

    parser_classes: list[Any] = []

    @extend_schema(
        responses={200: dict}, parameters=[*PACKET_PARAMETERS, OpenApiParameter("n", int), OpenApiParameter("prefix", str)]
    )
    def get(self, request: Request) -> Response:
        """The tags of the packets of a query (empty: of all), the most used first."""
        return Response(listed(request.GET))

    @extend_schema(request=dict, responses={200: dict})
    def post(self, request: Request) -> Response:
        """Tags all packets of a query, as they are now."""
        given = given_of(request._request)
        return Response(write(given, tag_of(given), True))

    @extend_schema(responses={200: dict}, parameters=[*PACKET_PARAMETERS, OpenApiParameter("tag", str)])
    def delete(self, request: Request) -> Response:
        """Takes a tag from the packets of a query; without one, from all of the index."""
        given = given_of(request._request) if request._request.META.get("CONTENT_LENGTH") not in (None, "", "0") else request.GET
        return Response(write(given, tag_of(given), False))


def listed(given: QueryDict) -> dict[str, Any]:
    """The tags of the packets of a query. Raises Refused, QueryError."""
    question = question_of(given)
    n = whole_number(given, "n", TAGS, 1, MOST_TAGS)
    with limits.within(settings.QUERY_SECONDS, settings.QUERY_MEMORY):
        found = top(question.index, question.call, FIELD, n, prefix=given.get("prefix", ""))
    return {"index": question.index, **question.said(), **_tags_json(question, found)}


def write(given: QueryDict, tag: str, there: bool) -> dict[str, Any]:
    """Does it, and says what was done."""
    if there and "q" not in given and "job" not in given:
        raise Refused("say which packets: q (an empty one means all)", option="q")
    question = question_of(given)
    done = write_tag(question.index, question.call, tag.encode(), there)
    return {
        "tag": tag,
        "index": question.index,
        **question.said(),
        "packets": done.packets,
        "changed": done.changed,
        "url": Where(question.index).url("/packets/", row(FIELD, tag)),
    }


def _tags_json(question: Question, found: Any) -> dict[str, Any]:
    """A top of the field as a list of tags."""
    where = Where(question.index)
    tags = [
        {"tag": one["value"], "packets": one["count"], "url": where.url("/packets/", row(FIELD, one["value"]))}
        for one in found.values
    ]
    return {"distinct": found.distinct, "exact": found.exact, "tags": tags}


def tag_of(given: QueryDict) -> str:
    """The tag. Raises Refused: it is read by people, and stands in queries as it is."""
    tag = given.get("tag", "").strip()
    if not tag:
        raise Refused("say which tag", option="tag")
    if len(tag) > LONGEST_TAG:
        raise Refused(f"tag has {len(tag):,} characters, and may have {LONGEST_TAG}", option="tag")
    if "\\" in tag or any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in tag):
        raise Refused("tag must hold no control characters, line breaks or backslashes", option="tag")
    return tag


def given_of(request: HttpRequest) -> QueryDict:
    """The parameters of a body, a JSON object or a form. Raises Refused."""
    if (request.content_type or "").lower() in FORMS:
        return request.POST if request.method == "POST" else QueryDict(request.body)
    body = json_object(request)
    only(body, MEMBERS)
    given = QueryDict(mutable=True)
    for name, value in body.items():
        if value is None:
            continue
        if name in ("job", "jobs"):
            some = value if isinstance(value, list) else [value]
            if any(isinstance(one, bool) or not isinstance(one, int) for one in some):
                raise Refused(f"{name} must be a number or a list of numbers", option=name)
            given.setlist("job", [*given.getlist("job"), *map(str, some)])
        elif not isinstance(value, str):
            raise Refused(f"{name} must be a text", option=name)
        else:
            given[name] = value
    return given
