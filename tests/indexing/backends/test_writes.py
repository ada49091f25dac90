"""Set, Clear, ClearRow and Store on the embedded backend: what a real Pilosa 1.4.1, asked the same in text, answers and holds."""

from __future__ import annotations

import json
import urllib.error
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexing.backends.base import SHARD_WIDTH
from indexing.backends.embedded import EmbeddedBackend
from indexing.calls import BoolResult, Call, CountResult, QueryError, RowRef, RowResult, RowsResult, ValCountResult
from indexing.roaring import MAX_ROW
from tests.indexing.backends.conftest import FIELDS, bits, compare, of, row
from tests.indexing.masking import live
from tests.pilosa import PilosaServer

INDEX = "net"
_numbers = count(1)


def set_(column: int, field: str, row_: object) -> Call:
    return Call("Set", args={"column": column, "row": RowRef(field, row_)})  # type: ignore[arg-type]


def clear(column: int, field: str, row_: object) -> Call:
    return Call("Clear", args={"column": column, "row": RowRef(field, row_)})  # type: ignore[arg-type]


def clear_row(field: str, row_: object) -> Call:
    return Call("ClearRow", args={"row": RowRef(field, row_)})  # type: ignore[arg-type]


def store(source: Call, field: str, row_: object) -> Call:
    return Call("Store", [source], {"row": RowRef(field, row_)})  # type: ignore[arg-type]


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[EmbeddedBackend]:
    backend = EmbeddedBackend(tmp_path / "index")
    backend.ensure_index(INDEX, FIELDS)
    yield backend
    backend.close()


@pytest.fixture
def index_of_pilosa(pilosa_server: PilosaServer) -> str:
    index = f"writes-{next(_numbers)}"
    pilosa_server.post(f"/index/{index}", "{}")
    for field in FIELDS:
        options: dict[str, Any] = {"type": "set"}
        if field.kind == "int":
            options = {"type": "int", "min": field.minimum, "max": field.maximum}
        pilosa_server.post(f"/index/{index}/field/{field.name}", json.dumps({"options": options}))
    return index


def shown(result: Any) -> Any:
    """A result as Pilosa's JSON has it."""
    if isinstance(result, BoolResult):
        return result.changed
    if isinstance(result, CountResult):
        return result.count
    if isinstance(result, RowsResult):
        return {"rows": result.ids}
    if isinstance(result, ValCountResult):
        return {"value": result.value, "count": result.count}
    assert isinstance(result, RowResult)
    return {"attrs": {}, "columns": result.columns.tolist()}


B = SHARD_WIDTH
EXISTING = of("Not", of("Union"))
# Each list is one request
TALK: list[list[tuple[str, Call]]] = [
    [("Set(10, proto=1)", set_(10, "proto", 1)), ("Set(10, proto=1)", set_(10, "proto", 1)), ("Row(proto=1)", row("proto", 1))],
    [("Clear(10, proto=2)", clear(10, "proto", 2)), ("Clear(11, proto=1)", clear(11, "proto", 1))],
    [("Clear(10, proto=1)", clear(10, "proto", 1)), ("Clear(10, proto=1)", clear(10, "proto", 1))],
    [("Not(Union())", EXISTING), ("Rows(proto)", of("Rows", field="proto"))],
    [(f"Set({c}, proto=3)", set_(c, "proto", 3)) for c in (65535, 65536, B - 1, B, 3 * B)],
    [("Row(proto=3)", row("proto", 3)), ("Count(Row(proto=3))", of("Count", row("proto", 3))), ("Not(Union())", EXISTING)],
    [("Store(Row(proto=3), proto=4)", store(row("proto", 3), "proto", 4)), ("Row(proto=4)", row("proto", 4))],
    [
        ("Set(65536, host=1)", set_(65536, "host", 1)),
        (
            "Store(Difference(Row(proto=3), Row(host=1)), proto=3)",
            store(of("Difference", row("proto", 3), row("host", 1)), "proto", 3),
        ),
        ("Row(proto=3)", row("proto", 3)),
        ("Store(Row(proto=99), proto=98)", store(row("proto", 99), "proto", 98)),
        ("Store(Row(proto=3), proto=3)", store(row("proto", 3), "proto", 3)),
        ("Store(Row(length > 3), host=2)", store(compare("length", ">", 3), "host", 2)),
    ],
    [
        ("ClearRow(proto=4)", clear_row("proto", 4)),
        ("Row(proto=4)", row("proto", 4)),
        ("ClearRow(proto=4)", clear_row("proto", 4)),
    ],
    [("Rows(proto)", of("Rows", field="proto")), ("Not(Union())", EXISTING)],
    [("Set(20, length=70000)", set_(20, "length", 70000)), ("Set(20, length=70000)", set_(20, "length", 70000))],
    [("Set(20, length=7)", set_(20, "length", 7)), ("Row(length == 7)", compare("length", "==", 7))],
    [("Set(21, delta=-1000)", set_(21, "delta", -1000)), ("Set(22, delta=0)", set_(22, "delta", 0))],
    [("Sum(field=delta)", of("Sum", field="delta")), ("Row(delta != null)", compare("delta", "!=", None))],
    [("Clear(20, length=7)", clear(20, "length", 7)), ("Row(length != null)", compare("length", "!=", None))],
    [("Options(Set(30, proto=9))", of("Options", set_(30, "proto", 9))), ("Row(proto=9)", row("proto", 9))],
    [(f"Set({B + 30}, proto=9)", set_(B + 30, "proto", 9))],
    [
        ("Options(ClearRow(proto=9), shards=[1])", of("Options", clear_row("proto", 9), shards=[1])),
        ("Row(proto=9)", row("proto", 9)),
        ("Options(ClearRow(proto=9), shards=[7])", of("Options", clear_row("proto", 9), shards=[7])),
        ("Options(Store(Row(proto=3), proto=9), shards=[3])", of("Options", store(row("proto", 3), "proto", 9), shards=[3])),
        ("Row(proto=9)", row("proto", 9)),
    ],
    [(f"Set(5, host={MAX_ROW})", set_(5, "host", MAX_ROW)), (f"Row(host={MAX_ROW})", row("host", MAX_ROW))],
    # What Shift moves to a column that was never set is in the row, and does not exist
    [("Store(Shift(Row(proto=3), n=1), host=6)", store(of("Shift", row("proto", 3), n=1), "host", 6))],
    [("Count(Row(host=6))", of("Count", row("host", 6))), ("Not(Union())", EXISTING)],
]


def test_a_talk_with_pilosa(embedded: EmbeddedBackend, pilosa_server: PilosaServer, index_of_pilosa: str) -> None:
    for request in TALK:
        text = "".join(pql for pql, _ in request)
        want = json.loads(pilosa_server.post(f"/index/{index_of_pilosa}/query", text))["results"]
        assert [shown(result) for result in embedded.query(INDEX, [call for _, call in request])] == want, text


def wrong(name: str, **args: Any) -> Call:
    return Call(name, args=args)


BAD = [
    ("Set(proto=1)", wrong("Set", row=RowRef("proto", 1))),
    ("Set(1, nosuch=1)", set_(1, "nosuch", 1)),
    ("Set(1, proto=-1)", set_(1, "proto", -1)),
    ("Set(1, proto=1.5)", set_(1, "proto", 1.5)),
    ("Set(1, proto=true)", set_(1, "proto", True)),
    ("Set(1, proto=null)", set_(1, "proto", None)),
    ('Set(1, proto="a")', set_(1, "proto", "a")),
    ("Set(1, proto > 1)", Call("Set", args={"column": 1, **compare("proto", ">", 1).args})),
    ('Set("a", proto=1)', wrong("Set", column="a", row=RowRef("proto", 1))),
    ("Set(1, length=70001)", set_(1, "length", 70001)),
    ("Set(1, length=-1)", set_(1, "length", -1)),
    ("Set(1, length=1.5)", set_(1, "length", 1.5)),
    ("Set(1, length=null)", set_(1, "length", None)),
    ('Set(1, length="a")', set_(1, "length", "a")),
    ("Clear(proto=1)", wrong("Clear", row=RowRef("proto", 1))),
    ("Clear(1, nosuch=1)", clear(1, "nosuch", 1)),
    ("Clear(1, proto=-1)", clear(1, "proto", -1)),
    ("Clear(1, proto=1.5)", clear(1, "proto", 1.5)),
    ("Clear(1, delta=-5)", clear(1, "delta", -5)),
    ("ClearRow()", wrong("ClearRow")),
    ("ClearRow(nosuch=1)", clear_row("nosuch", 1)),
    ("ClearRow(proto=-1)", clear_row("proto", -1)),
    ("ClearRow(proto=1.5)", clear_row("proto", 1.5)),
    ("ClearRow(length=1)", clear_row("length", 1)),
    ("ClearRow(proto > 1)", Call("ClearRow", args=compare("proto", ">", 1).args)),
    ("Store(Row(proto=1))", of("Store", row("proto", 1))),
    ("Store(Row(proto=1), nosuch=1)", store(row("proto", 1), "nosuch", 1)),
    ("Store(Row(proto=1), length=1)", store(row("proto", 1), "length", 1)),
    ("Count(Set(1, proto=1))", of("Count", set_(1, "proto", 1))),
    ("Union(Set(1, proto=1))", of("Union", set_(1, "proto", 1))),
    ("Options(Set(1, proto=1), excludeColumns=1)", of("Options", set_(1, "proto", 1), excludeColumns=1)),
]


@pytest.mark.parametrize(("pql", "call"), BAD, ids=[pql for pql, _ in BAD])
def test_refused_in_pilosas_words(
    embedded: EmbeddedBackend, pilosa_server: PilosaServer, index_of_pilosa: str, pql: str, call: Call
) -> None:
    with pytest.raises(urllib.error.HTTPError) as theirs:
        pilosa_server.post(f"/index/{index_of_pilosa}/query", pql)
    with pytest.raises(QueryError) as ours:
        embedded.query(INDEX, [call])
    assert str(ours.value) == json.loads(theirs.value.read())["error"].removeprefix("executing: ")
    assert embedded.query(INDEX, [EXISTING])[0].columns.tolist() == [], "nothing came of it"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (set_(1, "access", 0), "field access is a system field"),
        (store(row("proto", 1), "access", 0), "field access is a system field"),
        (set_(1, "proto", MAX_ROW + 1), f"row id {MAX_ROW + 1} is greater than {MAX_ROW}"),
        (store(row("proto", 1), "proto", MAX_ROW + 1), f"row id {MAX_ROW + 1} is greater than {MAX_ROW}"),
        (of("Set", column=1, row=RowRef("proto", 1), extra={"length": 2}), "Set.. takes one field, but got proto, length"),
        (of("Set", column=1 << 63, row=RowRef("proto", 1)), "column 9223372036854775808 is not one of"),
        (of("Store", row=RowRef("proto", 1)), "requires an input row"),
        (of("Store", row("proto", 1), row("proto", 2), row=RowRef("proto", 1)), "only accepts a single row input"),
        (store(row("nosuch", 1), "proto", 1), "field not found"),
        (store(of("Count", row("proto", 1)), "proto", 1), "unknown call: Count"),
        (store(row("proto", 1), "proto", -1), "value for 'proto' must be positive, but got -1"),
        (store(row("proto", 1), "proto", None), "could not convert <nil> of type <nil>"),
    ],
)  # fmt: skip
def test_refused_where_pilosa_does_something_by_chance(embedded: EmbeddedBackend, call: Call, words: str) -> None:
    before = embedded.status()["transaction"]
    with pytest.raises(QueryError, match=words):
        embedded.query(INDEX, [call])
    assert embedded.status()["transaction"] == before


def test_an_unknown_value_has_nothing_to_clear(embedded: EmbeddedBackend) -> None:
    embedded.query(INDEX, [set_(1, "proto", 1)])
    calls = [clear(1, "proto", None), clear_row("proto", None), clear(1, "proto", MAX_ROW + 1), clear_row("proto", MAX_ROW + 1)]
    assert embedded.query(INDEX, calls) == [BoolResult(False)] * 4


def test_no_index(embedded: EmbeddedBackend) -> None:
    for calls in ([set_(1, "proto", 1)], [row("proto", 1)], []):
        with pytest.raises(QueryError, match="index not found"):
            embedded.query("nosuch", calls)


def test_what_was_written_before_an_error_stays(embedded: EmbeddedBackend) -> None:
    with pytest.raises(QueryError, match="unknown call: Bogus"):
        embedded.query(INDEX, [set_(1, "proto", 1), of("Bogus"), set_(2, "proto", 1)])
    assert embedded.query(INDEX, [of("Count", row("proto", 1))]) == [CountResult(1)]


def test_bits_of_a_batch_are_cleared_and_come_back(embedded: EmbeddedBackend) -> None:
    embedded.import_batch(INDEX, bits(1, B - 2, 4, proto=[(1, 0), (1, 1), (1, 2), (2, 2), (1, 3)], length={0: 5, 3: 9}))
    asked = [row("proto", 1), of("TopN", field="proto"), of("Sum", field="length"), live()]
    before = embedded.query(INDEX, asked)
    assert embedded.query(INDEX, [clear(B, "proto", 1), row("proto", 1)])[1].columns.tolist() == [B - 2, B - 1, B + 1]  # type: ignore[union-attr]
    assert embedded.query(INDEX, [clear_row("proto", 1), of("Rows", field="proto")])[1].ids == [2]  # type: ignore[union-attr]
    embedded.query(INDEX, [set_(B - 2, "length", 6), of("Union")])
    assert embedded.query(INDEX, [of("Sum", field="length")]) == [ValCountResult(15, 2)]
    embedded.query(INDEX, [set_(c, "proto", 1) for c in range(B - 2, B + 2)] + [set_(B - 2, "length", 5)])
    after = embedded.query(INDEX, asked)
    assert [shown(one) for one in (after[0], after[2], after[3])] == [shown(one) for one in (before[0], before[2], before[3])]
    assert after[1] == before[1]
    with embedded._opened().read() as snapshot:
        assert snapshot.overlay(INDEX, "proto", 0) is None, "nothing is noted of what is as it was"
        assert embedded.written_columns(INDEX).size == 0


def test_a_write_that_changes_nothing_is_no_commit(embedded: EmbeddedBackend) -> None:
    embedded.import_batch(INDEX, bits(1, 0, 2, proto=[(1, 0)], length={0: 5}))
    embedded.query(INDEX, [set_(9, "proto", 1)])
    before = embedded.status()["transaction"]
    calls = [set_(0, "proto", 1), set_(9, "proto", 1), set_(0, "length", 5), clear(1, "proto", 1), clear_row("proto", 7)]
    assert embedded.query(INDEX, calls) == [BoolResult(False)] * 5
    assert embedded.query(INDEX, [store(row("proto", 1), "proto", 1)]) == [BoolResult(True)]
    assert embedded.status()["transaction"] == before


def test_shards_restrict_rows_and_not_single_bits(embedded: EmbeddedBackend) -> None:
    embedded.query(INDEX, [set_(1, "proto", 1), set_(B, "proto", 1)], shards=[5])
    assert embedded.query(INDEX, [set_(1, "proto", 1), clear_row("proto", 1)], shards=[1]) == [
        BoolResult(False),
        BoolResult(True),
    ]
    assert shown(embedded.query(INDEX, [row("proto", 1)])[0])["columns"] == [1]


def test_the_last_column(embedded: EmbeddedBackend) -> None:
    last = (1 << 63) - 1
    embedded.query(INDEX, [set_(last, "proto", 1), set_(last, "length", 4)])
    assert shown(embedded.query(INDEX, [of("Intersect", row("proto", 1), compare("length", "==", 4), live())])[0])["columns"] == [
        last
    ]
    columns, rows = embedded.rows_of_columns(INDEX, "proto", np.array([last], np.uint64))
    assert (columns.tolist(), rows.tolist()) == ([last], [1])
