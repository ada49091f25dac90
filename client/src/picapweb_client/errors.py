"""What can go wrong, as exceptions: one for each thing that a caller may want to tell apart."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from picapweb_client.caret import caret

if TYPE_CHECKING:
    from picapweb_client.job import Job

# The text of the query, or, where a question has several, those by the option that they stand in ("": the usual one).
Asked = str | Mapping[str, str]
# The title of every problem (RFC 9457) that is about the query itself.
QUERY_TITLE = "The query cannot be answered"
# Pilosa's words for where reading stopped: the second of "(line 1 symbol 4 - line 1 symbol 9)".
_PILOSA_PLACE = re.compile(r"- line ([0-9]+) symbol ([0-9]+)\)")


class PicapwebError(Exception):
    """An answer that is an error.

    status: the HTTP status, None where no answer came. title, detail: the problem in words. option: which option was wrong.
    position: where in the query (characters from 0). members: all members of the problem, as they came."""

    def __init__(
        self,
        detail: str,
        *,
        status: int | None = None,
        title: str = "",
        option: str | None = None,
        position: int | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.detail = detail
        self.option = option
        self.position = position
        self.members: Mapping[str, Any] = members or {}


class QueryError(PicapwebError):
    """The query cannot be answered. query: its text as it was sent. As text: the words, then the line and a caret under it."""

    def __init__(self, detail: str, *, query: str = "", **known: Any) -> None:
        super().__init__(detail, **known)
        self.query = query

    @property
    def caret(self) -> str:
        """The line of the query with a caret under the place; empty where the place is not known."""
        return caret(self.query, self.position)

    def __str__(self) -> str:
        shown = self.caret
        return f"{self.detail.strip()}\n{shown}" if shown else self.detail


class QueryLimit(QueryError):
    """The query took too long (504), or needs more memory than one may have (413)."""


class NotFound(PicapwebError):
    """There is no such job, packet, index, saved query ... (404)."""


class Gone(PicapwebError):
    """Bytes of packets were there and are not any more (410): their ring file was removed."""


class NotAllowed(PicapwebError):
    """Not signed in (401), or not for this user (403)."""


class Conflict(PicapwebError):
    """It cannot be done as things stand (409). job: the job that has the same capture already, if that is why."""

    job: Job | None = None


class Away(PicapwebError):
    """The server, or a part of it, is not there: no connection, one that broke off, or 502 or 503."""


class Timeout(PicapwebError, TimeoutError):
    """No answer within the client's `timeout`."""


class JobFailed(PicapwebError):
    """A job that was waited for has failed. job: as it ended."""

    def __init__(self, job: Job) -> None:
        super().__init__(f"job {job.id} ({job.name}) failed: {job.error}")
        self.job = job


class WaitTimeout(PicapwebError, TimeoutError):
    """A job has not ended in the time that was given. job: as it was last seen."""

    def __init__(self, job: Job, seconds: float) -> None:
        super().__init__(f"job {job.id} ({job.name}) has not ended within {seconds:g} s: it is {job.state}")
        self.job = job


class MissingExtra(ImportError):
    """A package that is needed for what was asked is not installed; the text says how to install it."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"this needs {package}: pip install 'picapweb-client[{extra}]'", name=package)


_BY_STATUS: dict[int, type[PicapwebError]] = {
    401: NotAllowed,
    403: NotAllowed,
    404: NotFound,
    410: Gone,
    409: Conflict,
    502: Away,
    503: Away,
}


def error_of(status: int, body: bytes, query: Asked = "") -> PicapwebError:
    """The exception for an error answer: problem+json, or Pilosa's {"error": text}, or whatever text came."""
    try:
        told = json.loads(body)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        text = body[:500].decode(errors="replace").strip()
        told = {"detail": text or f"an answer of status {status} without a body"}
    if isinstance(told.get("error"), str) and "detail" not in told:
        return _pilosa_error(status, told["error"], _text(query))
    title, detail = str(told.get("title", "")), str(told.get("detail", ""))
    known: dict[str, Any] = {
        "status": status,
        "title": title,
        "option": told.get("option"),
        "position": told.get("position"),
        "members": told,
    }
    if title == QUERY_TITLE or known["position"] is not None:
        kind = QueryLimit if status in (413, 504) else QueryError
        return kind(detail, query=_text(query, known["option"]), **known)
    return _BY_STATUS.get(status, PicapwebError)(detail, **known)


def _text(query: Asked, option: str | None = None) -> str:
    return query if isinstance(query, str) else query.get(option or "", "")


def _pilosa_error(status: int, text: str, query: str) -> PicapwebError:
    members = {"error": text}
    if status in (502, 503):
        return Away(text, status=status, members=members)
    if status in (401, 403):
        return NotAllowed(text, status=status, members=members)
    place = _PILOSA_PLACE.search(text)
    position = _offset(query, int(place[1]), int(place[2])) if place else None
    kind = QueryLimit if status in (413, 504) else QueryError
    return kind(text, query=query, status=status, position=position, members=members)


def _offset(query: str, line: int, symbol: int) -> int:
    """Characters before a symbol of a line, both as Pilosa counts: lines from 1, symbols too, where the newline that begins a
    line is its symbol 0."""
    start = -1
    for _ in range(line - 1):
        start = query.find("\n", start + 1)
    return max(0, min(start + symbol, len(query)))
