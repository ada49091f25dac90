"""PQL's grammar, case by case: each text with the call that it is, or where it cannot be read."""

from __future__ import annotations

import pytest

from indexing.calls import Call, Condition, QueryError, RowRef
from proxy.pql.parse import MAX_QUERY_BYTES, parse

T = "2018-01-05T12:30"
YEAR_ONE = "0001-01-01T00:00"


def one(text: str) -> Call:
    calls = parse(text)
    assert len(calls) == 1
    return calls[0]


def value(text: str) -> object:
    """What a value is read as, in Row(f=<text>)."""
    return one(f"Row(f={text})").args["row"].row


@pytest.mark.parametrize("text", ["", " ", "\t\n "])
def test_an_empty_query_has_no_calls(text: str) -> None:
    assert parse(text) == []


def test_calls_follow_one_another_with_and_without_space() -> None:
    assert [(c.name, c.position) for c in parse("Row(a=1)Count(Row(b=2))\n\tRows(c) ")] == [
        ("Row", 0),
        ("Count", 8),
        ("Rows", 25),
    ]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("1", 1),
        ("-5", -5),
        ("007", 7),
        ("1.5", 1.5),
        (".5", 0.5),
        ("-.5", -0.5),
        ("2.", 2.0),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("true", True),
        ("false ", False),
        ("null", None),
        ("true,", True),
        ("truex", "truex"),
        ("foo", "foo"),
        ("x-y_z:1", "x-y_z:1"),
        ("-x", "-x"),
        (":", ":"),
        ("a1", "a1"),
        (T, T),
        (f"'{T}'", T),
        (f'"{T}"', T),
        ('"a b"', "a b"),
        ("'a b'", "a b"),
        ('""', ""),
        ("''", ""),
        (r'"\n\t\"\\\u00e9\U0001f600\101"', '\n\t"\\é\U0001f600A'),
        (r'"\xc3\xa9"', "é"),
        (r'"\xff"', r"\xff"),  # a byte that is not UTF-8: the text form of values
        (r'"\q"', ""),  # Pilosa: the empty string, no error
        (r'"\400"', ""),
        (r'"\ud800"', ""),
        (r'"\'"', ""),
        ('"a\nb"', ""),
        (r"'it\'s'", r"it\'s"),
        (r"'\n'", r"\n"),
        ('"é€😀"', "é€😀"),  # Pilosa's parser breaks on these
        ("'é'", "é"),
        ("[1,2]", [1, 2]),
        ('[ "a" , b , -1.5 ]', ["a", "b", -1.5]),
        ("[true,true]", [True, "true"]),  # a keyword only before "," and ")"
    ],
)
def test_values(text: str, read: object) -> None:
    got = value(text)
    assert got == read
    assert type(got) is type(read)


@pytest.mark.parametrize(
    ("text", "field", "op", "against"),
    [
        ("n > 3", "n", ">", 3),
        ("n>=-3", "n", ">=", -3),
        ("n < 3", "n", "<", 3),
        ("n<=3", "n", "<=", 3),
        ("n == 3", "n", "==", 3),
        ("n != null", "n", "!=", None),
        ("n >< [1,5]", "n", "><", [1, 5]),
        ("1 < n < 5", "n", "><", [2, 4]),
        ("-1<=n<=5", "n", "><", [-1, 5]),
        ("0 <= a-b < 9", "a-b", "><", [0, 8]),
        ("9223372036854775807 < f <= 9223372036854775807", "f", "><", [2**63 - 1, -(2**63)]),  # nothing, and can be written
        ("118446744073709551616 < f <= 20", "f", "><", [2**63 - 1, -(2**63)]),
        ("0 <= f < -9223372036854775808", "f", "><", [2**63 - 1, -(2**63)]),
        ('n > "a"', "n", ">", "a"),
        ("1 < n < 99999999999999999999999", "n", "><", [2, 2**63 - 2]),
    ],
)
def test_conditions(text: str, field: str, op: str, against: object) -> None:
    assert one(f"Row({text})").args == {"condition": (field, Condition(op, against))}


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("Row(f=1)", Call("Row", args={"row": RowRef("f", 1)})),
        ("Row( f = 1 )", Call("Row", args={"row": RowRef("f", 1)})),
        ("Row(f=1,)", Call("Row", args={"row": RowRef("f", 1)})),
        ("Row(,)", Call("Row")),
        ("Row()", Call("Row")),
        ("Row(from=1, f=2, to=3)", Call("Row", args={"from": 1, "to": 3, "row": RowRef("f", 2)})),
        ("Row(f=1, g=2)", Call("Row", args={"row": RowRef("f", 1), "extra": {"g": 2}})),
        (f"Range(f=1, {T}, {T})", Call("Row", args={"row": RowRef("f", 1), "from": T, "to": T})),
        (f"Range(f=1, from={T}, to={T})", Call("Row", args={"row": RowRef("f", 1), "from": T, "to": T})),
        (f"Range(f=1, from='{T}', \"{T}\")", Call("Row", args={"row": RowRef("f", 1), "from": T, "to": T})),
        ("Range(f=1)", Call("Row", args={"row": RowRef("f", 1), "from": YEAR_ONE})),
        ("Range(n > 3)", Call("Row", args={"condition": ("n", Condition(">", 3))})),
        ("TopN(f)", Call("TopN", args={"field": "f"})),
        ("TopN(f, n=2)", Call("TopN", args={"field": "f", "n": 2})),
        ("TopN(f, )", Call("TopN", args={"field": "f"})),
        ("TopN(_field=f)", Call("TopN", args={"field": "f"})),
        ("TopN(field=f)", Call("TopN", args={"field": None})),
        ("TopN()", Call("TopN", args={"field": None})),
        ("TopN(f, ids=[1,2])", Call("TopN", args={"field": "f", "ids": [1, 2]})),
        ("Rows(f, previous=x, limit=3)", Call("Rows", args={"field": "f", "previous": "x", "limit": 3})),
        ("Rows(field=f)", Call("Rows", args={"field": "f"})),
        ("Rows(f, foo=2)", Call("Rows", args={"field": "f", "foo": 2})),
        ("Sum(field=f)", Call("Sum", args={"field": "f"})),
        ("Min()", Call("Min", args={"field": None})),
        ("GroupBy()", Call("GroupBy", args={"filter": None})),
        ("Set(1, f=2)", Call("Set", args={"column": 1, "row": RowRef("f", 2)})),
        (f"Set(1, f=2, {T})", Call("Set", args={"column": 1, "row": RowRef("f", 2), "timestamp": T})),
        ('Set("a", f="b")', Call("Set", args={"column": "a", "row": RowRef("f", "b")})),
        (r'Set("\u00fc", f=1)', Call("Set", args={"column": r"\u00fc", "row": RowRef("f", 1)})),  # positional: raw
        ("Clear(1, f=2)", Call("Clear", args={"column": 1, "row": RowRef("f", 2)})),
        ("ClearRow(f=2)", Call("ClearRow", args={"row": RowRef("f", 2)})),
        ("ClearRow(f=2 )", Call("ClearRow", args={"row": RowRef("f", 2)})),
        ('SetRowAttrs(f, 1, a="x", b=null)', Call("SetRowAttrs", args={"row": RowRef("f", 1), "attrs": {"a": "x", "b": None}})),
        ("SetColumnAttrs(11, z=1.5)", Call("SetColumnAttrs", args={"column": 11, "attrs": {"z": 1.5}})),
        ("Bogus(a=1, b=[1])", Call("Bogus", args={"a": 1, "b": [1]})),
    ],
)
def test_calls(text: str, call: Call) -> None:
    assert one(text) == call


def test_children_and_calls_as_values() -> None:
    call = one("GroupBy(Rows(a), Rows(b, limit=2), filter=Row(c=d), limit=3)")
    assert [c.args for c in call.children] == [{"field": "a"}, {"field": "b", "limit": 2}]
    assert call.args == {"limit": 3, "filter": Call("Row", args={"row": RowRef("c", "d")}, position=42)}
    store = one("Store(Row(a=1), b=2)")
    assert store.args == {"row": RowRef("b", 2)}
    assert [c.name for c in store.children] == ["Row"]
    assert one("TopN(f, Row(a=1), n=1)").children == [Call("Row", args={"row": RowRef("a", 1)}, position=8)]
    assert [c.name for c in one("Options(Count(Row(a=1)), shards=[0,5])").children] == ["Count"]


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("Row(s1=1", 8),
        ("Row(s1:1)", 6),
        ("Row(s1=1))", 9),
        ("Row (a=1)", 0),
        ("Row(a=1)\r", 8),
        ("Row(a=1);", 8),
        ("# Row", 0),
        ("Row(a=1_000)", 7),
        ("Row(a=+1)", 6),
        ("Row(a=2018-01-01)", 10),
        (f"Row(a={T}:00)", 22),
        ("Row(_exists=0)", 4),
        ("Row(a=)", 6),
        ("Row(a=1,,)", 8),
        ("Row(n >< [])", 10),
        ("Row(a=[1,])", 9),
        ('Row(a="x)', 6),
        ('Row(a="x\\")', 6),
        ("Row(a=1, Row(b=2))", 9),
        ("Row(f, a=1)", 4),
        ("Row(5)", 4),
        ("TopN(f, n=1,)", 8),
        ("TopN(s1 )", 8),
        ("Set(1, s=1,)", 7),
        ("Set(1)", 4),
        (f"Row(a=1, {T})", 9),
        ("Sum(f)", 4),
        ("Row(0 < _field < 5)", 8),
        ("é", 0),
        ("Row(a=1) é", 9),
        ('{"query": "Row(a=1)"}', 0),
    ],
)
def test_what_cannot_be_read(text: str, position: int) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert str(caught.value).startswith("parsing: parsing: \nparse error near ")
    assert caught.value.position == position
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("text", "message", "position"),
    [
        ("Row(s=1, s=2)", "parsing: duplicate argument provided: s", 9),
        (
            "Row(s=99999999999999999999)",
            "parsing: integer is not in signed 64-bit range: "
            'strconv.ParseInt: parsing "99999999999999999999": value out of range',
            6,
        ),
        (
            "Row(a=1)\nSet(9223372036854775808, s=2)",
            'parsing: integer is not in signed 64-bit range: strconv.ParseInt: parsing "9223372036854775808": value out of range',
            13,
        ),
        (
            f"SetRowAttrs(f, 1, x=-1{'9' * 320}.5)",
            f'parsing: integer is not in signed 64-bit range: strconv.ParseFloat: parsing "-1{"9" * 320}.5": value out of range',
            20,
        ),
        (
            'Row(n >< ["a",1])',
            "parsing: unexpected parser error of type *runtime.TypeAssertionError: "
            "interface conversion: interface {} is *pql.Condition, not []interface {}",
            4,
        ),
        ("Row(s1=1", 'parsing: parsing: \nparse error near PegText (line 1 symbol 8 - line 1 symbol 9):\n"1"\n', 8),
        ("Row(s1:1)", 'parsing: parsing: \nparse error near IDENT (line 1 symbol 5 - line 1 symbol 7):\n"s1"\n', 6),
        ("Row(a=1)\nRow(", 'parsing: parsing: \nparse error near open (line 2 symbol 4 - line 2 symbol 5):\n"("\n', 13),
        (
            "Row(a=1)GroupBy(Rows(a), filter=3)",
            "translating GroupBy: getting filter call: could not convert 3 of type int64 to Call in Call.CallArg",
            8,
        ),
    ],
)
def test_errors_in_pilosas_words(text: str, message: str, position: int) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert str(caught.value) == message
    assert caught.value.position == position


@pytest.mark.parametrize("wrong", ["Row(s=1, s=2)", "Row(s=99999999999999999999)", 'Row(n >< ["a"])'])
def test_a_syntax_error_behind_another_error_comes_first(wrong: str) -> None:
    with pytest.raises(QueryError, match="parse error near") as caught:
        parse(f"{wrong} Row(")
    assert caught.value.position == len(wrong) + 5
    with pytest.raises(QueryError) as caught:
        parse(f"Bitmap(frame=3) {wrong}")  # a parser's error before one of a call
    assert str(caught.value).startswith("parsing: ")


def test_twenty_thousand_levels() -> None:
    levels = 20_000
    call = one("Union(" * levels + "Row(a=1)" + ")" * levels)
    depth = 0
    while call.children:
        call, depth = call.children[0], depth + 1
    assert depth == levels
    assert call.args == {"row": RowRef("a", 1)}


def test_a_query_of_one_megabyte() -> None:
    rows = 60_000
    text = "Union(" + ",".join(f"Row(netsrc={n})" for n in range(rows)) + ")"
    assert len(text) > 1_000_000
    assert len(one(text).children) == rows
    assert value('"' + "x" * 1_000_000 + '"') == "x" * 1_000_000
    with pytest.raises(QueryError, match="integer is not in signed 64-bit range"):
        parse("Row(a=" + "9" * 1_000_000 + ")")
    assert value("0" * 1_000_000 + "7") == 7
    with pytest.raises(QueryError, match="parse error near"):
        parse("(" * 1_000_000)


def test_a_query_beyond_the_limit_is_refused_with_both_sizes() -> None:
    with pytest.raises(QueryError, match=rf"query too large: \d+ bytes, the limit is {MAX_QUERY_BYTES}") as caught:
        parse("Row(a='" + "é" * (MAX_QUERY_BYTES // 2) + "')")
    assert caught.value.status == 413
