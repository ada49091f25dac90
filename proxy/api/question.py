"""What a request asks for: the parameters that every endpoint on packets takes, read and checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter

from capture.api.jobs import get_job
from capture.packets.errors import PacketsError
from capture.packets.registry import FIELDS, select
from capture.services.errors import Refused
from indexing.calls import Call, QueryError
from proxy.ask import DEFAULT_INDEX, known_index
from proxy.display.ask import PQL, bitmap_of_any
from proxy.pql.unparse import unparse
from proxy.time_range import time_range

TABLE_FIELDS = ("netsrc", "transsrc", "netdst", "transdst", "appproto", "tcp", "http-hostname")
PACKET_PARAMETERS = [OpenApiParameter(name, str) for name in ("index", "q", "lang", "job", "from", "to")]


@dataclass
class Question:
    """What a request asks for: index, the bitmap call, and how to say it again.

    lang: what `q` was read as. notes: sentences on its meaning."""

    index: str
    q: str
    jobs: list[int] = field(default_factory=list)
    call: Call = field(default_factory=lambda: Call("Union"))
    lang: str = PQL
    notes: tuple[str, ...] = ()

    @property
    def pql(self) -> str:
        return unparse(self.call)

    def said(self) -> dict[str, Any]:
        """What every answer echoes of its question."""
        return {"lang": self.lang, "pql": self.pql, "notes": list(self.notes)}


def question_of(given: Any) -> Question:
    """The question of a query string (or form). Raises Refused, QueryError."""
    q, lang = given.get("q", ""), given.get("lang", "")
    if lang not in ("", "pql", "display"):
        raise Refused(f"lang must be pql or display, not {lang!r}", option="lang")
    jobs = []
    for text in given.getlist("job"):
        if not text:
            continue
        if not text.isdecimal():
            raise Refused(f"job must be a number, not {text!r}", option="job")
        jobs.append(get_job(int(text[:18])).pk)
    index = given.get("index") or DEFAULT_INDEX
    try:
        known_index(index)
    except QueryError:
        raise Http404(f"there is no index {index!r}") from None
    asked = bitmap_of_any(q, lang, jobs)
    call = asked.call
    within = time_range(given.get("from", ""), given.get("to", ""))
    if within is not None:
        call = Call("Intersect", [call, within])
    return Question(index, q, jobs, call, asked.lang, asked.notes)


def field_names(text: str) -> list[str]:
    """Fields of a comma separated list; empty: the table's own. Raises Refused."""
    names = [name for name in dict.fromkeys(text.split(",")) if name] or list(TABLE_FIELDS)
    try:
        select(names)
    except PacketsError as error:
        raise Refused(str(error), option="fields") from None
    return [name for name in names if name in FIELDS]


def set_field(name: str) -> str:
    """A field that has values to count. Raises Refused."""
    if not name:
        raise Refused("say which field", option="field")
    try:
        select([name])
    except PacketsError as error:
        raise Refused(str(error), option="field") from None
    if name not in FIELDS or FIELDS[name].kind != "set":
        raise Refused(f"{name} has no values to count: it is a number that is compared and summed", option="field")
    return name
