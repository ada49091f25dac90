"""picap's and v0.x text, call by call: what it is today, and what is not legacy."""

from __future__ import annotations

import pytest

from indexing.calls import Call, Condition, QueryError, RowRef
from proxy.pql.parse import parse


@pytest.mark.parametrize(
    ("text", "name", "args"),
    [
        ("TopN(frame=http-hostname, n=3)", "TopN", {"field": "http-hostname", "n": 3}),
        ('TopN(frame="http-hostname", n=3)', "TopN", {"field": "http-hostname", "n": 3}),
        ('TopN(frame=f, n=2, field="a", filters=[1])', "TopN", {"field": "f", "n": 2, "attrName": "a", "attrValues": [1]}),
        ('Bitmap(frame=http-hostname, rowID="pilosa.com")', "Row", {"row": RowRef("http-hostname", "pilosa.com")}),
        ('Bitmap(rowID="x", frame="f")', "Row", {"row": RowRef("f", "x")}),
        ("Bitmap(frame=transsrc, row=443)", "Row", {"row": RowRef("transsrc", 443)}),
        ("Bitmap(frame=f, label=7)", "Row", {"row": RowRef("f", 7)}),
        ("Bitmap(netsrc=x)", "Row", {"row": RowRef("netsrc", "x")}),
        ("Row(frame=f, rowID=x)", "Row", {"row": RowRef("f", "x")}),
        ("Range(frame=f, length > 5)", "Row", {"condition": ("length", Condition(">", 5))}),
        ("Range(frame=f, length >< [1,5])", "Row", {"condition": ("length", Condition("><", [1, 5]))}),
        (
            'Range(frame="f", row=1, start="2016-01-01T00:00", end="2017-01-01T00:00")',
            "Row",
            {"row": RowRef("f", 1), "from": "2016-01-01T00:00", "to": "2017-01-01T00:00"},
        ),
        ('Sum(frame="length", field="length")', "Sum", {"field": "length"}),
        ('Sum(frame="length")', "Sum", {"field": "length"}),
        ('Max(frame="f", field=g)', "Max", {"field": "g"}),
        ("Rows(frame=f)", "Rows", {"field": "f"}),
        (
            'SetBit(frame="f", row=1, col=2, timestamp="2016-01-01T00:00")',
            "Set",
            {"row": RowRef("f", 1), "column": 2, "timestamp": "2016-01-01T00:00"},
        ),
        ('ClearBit(frame="f", rowID=1, columnID=2)', "Clear", {"row": RowRef("f", 1), "column": 2}),
        ('SetFieldValue(col=2, frame="f", g=5)', "Set", {"row": RowRef("g", 5), "column": 2}),
        ('SetRowAttrs(frame="f", row=1, k="v")', "SetRowAttrs", {"row": RowRef("f", 1), "attrs": {"k": "v"}}),
    ],
)
def test_is_todays_call_with_the_old_shape(text: str, name: str, args: dict) -> None:
    assert parse(text) == [Call(name, args=args, legacy=True)]


def test_operators_are_legacy_when_one_of_their_inputs_is() -> None:
    count, union, mixed, today = parse(
        "Count(Bitmap(frame=f, rowID=1)) Union(Bitmap(frame=f, rowID=1), Row(f=2)) "
        "TopN(f, Bitmap(frame=g, row=1)) Count(Row(f=1))"
    )
    assert count.legacy
    assert union.legacy
    assert [c.legacy for c in union.children] == [True, False]
    assert not mixed.legacy  # TopN(f, ...) is today's, whatever its filter is
    assert not today.legacy


@pytest.mark.parametrize("text", ["Row(f=1)", "TopN(f)", "Range(f=1)", "Range(length > 5)", "Sum(field=f)", "Union()"])
def test_todays_calls_are_not_legacy(text: str) -> None:
    assert not parse(text)[0].legacy


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Bitmap(frame=f, col=1)", "inverse frames are not supported"),
        ("Bitmap(frame=f, columnID=1)", "inverse frames are not supported"),
        ("Bitmap(frame=f, rowID=1, inverse=true)", "inverse frames are not supported"),
        ("Bitmap(frame=3, rowID=1)", "frame must be a name"),
        ("Bitmap(frame=f, a=1, b=2)", "which argument is the row"),
        ("SetBit(frame=f, col=1)", "SetBit() argument required: row"),
    ],
)
def test_what_has_no_meaning_today_is_said(text: str, message: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert message in str(caught.value)
    assert caught.value.position == 0
