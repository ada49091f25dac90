"""Results as JSON: Pilosa 1.4.1's shapes, and picap's or v0.x's for legacy calls. Written as Go's encoding/json writes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexing.calls import (
    BoolResult,
    Call,
    CountResult,
    GroupCountsResult,
    NoResult,
    PairsResult,
    QueryError,
    Result,
    RowResult,
    RowsResult,
    ValCountResult,
)
from proxy.pql.number_kernels import ROOM, write_decimals
from proxy.pql.walk import unwrapped

_GO_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_GO = re.compile("[<>&\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def render_json(
    results: Sequence[Result],
    calls: Sequence[Call],
    packets: bool = True,
    column_attrs: Sequence[tuple[int | str, Mapping[str, Any]]] = (),
) -> bytes:
    """The body of an answer, newline included: `{"results":[...]}`.

    calls: as they were asked, one a result; their names and `legacy` choose the shape. packets: of a packet index, where
    legacy pairs are picap's (`Key`, `Count`), elsewhere Pilosa 0.10's. column_attrs: of columns, by id or key; shown if any.
    """
    parts = [_result(result, unwrapped(call), packets) for result, call in zip(results, calls, strict=True)]
    shown = [
        {"key" if isinstance(column, str) else "id": column, "attrs": dict(sorted(attrs.items()))}
        for column, attrs in column_attrs
    ]
    attrs = b',"columnAttrs":' + _json(shown) if shown else b""
    between = parts[0] if len(parts) == 1 else b",".join(parts)
    return b"".join((b'{"results":[', between, b"]", attrs, b"}\n"))  # one copy: it may be megabytes


def error_json(error: QueryError) -> bytes:
    """`{"error":"executing: ..."}`; errors of the parser say "parsing: ..." already."""
    text = str(error)
    if not text.startswith(("parsing: ", "executing: ")):
        text = "executing: " + text
    return _json({"error": text}) + b"\n"


def _json(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    text = _GO.sub(lambda found: _GO_ESCAPES[found[0]], text)
    return _SURROGATE.sub("\ufffd", text).encode()


def _result(result: Result, call: Call, packets: bool) -> bytes:
    if isinstance(result, RowResult):
        name = b"bits" if call.legacy else b"columns"
        attrs = _json(dict(sorted(result.attrs.items())))
        if result.keys is not None:
            keys = b',"keys":' + _json(result.keys) if result.keys else b""
            return b'{"attrs":%b,"%b":[]%b}' % (attrs, name, keys)
        return b"".join((b'{"attrs":', attrs, b',"', name, b'":[', numbers(result.columns), b"]}"))
    if isinstance(result, CountResult):
        return b"%d" % result.count
    if isinstance(result, PairsResult):
        if call.name in ("MinRow", "MaxRow"):
            pair = result.pairs[0] if result.pairs else None
            shown: dict[str, Any] = {"id": pair.id if pair else 0}
            if pair and pair.key is not None:
                shown["key"] = pair.key
            return _json({**shown, "count": pair.count if pair else 0})
        return _json(_pairs(result, call.legacy and packets))
    if isinstance(result, ValCountResult):
        return _json({"value": result.value, "count": result.count})
    if isinstance(result, RowsResult):
        if result.keys is None:
            return b'{"rows":[%b]}' % ",".join(map(str, result.ids)).encode()
        return _json({"rows": None, "keys": result.keys} if result.keys else {"rows": None})
    if isinstance(result, GroupCountsResult):
        return _json([{"group": [_group_row(*row) for row in group.group], "count": group.count} for group in result.groups])
    if isinstance(result, BoolResult):
        if call.written == "SetFieldValue":
            return b"null"  # so v0.x
        return b"true" if result.changed else b"false"
    assert isinstance(result, NoResult)
    return b"null"


def _pairs(result: PairsResult, picap: bool) -> list[dict[str, Any]]:
    if picap:
        return [{"Key": str(p.id) if p.key is None else p.key, "Count": p.count} for p in result.pairs]
    # Pilosa hides the id behind a key
    return [{"id": p.id, "count": p.count} if p.key is None else {"id": 0, "key": p.key, "count": p.count} for p in result.pairs]


def _group_row(field: str, row: int, key: str | None) -> dict[str, Any]:
    return {"field": field, "rowID": row} if key is None else {"field": field, "rowKey": key}


def numbers(columns: NDArray[np.uint64]) -> bytes | memoryview:
    """uint64 (n,) in decimal, with commas."""
    columns = np.ascontiguousarray(columns, np.uint64)
    if columns.size < 32:
        return ",".join(map(str, columns.tolist())).encode()
    out = np.empty(columns.size * (len(str(int(columns.max()))) + 1) + ROOM, np.uint8)
    return out[: int(write_decimals(columns, out)) - 1].data
