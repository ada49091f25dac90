"""Conversations as `/flows/` lists them: ends with their values, figures, and the queries that lead to their packets."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import numpy as np

from capture.packets.batch import NO_TIME
from capture.packets.declarations.transport import TCP_FLAGS
from capture.services.describe import iso_ns
from indexing import store
from indexing.calls import Call, RowRef
from proxy.analysis.values import named
from proxy.flows.conversations import Conversations
from proxy.flows.directions import BYTES, FLAGS, JOB, PACKETS
from proxy.flows.grouping import I64
from proxy.flows.lookup import U64
from proxy.flows.triples import COMMUNITY_ID, STACK, tagged
from proxy.pql.unparse import unparse

NS = 1_000_000_000
_VALUES = ("netsrc", "netdst", "transsrc", "transdst", "transproto", "ip-proto", COMMUNITY_ID, STACK)
Values = dict[str, dict[str, Any]]  # field -> value and label
BY_SYN, BY_FIRST = "syn", "first-packet"


def listed(index: str, some: Conversations, places: I64) -> list[dict[str, Any]]:
    """Some conversations, in the order of their places. One whose job was deleted a moment ago is left out."""
    shown = some.first_of(places)
    values = _values(index, np.unique(shown).astype(np.uint64))
    any_tag = tagged(index) is not None
    pairs = zip(places.tolist(), shown.tolist(), strict=True)
    return [
        _one(index, some, place, values[column], any_tag) for place, column in pairs if COMMUNITY_ID in values.get(column, {})
    ]


def _values(index: str, columns: U64) -> dict[int, Values]:
    """By column, the values of _VALUES that a packet has."""
    backend = store.ensure_index(index)
    pairs = {field: backend.rows_of_columns(index, field, columns) for field in _VALUES}
    texts = named(index, {field: np.unique(rows) for field, (_, rows) in pairs.items()})
    out: dict[int, Values] = {}
    for field, (its, rows) in pairs.items():
        for column, row in zip(its.tolist(), rows.tolist(), strict=True):
            out.setdefault(column, {}).setdefault(field, texts[field][row])
    return out


def _one(index: str, some: Conversations, place: int, row: Values, any_tag: bool) -> dict[str, Any]:
    """row: of a packet that the initiator sent."""
    initiator, responder = int(some.initiator[place]), int(some.responder[place])
    job, stack, number = int(some.table[JOB, initiator]), _value(row, STACK), _value(row, COMMUNITY_ID)
    first, last = int(some.first[place]), int(some.last[place])
    timed = first != NO_TIME
    pql = unparse(packets_in(job, stack, number or "", any_tag))
    return {
        "job": job,
        "vlan_stack": stack,
        "community_id": number,
        "protocol": _protocol(row),
        "initiator": _end(some, initiator, _value(row, "netsrc"), _value(row, "transsrc")),
        "responder": _end(some, responder, _value(row, "netdst"), _value(row, "transdst")),
        "initiator_by": BY_SYN if some.by_syn[place] else BY_FIRST,
        "packets": int(some.packets[place]),
        "bytes": int(some.bytes[place]),
        "first": iso_ns(first) if timed else None,
        "first_ns": str(first) if timed else None,
        "last": iso_ns(last) if timed else None,
        "last_ns": str(last) if timed else None,
        "duration": (last - first) / NS if timed else None,
        "duration_ns": str(last - first) if timed else None,
        "column": int(some.column[place]),
        "pql": pql,
        "url": f"/packets/?{urlencode({'index': index, 'lang': 'pql', 'q': pql})}",
        "flow": f"/flows/{index}/{int(some.column[place])}/",
    }


def _end(some: Conversations, direction: int, address: str | None, port: str | None) -> dict[str, Any]:
    flags = 0 if direction < 0 else int(some.table[FLAGS, direction])
    return {
        "address": address,
        "port": None if port is None else int(port),
        "packets": 0 if direction < 0 else int(some.table[PACKETS, direction]),
        "bytes": 0 if direction < 0 else int(some.table[BYTES, direction]),
        "flags": [name for bit, name in enumerate(TCP_FLAGS) if flags >> bit & 1],
    }


def _value(row: Values, field: str) -> str | None:
    found: str | None = row.get(field, {}).get("value")
    return found


def _protocol(row: Values) -> str | None:
    """The transport's name, else that of the number in the IP header."""
    number = row.get("ip-proto", {})
    return _value(row, "transproto") or number.get("label") or number.get("value")


def packets_in(job: int, stack: str | None, number: str, any_tag: bool) -> Call:
    """All packets of a conversation, in values."""
    rows = [RowRef("job", job), RowRef(COMMUNITY_ID, number), *([RowRef(STACK, stack)] if stack is not None else [])]
    within = Call("Intersect", [Call("Row", args={"row": row}) for row in rows])
    if stack is not None or not any_tag:
        return within
    return Call("Difference", [within, Call("Values", args={"field": STACK})])
