"""A query as it comes over HTTP, and its answer, whoever serves it: the view (proxy.api.pilosa) or the way past it (pilosa_fast).

As Pilosa 1.4.1: the body is PQL, or a protobuf QueryRequest by its Content-Type, which has the options then; the answer is JSON
where Accept is absent or exactly one of four types, else a protobuf QueryResponse; an error is a 400, of text/plain in both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
from django.conf import settings

from indexing import limits
from indexing.backends.base import BackendAway, BackendError
from indexing.calls import Call, QueryError, Result, RowResult
from indexing.client import tables
from indexing.client.contract import Wanted
from indexing.client.go_json import encode
from proxy.ask import NO_INDEX, ask_packets, is_packet_index
from proxy.client.ask import ask_client
from proxy.not_indexed import HEADER, header, not_indexed
from proxy.pql.parse import MAX_QUERY_BYTES
from proxy.pql.render import render_json
from proxy.pql.writes import not_allowed
from proxy.protobuf.query import QueryRequest, read_request, write_response
from proxy.protobuf.wire import ProtobufError
from proxy.question import Question, question

JSON, TEXT, PROTOBUF = "application/json", "text/plain; charset=utf-8", "application/protobuf"
PROTOBUF_REQUEST = "application/x-protobuf"
JSON_TYPES = frozenset({"application/json", "*/*", "*/json", "application/*"})
_NO_COLUMNS = np.zeros(0, np.uint64)
_NO_HEADERS: Mapping[str, str] = {}
ARGUMENTS = frozenset({"shards", "columnAttrs", "excludeRowAttrs", "excludeColumns"})


@dataclass(frozen=True)
class Asked:
    """A POST to /index/{index}/query. arguments: the query string; accept: None where there is no such header; may_write: whether
    who asks may write to packet indexes, asked only where the query writes; may_write_clients: to client indexes."""

    index: str
    body: bytes
    arguments: str
    content_type: str
    accept: str | None
    may_write: Callable[[], bool]
    may_write_clients: Callable[[], bool] = lambda: True

    @property
    def wants_json(self) -> bool:
        return self.accept is None or self.accept in JSON_TYPES


@dataclass(frozen=True)
class Reply:
    """The answer: one write."""

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def reply(asked: Asked) -> Reply:
    """Answers. What is raised is no QueryError, BackendAway or BackendError."""
    arguments = parse_qsl(asked.arguments, keep_blank_values=True) if asked.arguments else []
    for name, _ in arguments:
        if name not in ARGUMENTS:
            return Reply(400, TEXT, encode({"error": f"{name} is not a valid argument"}) + b"\n")
    try:
        request = _request(asked, arguments)
        read = question(request.query)  # its length is limited; the time for the rest begins here
        with limits.within(settings.QUERY_SECONDS, settings.QUERY_MEMORY):
            return _answered(asked, request, read)
    except QueryError as error:
        return refusal(asked, error, error.status)
    except BackendAway as error:
        return refusal(asked, _Plain(f"the index is away: {error}"), 503)
    except BackendError as error:
        return refusal(asked, _Plain(f"the index refused: {error}"), 503)


# A part is away: when to ask again.
AGAIN = {"Retry-After": "5"}


class _Plain(QueryError):
    """An error whose text is all that is said: Pilosa has it from before it executes anything."""


def too_large(asked: Asked, length: int) -> Reply:
    """The answer to a body that is not read."""
    return refusal(asked, _Plain(f"query of {length} bytes is more than {MAX_QUERY_BYTES}"), 413)


def refusal(asked: Asked, error: QueryError, status: int) -> Reply:
    """An error in the form that was asked for."""
    text = str(error)
    if not isinstance(error, _Plain) and not text.startswith(("parsing: ", "executing: ")):
        text = "executing: " + text
    body = encode({"error": text}) + b"\n" if asked.wants_json else write_response((), (), error=text)
    return Reply(status, TEXT, body, AGAIN if status == 503 else {})


def _request(asked: Asked, arguments: Sequence[tuple[str, str]]) -> QueryRequest:
    """What is asked, whatever its form. Raises QueryError."""
    if asked.content_type == PROTOBUF_REQUEST:
        try:
            return read_request(asked.body)
        except ProtobufError as error:
            raise _Plain(str(error)) from None
    try:
        text = asked.body.decode()
    except UnicodeDecodeError as error:
        raise QueryError(f"parsing: the query is not UTF-8: byte {error.start}", position=error.start) from None
    if not arguments:
        return QueryRequest(text)
    first: dict[str, str] = {}
    for name, value in arguments:
        first.setdefault(name, value)
    return QueryRequest(
        text,
        shards=_shards(first.get("shards", "")),
        column_attrs=first.get("columnAttrs") == "true",
        exclude_row_attrs=first.get("excludeRowAttrs") == "true",
        exclude_columns=first.get("excludeColumns") == "true",
    )


def _shards(text: str) -> list[int] | None:
    shards = []
    for part in text.split(","):
        if part.strip():
            if not (part.isascii() and part.isdigit() and len(part) <= 20 and int(part) < 1 << 64):
                raise _Plain("invalid shard argument")
            shards.append(int(part))
    return shards or None


def _answered(asked: Asked, request: QueryRequest, read: Question) -> Reply:
    if not is_packet_index(asked.index):
        if read.write is not None and not asked.may_write_clients():
            raise QueryError(f"{read.write.name}: whoever asks may only read", read.write.position, status=403)
        return _of_client(asked, request, read.calls)
    if read.write is not None and not asked.may_write():
        raise not_allowed(read.write)
    results = ask_packets(asked.index, read, request.shards)
    if request.exclude_columns:
        results = [replace(one, columns=_NO_COLUMNS) if isinstance(one, RowResult) else one for one in results]
    missing = not_indexed(asked.index, read.fields)
    return rendered(asked, results, read.calls, headers={HEADER: header(missing)} if missing else _NO_HEADERS)


def _of_client(asked: Asked, request: QueryRequest, calls: Sequence[Call]) -> Reply:
    """The answer of a client index, if there is one of that name."""
    index = tables.read(asked.index)
    if index is None:
        raise QueryError(NO_INDEX)
    wanted = Wanted(request.shards, request.column_attrs, request.exclude_row_attrs, request.exclude_columns)
    answer = ask_client(index, calls, wanted)
    return rendered(asked, answer.results, calls, answer.column_attrs, packets=False)


def rendered(
    asked: Asked,
    results: Sequence[Result],
    calls: Sequence[Call],
    column_attrs: Sequence[tuple[int | str, Mapping[str, Any]]] = (),
    headers: Mapping[str, str] = _NO_HEADERS,
    packets: bool = True,
) -> Reply:
    """Results in the form that was asked for. column_attrs: (id or key, attributes)."""
    if not asked.wants_json:
        return Reply(200, PROTOBUF, write_response(results, calls, column_attrs), headers)
    return Reply(200, JSON, render_json(results, calls, packets, column_attrs), headers)
