"""Calls as text: parse(unparse(call)) is the call again, whatever the values hold."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexing.calls import Call, Condition, RowRef
from proxy.pql.literals import quote, unquote
from proxy.pql.parse import parse
from proxy.pql.unparse import unparse
from proxy.pql.walk import rebuild

_quick = settings(max_examples=200, deadline=None, database=None, derandomize=True)
_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_field = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,8}", fullmatch=True).filter(lambda f: f not in ("frame", "from", "to"))
_int = st.integers(-(2**63), 2**63 - 1)
_scalar = st.one_of(_text, _int, st.booleans(), st.none())
_row = st.builds(lambda f, v: Call("Row", args={"row": RowRef(f, v)}), _field, st.one_of(_text, _int, st.booleans(), st.none()))
_bitmap = st.recursive(
    st.one_of(
        _row,
        st.builds(
            lambda f, op, v: Call("Row", args={"condition": (f, Condition(op, v))}),
            _field,
            st.sampled_from(["<", "<=", "==", "!=", ">", ">="]),
            _int,
        ),
        st.builds(
            lambda f, v: Call("Row", args={"condition": (f, Condition("><", v))}), _field, st.lists(_int, min_size=2, max_size=2)
        ),
    ),
    lambda children: st.builds(
        Call, st.sampled_from(["Union", "Intersect", "Difference", "Xor", "Not"]), st.lists(children, max_size=3)
    ),
    max_leaves=6,
)
_rows = st.builds(lambda f, p, n: Call("Rows", args={"previous": p, "limit": n, "field": f}), _field, _text, st.integers(0, 9))
_calls = st.one_of(
    _bitmap,
    _rows,
    st.builds(lambda b: Call("Count", [b]), _bitmap),
    st.builds(lambda f, b, n: Call("TopN", b, {"n": n, "field": f}), _field, st.lists(_bitmap, max_size=1), st.integers(0, 9)),
    st.builds(lambda f, ids: Call("TopN", args={"ids": ids, "field": f}), _field, st.lists(_text, min_size=1, max_size=3)),
    st.builds(
        lambda name, f, b: Call(name, b, {"field": f}),
        st.sampled_from(["Sum", "Min", "Max"]),
        _field,
        st.lists(_bitmap, max_size=1),
    ),
    st.builds(lambda rows, b: Call("GroupBy", rows, {"limit": 3, "filter": b}), st.lists(_rows, min_size=1, max_size=3), _bitmap),
    st.builds(lambda f, v, c: Call("Set", args={"row": RowRef(f, v), "column": c}), _field, _text, st.integers(0, 2**63 - 1)),
)


def _bare(call: Call) -> Call:
    """Without offsets, with arguments in one order."""
    return rebuild(call, lambda node: replace(node, position=0, args=dict(sorted(node.args.items()))))


@_quick
@given(_calls)
def test_round_trip(call: Call) -> None:
    assert [_bare(c) for c in parse(unparse(call))] == [_bare(call)]


@_quick
@given(_text)
def test_quoted_text_comes_back(text: str) -> None:
    assert unquote(quote(text)) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('Count(Bitmap(frame=http-hostname, rowID="pilosa.com"))', 'Count(Row(http-hostname="pilosa.com"))'),
        ("TopN(frame=http-hostname, n=3)", "TopN(http-hostname, n=3)"),
        ("Range(frame=f, length > 5)", "Row(length > 5)"),
        ("Row( 1 < n < 5 )", "Row(n >< [2, 4])"),
        ("Sum(Row(a='x y'), field=\"length\")", 'Sum(Row(a="x y"), field=length)'),
        ("GroupBy(Rows(a),Rows(b),filter=Row(c=true))", "GroupBy(Rows(a), Rows(b), filter=Row(c=true))"),
        ('Row(a="é\\n\\"\\\\")', 'Row(a="é\\n\\"\\\\")'),
        ("Set(1,f=2,2018-01-05T12:30)", "Set(1, f=2, 2018-01-05T12:30)"),
        ("SetRowAttrs(f, 1, a=1.5)", "SetRowAttrs(f, 1, a=1.5)"),
        ("Options(Row(a=1),shards=[0,5])", "Options(Row(a=1), shards=[0, 5])"),
        ("Row(t=1, from=2018-01-05T12:30)", 'Row(t=1, from="2018-01-05T12:30")'),
        ("Union()", "Union()"),
    ],
)
def test_todays_text(text: str, shown: str) -> None:
    (call,) = parse(text)
    assert unparse(call) == shown


def test_a_name_that_pql_cannot_write_is_refused() -> None:
    with pytest.raises(ValueError, match="not a field name"):
        unparse(Call("Row", args={"row": RowRef("a) Row(b", 1)}))


def test_a_time_without_a_row_is_refused() -> None:
    """It can be read where a reserved word stands for the row, and is wrong when it is carried out."""
    with pytest.raises(ValueError, match="without a row"):
        unparse(*parse("Set(10, _row=1, 2017-01-02T03:04)"))


def test_a_column_that_nobody_reads_is_not_written() -> None:
    assert unparse(*parse("Row(s=1, _col=7)")) == "Row(s=1)"


def test_twenty_thousand_levels() -> None:
    text = "Union(" * 20_000 + 'Row(a="x")' + ")" * 20_000
    assert unparse(parse(text)[0]) == text
