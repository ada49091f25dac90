"""Values(...): what its arguments say, both ways, and the words of what cannot be read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings

from indexing import predicates as p
from indexing.calls import Call, QueryError, RowSet
from proxy.pql.parse import parse
from proxy.pql.predicates import predicate_of
from proxy.pql.unparse import unparse
from tests.indexing.test_predicates import a_predicate


@settings(max_examples=300, deadline=None, database=None)
@given(predicate=a_predicate)
def test_a_predicate_written_as_pql_is_read_again(predicate: p.Predicate) -> None:
    assume("OneOf(values=frozenset())" not in repr(predicate))  # written as what it means: nothing at all
    text = unparse(Call("Count", [Call("Values", args={"field": "netsrc", "where": predicate})]))
    (call,) = parse(text)
    assert call.children[0].args["field"] == "netsrc"
    assert predicate_of(call.children[0]) == predicate
    assert unparse(call) == text


@pytest.mark.parametrize(
    ("text", "predicate"),
    [
        ("Values(netsrc)", p.Everything()),
        ("Values(field=netsrc)", p.Everything()),
        ('Values(netsrc, cidr="10.0.0.0/8")', p.InNetwork("10.0.0.0/8")),
        ('Values(f, matches="(?i)cdn")', p.Matches("(?i)cdn")),
        ("Values(f, matches='^a\\d', ignorecase=true)", p.Matches(r"^a\d", True)),
        ('Values(f, contains="a\\\\xffb")', p.Contains(b"a\xffb")),
        ("Values(f, contains=443)", p.Contains(b"443")),
        ('Values(f, like="*.example.*")', p.Glob(b"*.example.*")),
        ('Values(f, prefix="a", suffix="b")', p.And((p.StartsWith(b"a"), p.EndsWith(b"b")))),
        ('Values(f, in=["a", 5, true])', p.OneOf(frozenset([b"a", b"5", b"true"]))),
        ("Values(f, in=a)", p.OneOf(frozenset([b"a"]))),
        ('Values(f, from="10.0.0.1", to="10.0.0.9", order=address)', p.Between(b"10.0.0.1", b"10.0.0.9", "address")),
        ("Values(f, from=1024, order=number)", p.Compare(">=", b"1024", "number")),
        ("Values(f, to=m)", p.Compare("<=", b"m")),
        ("Values(f, value=m)", p.Compare("==", b"m")),
        ('Values(f, length=5, op=">")', p.Length(">", 5)),
        ('Values(f, slice="0:3", value="abc")', p.SliceCompare(0, 3, "==", b"abc")),
        ('Values(f, slice="-2:", contains=a)', p.SliceContains(-2, None, b"a")),
        (
            'Values(f, hex=Values(slice="0:3", value="\\\\x00\\\\x0c)"))',
            p.Octets("hex", p.SliceCompare(0, 3, "==", b"\0\x0c)")),
        ),
        (
            "Values(f, where=Union(Values(contains=a), Not(Values(lower=Values(suffix=b)))))",
            p.Or((p.Contains(b"a"), p.Not(p.Lower(p.EndsWith(b"b"))))),
        ),
    ],
)
def test_what_arguments_say(text: str, predicate: p.Predicate) -> None:
    (call,) = parse(text)
    assert predicate_of(call) == predicate


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Values(f, cdir=x)", "Values(): unknown argument: cdir"),
        ("Values(f, contains=null)", "Values(): a value is a text or a number"),
        ("Values(f, contains=[a])", "Values(): a value is a text or a number"),
        ('Values(f, op="~", value=a)', "Values(): op is one of ==, !=, <, <=, >, >=, not '~'"),
        ('Values(f, op="<")', "Values(): op needs value, length or slice"),
        ('Values(f, slice="1:2")', "Values(): slice needs value or contains"),
        ('Values(f, slice="a:2", value=x)', "Values(): a slice is written START:STOP, not 'a:2'"),
        ("Values(f, from=1, order=size)", "Values(): order is one of bytes, number, address, not 'size'"),
        ("Values(f, length=x)", "Values(): length is a number of bytes"),
        ("Values(f, where=Row(a=1))", "Values(): a predicate is written Values(...), Not(...), Union(...) or Intersect(...)"),
        ("Values(f, where=Not())", "Values(): Not takes one predicate"),
    ],
)
def test_what_cannot_be_read(text: str, message: str) -> None:
    (call,) = parse(text)
    with pytest.raises(QueryError) as raised:
        predicate_of(call)
    assert str(raised.value) == message


def test_none_of_no_values_is_written_as_nothing_at_all() -> None:
    assert unparse(Call("Values", args={"field": "f", "where": p.OneOf(frozenset())})) == "Values(f, where=Union())"


def test_sets_of_rows_are_alike_if_their_rows_are() -> None:

    one, same, other = (RowSet("f", np.array(rows, np.uint64)) for rows in ([1, 2], [1, 2], [1, 3]))
    assert one.key == same.key != other.key
