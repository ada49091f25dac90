"""Values to row ids in every position, and back; one look-up in bulk; errors in Pilosa's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from capture.packets.fields import Field
from indexing.calls import (
    Call,
    Condition,
    CountResult,
    GroupCount,
    GroupCountsResult,
    Pair,
    PairsResult,
    QueryError,
    RowRef,
    RowsResult,
)
from proxy.pql.parse import parse
from proxy.pql.translate import AFTER_ALL, translate, untranslate

FIELDS = {
    field.name: field
    for field in (
        Field("host", "text", "", ""),
        Field("netsrc", "text", "", ""),
        Field("transsrc", "number", "", "", maximum=65535),
        Field("arp-op", "number", "", "", labels={1: "request"}),
        Field("tcp", "choice", "", "", choices=("FIN", "SYN")),
        Field("time-hour", "time", "", "", seconds=3600),
        Field("length", "int", "", "", maximum=100),
    )
}


class Table:
    """A translation table in memory; it counts how often it is asked, and cannot allocate."""

    def __init__(self) -> None:
        self.known = {"host": {b"a.com": 1, b"b.com": 2, b"\xff": 3, b"443": 4, b"true": 5}, "netsrc": {b"10.0.0.1": 7}}
        self.asked: list[str] = []

    def field(self, name: str) -> Field | None:
        return FIELDS.get(name)

    def rows(self, values: Mapping[str, Iterable[bytes]]) -> dict[str, dict[bytes, int]]:
        self.asked.append("rows")
        return {name: {v: self.known[name][v] for v in some if v in self.known[name]} for name, some in values.items()}

    def values(self, rows: Mapping[str, Iterable[int]]) -> dict[str, dict[int, bytes]]:
        self.asked.append("values")
        back = {name: {row: value for value, row in some.items()} for name, some in self.known.items()}
        return {name: {row: back[name][row] for row in some if row in back[name]} for name, some in rows.items()}


def translated(text: str) -> Call:
    (call,) = translate(parse(text), Table())
    return call


@pytest.mark.parametrize(
    ("value", "field", "row"),
    [
        ('"a.com"', "host", 1),
        ("a", "host", None),
        ("443", "host", 4),
        ("true", "host", 5),
        (r'"\xff"', "host", 3),
        (r"'\xff'", "host", 3),
        ('"10.0.0.1"', "netsrc", 7),
        ('"b.com"', "netsrc", None),
        ("443", "transsrc", 443),
        ('"443"', "transsrc", 443),
        ("x", "transsrc", None),
        ("65536", "transsrc", None),
        ("-1", "transsrc", None),
        ("request", "arp-op", 1),
        ("SYN", "tcp", 1),
        ("FOO", "tcp", None),
        ('"1970-01-01T02:00:00Z"', "time-hour", 2),
        ("1970-01-01T02:30", "time-hour", 2),
        ("5", "length", None),  # as in Pilosa: an int field has no rows
    ],
)
def test_a_row_of_a_value(value: str, field: str, row: int | None) -> None:
    assert translated(f"Row({field}={value})").args == {"row": RowRef(field, row)}


def test_every_position_with_one_look_up() -> None:
    table = Table()
    text = (
        'Count(Union(Row(host="a.com"), Not(Row(netsrc="10.0.0.1")))) TopN(host, Row(host="b.com"), n=2) '
        'TopN(host, ids=["b.com", "unknown", "a.com"]) Rows(host, previous="a.com") '
        'Options(Sum(Row(host="a.com"), field=length)) '
        'GroupBy(Rows(host, previous="b.com"), Rows(tcp, previous=FIN), filter=Row(netsrc="10.0.0.1"), previous=["a", "b"])'
    )
    count, top, ids, rows, options, groups = translate(parse(text), table)
    assert table.asked == ["rows"]
    union = count.children[0]
    assert union.children[0].args["row"].row == 1
    assert union.children[1].children[0].args["row"].row == 7
    assert top.children[0].args["row"].row == 2
    assert ids.args["ids"] == [2, 1]
    assert rows.args["previous"] == 1
    assert options.children[0].children[0].args["row"].row == 1
    assert [child.args["previous"] for child in groups.children] == [2, 0]
    assert groups.args["filter"].args["row"].row == 7
    assert "previous" not in groups.args  # Pilosa ignores it


def test_no_row_is_known_of_ids_then_no_row_is_meant() -> None:
    call = translated('TopN(host, ids=["x", "y"])')
    assert "ids" not in call.args
    assert [child.name for child in call.children] == ["Union"]


def test_nothing_comes_after_an_unknown_value() -> None:
    assert translated("Rows(host, previous=zzz)").args["previous"] == AFTER_ALL
    groups = translated("GroupBy(Rows(tcp), Rows(host, previous=zzz))")
    assert groups.args["filter"].name == "Union" and not groups.args["filter"].children
    assert translated('GroupBy(Rows(tcp), Rows(host, previous="b.com"))').args.get("filter") is None


def test_conditions_and_the_calls_given_stay_as_they_are() -> None:
    calls = parse('Intersect(Row(length > 5), Row(host="a.com"))')
    (out,) = translate(calls, Table())
    assert out.children[0].args == {"condition": ("length", Condition(">", 5))}
    assert calls[0].children[1].args["row"].row == "a.com"


def test_twenty_thousand_levels() -> None:
    call = translated("Union(" * 20_000 + 'Row(host="a.com")' + ")" * 20_000)
    while call.children:
        call = call.children[0]
    assert call.args["row"].row == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Row(zz=1)", "map reduce: field not found"),
        ("Union(Row(zz=1))", "map reduce: field not found"),
        ("Count(Row(zz=1))", "field not found"),
        ("Row(access=0)", "map reduce: field not found"),
        ("TopN(zz)", 'field "zz" not found'),
        ("TopN(host, Row(zz=1))", "finding top results: field not found"),
        ("Rows(zz)", "field not found"),
        ("MinRow(field=zz)", 'field "zz" not found'),
        ("Sum(Row(zz=1), field=length)", "executing bitmap call: field not found"),
        ("Min(Row(zz=1), field=length)", "field not found"),
        ("GroupBy(Rows(zz))", "getting group by iterator for shard 0: field not found"),
        ("GroupBy(Rows(host), filter=Row(zz=1))", "executing group by filter for shard 0: field not found"),
        ("Options(Row(zz=1))", "map reduce: field not found"),
        ("Options(Count(Row(zz=1)))", "field not found"),
        ("Row(zz > 1)", "map reduce: field not found"),
        ("Row(host > 1)", "map reduce: bsigroup not found"),
        ("Count(Row(host > 1))", "bsigroup not found"),
        ("Row(length > 1, length2 > 2)", "map reduce: Row(): too many arguments"),
        ("Row(host=a, netsrc=b)", "map reduce: Row(): too many arguments"),
        ("Row(length > 1, from=2018-01-01T00:00)", "map reduce: Row(): too many arguments"),
        (
            "Row(host=null)",
            "map reduce: Row() error with arg for row: could not convert <nil> of type <nil> to uint64 in Call.UintArg",
        ),
        (
            'Row(host="")',
            "map reduce: Row() error with arg for row: could not convert  of type string to uint64 in Call.UintArg",
        ),
        ("Row(host=1.5)", "row value must be a string when field 'keys' option enabled"),
        ("Row(host=[1])", "row value must be a string when field 'keys' option enabled"),
        ("Row(host=Row(a=1))", "row value must be a string when field 'keys' option enabled"),
        ('Row(length="a")', "string 'row' value not allowed unless field 'keys' option enabled"),
        ('Rows(host, column="a")', "string 'col' value not allowed unless index 'keys' option enabled"),
    ],
)
def test_errors_are_pilosas(text: str, message: str) -> None:
    with pytest.raises(QueryError) as caught:
        translated(text)
    assert str(caught.value) == message
    assert caught.value.position is not None


def test_results_get_the_text_of_their_values_with_one_look_up() -> None:
    table = Table()
    pairs = PairsResult([Pair(1, 9), Pair(3, 8), Pair(99, 7)], "host")
    ports = PairsResult([Pair(443, 9)], "transsrc")
    rows = RowsResult([0, 1], "tcp")
    hours = RowsResult([2], "time-hour")
    none = RowsResult([], "host")
    groups = GroupCountsResult([GroupCount([("host", 2, None), ("tcp", 1, None)], 4)])
    no_row = PairsResult([Pair(0, 0)], "tcp")
    untranslate([pairs, CountResult(5), ports, rows, hours, none, groups, no_row], table)
    assert table.asked == ["values"]
    assert [pair.key for pair in pairs.pairs] == ["a.com", r"\xff", "<row 99>"]
    assert ports.pairs[0].key == "443"
    assert rows.keys == ["FIN", "SYN"]
    assert hours.keys == ["1970-01-01T02:00:00Z"]
    assert none.keys == []
    assert groups.groups[0].group == [("host", 2, "b.com"), ("tcp", 1, "SYN")]
    assert no_row.pairs[0].key is None
