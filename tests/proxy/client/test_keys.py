"""Keys of client indexes: in every place where they can be, made by what writes, and by nothing else."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from indexing import translation
from indexing.calls import QueryError
from tests.proxy.client.conftest import Asker


def test_ids_are_given_in_the_order_in_which_keys_are_first_written(ask: Asker) -> None:
    ask('Set(1, k="zeta")Set(2, k="alpha")Set(1, l="zeta")')
    ask('Set(3, k="mu")Set(3, k="alpha")')
    assert ask("Rows(k)") == '[{"rows":null,"keys":["zeta","alpha","mu"]}]'
    found = translation.lookup(ask.index.name, {"k": [b"zeta", b"alpha", b"mu"], "l": [b"zeta"]})
    assert found == {"k": {b"zeta": 1, b"alpha": 2, b"mu": 3}, "l": {b"zeta": 1}}


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('Row(k="no")', '[{"attrs":{},"columns":[]}]'),
        ('Count(Union(Row(k="no"), Row(m="no")))', "[0]"),
        ('Clear(1, k="no")', "[false]"),
        ('ClearRow(k="no")', "[false]"),
        ('Rows(k, previous="no")', '[{"rows":null}]'),
        ('TopN(k, ids=["no"])', "[[]]"),
        ('GroupBy(Rows(k, previous="no"))', "[[]]"),
        ('GroupBy(Rows(k), Rows(m, previous="no"))', "[[]]"),
    ],
)
def test_reading_an_unknown_key_makes_none(ask: Asker, text: str, answer: str) -> None:
    ask('Set(1, k="a")Set(2, k="c")Set(1, m="a")Set(2, m="c")')
    assert ask(text) == answer
    ask('Set(2, k="b")Set(1, m="b")')
    assert translation.lookup(ask.index.name, {"k": [b"no", b"b"], "m": [b"no", b"b"]}) == {"k": {b"b": 3}, "m": {b"b": 3}}


def test_a_key_may_be_read_in_the_request_that_makes_it(ask: Asker) -> None:
    assert ask('Row(k="a")Set(7, k="a")Row(k="a")') == '[{"attrs":{},"columns":[]},true,{"attrs":{},"columns":[7]}]'


def test_rows_with_keys_in_every_result(ask: Asker) -> None:
    ask('Set(1, k="b")Set(2, k="b")Set(2, k="a")Set(1, s=4)Set(2, s=4)Set(1, m="x")')
    assert ask("TopN(k)") == '[[{"id":0,"key":"b","count":2},{"id":0,"key":"a","count":1}]]'
    assert ask('TopN(k, ids=["a", "no"])') == '[[{"id":0,"key":"a","count":1}]]'
    assert ask("Options(TopN(k, n=1), excludeColumns=true)") == '[[{"id":0,"key":"b","count":2}]]'
    assert ask("MinRow(field=k)MaxRow(field=k)") == '[{"id":1,"key":"b","count":1},{"id":2,"key":"a","count":1}]'
    assert ask('Rows(k, previous="b")Rows(k, column=1)') == '[{"rows":null,"keys":["a"]},{"rows":null,"keys":["b"]}]'
    group = '{"group":[{"field":"k","rowKey":"a"},{"field":"s","rowID":4}],"count":1}'
    assert ask('GroupBy(Rows(k, previous="b"), Rows(s))'.replace(', previous="b"', ""))[-len(group) - 2 :] == group + "]]"
    assert ask('GroupBy(Rows(k), filter=Row(m="x"))') == '[[{"group":[{"field":"k","rowKey":"b"}],"count":1}]]'
    assert ask('Count(Intersect(Row(k="b"), Not(Row(m="x"))))') == "[1]"


def test_store_and_clear_by_key(ask: Asker) -> None:
    ask('Set(1, k="a")Set(2, k="a")')
    assert ask('Store(Row(k="a"), l="new")Row(l="new")') == '[true,{"attrs":{},"columns":[1,2]}]'
    assert ask('Clear(1, l="new")ClearRow(k="a")Row(l="new")Row(k="a")') == (
        '[true,true,{"attrs":{},"columns":[2]},{"attrs":{},"columns":[]}]'
    )


def test_columns_with_keys(keyed: Asker) -> None:
    keyed('Set("c9", k="a")Set("c1", k="a")Set("c1", i=-5)')
    assert keyed('Row(k="a")') == '[{"attrs":{},"columns":[],"keys":["c9","c1"]}]'
    assert keyed('Row(k="no")') == '[{"attrs":{},"columns":[]}]'
    assert keyed("Row(i < 0)") == '[{"attrs":{},"columns":[],"keys":["c1"]}]'
    assert keyed('Rows(k, column="c1")Rows(k, column="no")') == '[{"rows":null,"keys":["a"]},{"rows":null}]'
    keyed('SetColumnAttrs("c1", city="Oslo")SetRowAttrs(k, "a", hot=true)')
    assert keyed('Row(k="a")', column_attrs=True) == (
        '[{"attrs":{"hot":true},"columns":[],"keys":["c9","c1"]}],"columnAttrs":[{"key":"c1","attrs":{"city":"Oslo"}}]'
    )
    assert keyed('Clear("no", k="a")Clear("c9", k="a")Row(k="a")') == (
        '[false,true,{"attrs":{"hot":true},"columns":[],"keys":["c1"]}]'
    )


def test_text_outside_of_ascii(keyed: Asker) -> None:
    keyed('Set("Zoë 😀", k="Ærø")Set("日本", k="Ærø")SetRowAttrs(k, "Ærø", land="Dänemark 😀")')
    assert keyed('Row(k="Ærø")') == '[{"attrs":{"land":"Dänemark 😀"},"columns":[],"keys":["Zoë 😀","日本"]}]'
    assert keyed('Row(k="\\u00c6r\\u00f8")') == keyed("Row(k='Ærø')")
    assert keyed("TopN(k)") == '[[{"id":0,"key":"Ærø","count":2}]]'


def test_bools_are_true_and_false(ask: Asker) -> None:
    assert ask("Set(1, b=true)Set(2, b=false)Row(b=true)Row(b=false)") == (
        '[true,true,{"attrs":{},"columns":[1]},{"attrs":{},"columns":[2]}]'
    )


def test_v0_text_has_v0_answers(ask: Asker) -> None:
    assert ask('SetBit(frame="k", rowID="a", columnID=3)SetFieldValue(frame="x", columnID=3, i=4)') == "[true,null]"
    assert ask('Bitmap(frame="k", rowID="a")Count(Bitmap(frame="k", rowID="a"))') == '[{"attrs":{},"bits":[3]},1]'
    assert ask('TopN(frame="k", n=1)') == '[[{"id":0,"key":"a","count":1}]]'


def test_a_range_call_has_no_attributes(ask: Asker) -> None:
    ask("Set(1, t=1, 2018-01-05T00:00)SetRowAttrs(t, 1, a=1)")
    times = "2018-01-01T00:00, 2019-01-01T00:00"
    assert ask(f"Range(t=1, {times})Row(t=1)") == '[{"attrs":{},"columns":[1]},{"attrs":{"a":1},"columns":[1]}]'


def test_what_stands_before_an_error_has_been_done(ask: Asker) -> None:
    with pytest.raises(QueryError, match="^map reduce: field not found$"):
        ask("Set(1, s=1) Row(zz=1) Set(2, s=1)")
    assert ask("Row(s=1)") == '[{"attrs":{},"columns":[1]}]'
    with pytest.raises(QueryError, match="string 'row' value not allowed"):
        ask('Set(3, s=1) Row(s="a")')
    assert ask("Row(s=1)") == '[{"attrs":{},"columns":[1]}]'


def test_too_many_writes(ask: Asker) -> None:
    with pytest.raises(QueryError, match="^too many write commands$"):
        ask("Set(1, s=1)" * 5001)
    assert ask("Count(Row(s=1))" * 5001) == "[" + ",".join(["0"] * 5001) + "]"


def test_known_keys_cost_no_sql(ask: Asker) -> None:
    ask('Set(1, k="a")')
    ask('Row(k="a")TopN(k)')
    with CaptureQueriesContext(connection) as asked:
        ask('Row(k="a")TopN(k)')
    assert [query["sql"] for query in asked.captured_queries] == []
