"""A click on a value asks for that value exactly, whatever bytes it holds."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexing.calls import Call, RowRef
from proxy.caret import caret
from proxy.links import LONGEST_LINKED, Where
from proxy.pql.parse import parse


def asked(url: str) -> Call:
    (query,) = parse_qs(urlsplit(url).query)["q"]
    (call,) = parse(query)
    return call


def rows(call: Call) -> list[RowRef]:
    return [child.args["row"] for child in call.children]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_a_value_survives_the_way_through_a_link(value):
    assert asked(Where().narrow("http-hostname", value)).args["row"] == RowRef("http-hostname", value)


def test_narrowing_adds_to_an_intersection():
    where = Where.of("net", [], 'Intersect(Row(tcp="SYN"), Row(transdst=443))')
    assert rows(asked(where.narrow("netsrc", "10.0.0.1")))[-1] == RowRef("netsrc", "10.0.0.1")
    assert len(rows(asked(where.narrow("netsrc", "10.0.0.1")))) == 3


@pytest.mark.parametrize("value", ["443", "SYN"])
def test_narrowing_by_what_is_asked_already_changes_nothing(value):
    where = Where.of("net", [], 'Intersect(Row(tcp="SYN"), Row(transdst=443))')
    assert len(rows(asked(where.narrow("transdst" if value == "443" else "tcp", value)))) == 2


def test_excluding_from_everything_and_from_a_query():
    assert asked(Where().exclude("tcp", "RST")).name == "Not"
    call = asked(Where.of("net", [], 'Row(tcp="ACK")').exclude("tcp", "RST"))
    assert (call.name, rows(call)) == ("Difference", [RowRef("tcp", "ACK"), RowRef("tcp", "RST")])


def test_jobs_and_index_stay_in_the_link():
    query = parse_qs(urlsplit(Where("lab", (3, 7)).narrow("tcp", "SYN")).query)
    assert (query["index"], query["job"]) == (["lab"], ["3", "7"])


def test_values_of_a_very_long_query_are_no_links():
    where = Where.of("net", [], "Union(" + ",".join(f"Row(transsrc={n})" for n in range(LONGEST_LINKED // 10)) + ")")
    assert where.narrow("tcp", "SYN") == where.exclude("tcp", "SYN") == ""


def test_the_caret_stands_under_the_place():
    found = caret('Count(\n  Row(tcp=="SYN"))', 16)
    assert found is not None
    assert (found.line, found.column) == (2, 10)
    assert found.text[found.caret.index("^")] == 'Count(\n  Row(tcp=="SYN"))'[16]


def test_the_caret_of_a_long_line_has_its_neighbourhood():
    query = "Row(x)" * 10_000
    found = caret(query, 30_000)
    assert found is not None
    assert len(found.text) < 200
    assert found.text[found.caret.index("^") :].startswith("Row(x)")


def test_a_position_behind_the_end_is_the_end():
    found = caret("Row(", 99)
    assert found is not None
    assert found.caret == "    ^"
