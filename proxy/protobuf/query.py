"""QueryRequest and QueryResponse: a query as python-pilosa and go-pilosa ask it, and its answer.

Source: internal/public.proto and encoding/proto/proto.go of Pilosa 1.4.1.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from indexing.calls import (
    BoolResult,
    Call,
    CountResult,
    GroupCount,
    GroupCountsResult,
    NoResult,
    Pair,
    PairsResult,
    Result,
    RowResult,
    RowsResult,
    ValCountResult,
)
from proxy.pql.walk import unwrapped
from proxy.protobuf.wire import Message, blob, encoded, number, numbers, text, texts

# QueryResult.Type
_NIL, _ROW, _PAIRS, _VAL_COUNT, _COUNT, _BOOL, _GROUP_COUNTS, _ROW_IDENTIFIERS, _PAIR = 0, 1, 2, 3, 4, 5, 7, 8, 9
# Attr.Type
_STRING, _INT, _FLAG, _FLOAT = 1, 2, 3, 4


@dataclass(frozen=True)
class QueryRequest:
    """query: PQL. shards: the only ones to look at; None: all. remote: sent by another node of a cluster."""

    query: str
    shards: list[int] | None = None
    column_attrs: bool = False
    remote: bool = False
    exclude_row_attrs: bool = False
    exclude_columns: bool = False


def read_request(data: bytes) -> QueryRequest:
    """The body of POST /index/{index}/query. Raises ProtobufError."""
    message = Message(data, "QueryRequest")
    return QueryRequest(
        query=message.text(1),
        shards=message.numbers(2).tolist() or None,
        column_attrs=message.flag(3),
        remote=message.flag(5),
        exclude_row_attrs=message.flag(6),
        exclude_columns=message.flag(7),
    )


def write_response(
    results: Sequence[Result],
    calls: Sequence[Call],
    column_attrs: Iterable[tuple[int | str, Mapping[str, Any]]] = (),
    error: str | None = None,
) -> bytes:
    """A QueryResponse. calls: as they were asked, one a result. column_attrs: (id or key, attributes). error: the whole text, as
    in JSON's "error"; there are no results then."""
    parts = [text(1, error)] if error else []
    parts += (blob(2, _result(result, unwrapped(call))) for result, call in zip(results, calls, strict=True))
    parts += (blob(3, _column_attrs(column, attrs)) for column, attrs in column_attrs)
    return b"".join(parts)


def _result(result: Result, call: Call) -> bytes:
    if isinstance(result, RowResult):
        return blob(1, _row(result)) + number(6, _ROW)
    if isinstance(result, CountResult):
        return number(2, result.count) + number(6, _COUNT)
    if isinstance(result, PairsResult):
        if call.name in ("MinRow", "MaxRow"):
            pair = result.pairs[0] if result.pairs else Pair(0, 0)
            return blob(3, _pair(pair, pair.id)) + number(6, _PAIR)
        # Pilosa hides the id behind a key.
        return b"".join(blob(3, _pair(pair, pair.id if pair.key is None else 0)) for pair in result.pairs) + number(6, _PAIRS)
    if isinstance(result, ValCountResult):
        return blob(5, number(1, result.value) + number(2, result.count)) + number(6, _VAL_COUNT)
    if isinstance(result, RowsResult):
        rows = numbers(1, np.array(result.ids, np.uint64)) if result.keys is None else texts(2, result.keys)
        return number(6, _ROW_IDENTIFIERS) + blob(9, rows)
    if isinstance(result, GroupCountsResult):
        return number(6, _GROUP_COUNTS) + b"".join(blob(8, _group(group)) for group in result.groups)
    if isinstance(result, BoolResult):
        return number(4, result.changed) + number(6, _BOOL)
    assert isinstance(result, NoResult)
    return number(6, _NIL)


def _row(result: RowResult) -> bytes:
    columns = numbers(1, np.asarray(result.columns, np.uint64)) if result.keys is None else b""
    return columns + _attrs(result.attrs) + texts(3, result.keys or ())


def _pair(pair: Pair, shown: int) -> bytes:
    return number(1, shown) + number(2, pair.count) + text(3, pair.key or "")


def _group(group: GroupCount) -> bytes:
    rows = (
        blob(1, text(1, field) + (number(2, row) if key is None else text(3, key)))  # an id or a key
        for field, row, key in group.group
    )
    return b"".join(rows) + number(2, group.count)


def _column_attrs(column: int | str, attrs: Mapping[str, Any]) -> bytes:
    if isinstance(column, str):
        return _attrs(attrs) + text(3, column)
    return number(1, column) + _attrs(attrs)


def _attrs(attrs: Mapping[str, Any]) -> bytes:
    """Attributes, each as field 2, sorted by name."""
    return b"".join(blob(2, _attr(name, attrs[name])) for name in sorted(attrs, key=encoded))


def _attr(name: str, value: str | int | bool | float) -> bytes:
    head = text(1, name)
    if isinstance(value, str):
        return head + number(2, _STRING) + text(3, value)
    if isinstance(value, bool):
        return head + number(2, _FLAG) + number(5, value)
    if isinstance(value, int):
        return head + number(2, _INT) + number(4, value)
    return head + number(2, _FLOAT) + (b"\x31" + struct.pack("<d", value) if value else b"")
