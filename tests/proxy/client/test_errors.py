"""Errors word for word, against a Pilosa that has the same fields, with keys of its own."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request

import pytest

from indexing.calls import QueryError
from indexing.client import pilosa_names
from tests.pilosa import PilosaServer
from tests.proxy.client.conftest import FIELDS, Asker, Make

# As Pilosa answers, of an index whose columns have ids.
_SAME = [
    *(f"Row({given})" for given in ("", "zz=1", "s=-1", 's="a"', "k=1", "k=null", 'k=""', "s=1.5", "s=1e3", "s=null", "s=true")),
    *(f"Row({given})" for given in ("s=[1,2]", "b=1", 'b="x"', "b=null", "s=2000000.25", "s=100000000000000000000000.5")),
    *(f"Row({given})" for given in ("s > 1", "k > 1", "b > 1", 'i > "a"', "i == null", "i > 1.5", "i > true", "zz > 1")),
    *(f"Row({given})" for given in ("i >< [1]", "i >< 5", "i >< [1,2,3]", "i > 1, i2 > 1", "i > 1, from=2018-01-01T00:00")),
    *(
        f"Row(t=1, {given})"
        for given in ('from="x"', "from=1.5", "to=true", "from=2018-19-01T00:00", "to=null", 'to="2018-01-01"')
    ),
    *(f'Row(t=1, to="{text}")' for text in ("2018-03-01T24:00", "2018-3-01T00:00", "2018-03-01T00:0")),
    *('Row(s=1, _col="x")', 'Row(i > 1, _col="x")', 'Count(Row(s=1, _col="x"))', 'Row(_col="x", zz=1)'),
    "Union(Row(zz=1))",
    "Union(Row(s=1), Row(s=-1))",
    "Union(Count(Row(s=1)))",
    *(
        f"{name}()"
        for name in ("Intersect", "Difference", "Not", "Shift", "Count", "GroupBy", "Rows", "All", "ClearRow", "Clear")
    ),
    *(f"{name}(Row(s=1), Row(s=2))" for name in ("Not", "Shift", "Count", "Sum", "Min", "Max")),
    *(f"Shift(Row(s=1), n={n})" for n in ("-1", "1.5", '"a"')),
    *(f"Intersect(Row(s=1), {child})" for child in ("Rows(s)", "Bogus()", "Row(zz=1)", "Bitmap(s=1)")),
    *(f"{name}(Row(zz=1), field=i)" for name in ("Sum", "Min", "Max", "MinRow", "MaxRow")),
    *(f"{name}(field=zz)" for name in ("MinRow", "MaxRow")),
    *(f"{name}(field=b)" for name in ("MinRow", "MaxRow", "Sum")),
    *(
        f"TopN({given})"
        for given in ("zz", "i", "s, n=-1", "s, n=1.5", 's, n="a"', "s, ids=3", 's, ids="x"', "s, ids=true", "s, ids=null")
    ),
    *(f"TopN({given})" for given in ("s, threshold=-1", "s, Row(zz=1)", "s, Row(s=1), Row(s=2)", "c", "t", "b", "zz, Row(zz=1)")),
    *(f"TopN(s, tanimotoThreshold={given})" for given in ("101", "-1", '"a"')),
    *(
        f"Rows({given})"
        for given in ("zz", "b", "s, limit=-1", 's, limit="a"', "s, previous=-1", 's, previous="a"', "k, previous=1")
    ),
    *(f"Rows({given})" for given in ('s, column="a"', "s, column=-1", "s, column=1.5", 't, from="x"', 'k, previous=""')),
    *(f"GroupBy({given})" for given in ("Row(s=1)", "Rows(zz)", "Rows(s), limit=-1", "Rows(s, limit=-1)", "Rows(s, column=-2)")),
    *(
        f"GroupBy({given})"
        for given in ("Rows(b)", 'Rows(s, previous="a", limit=3)', "Rows(k, previous=1)", "Rows(s), filter=Row(zz=1)")
    ),
    *(
        f"GroupBy({given})"
        for given in ("Rows(s), offset=-1", 'Rows(s), filter=Row(s="a")', "Rows(zz, limit=1)", "Rows(s, previous=-1)")
    ),
    *(f"GroupBy(Rows(s), Rows(k), previous={given})" for given in ("1", "[1]", "[1,2]", '["a","b"]', '["a"]')),
    "GroupBy(Rows(s), Rows(zz), previous=[1,2])",
    *(
        f"Set({given})"
        for given in ("1, zz=1", '"a", s=1', "1, s=-1", "1, s=1.5", '1, s="a"', "1, s=null", "1, k=1", "1, k=null")
    ),
    *(f"Set({given})" for given in ("1, b=2", "1, i=1.5", "1, i=101", "1, i=-101", '1, i="x"', "1, i=null", "1, s=true", "s=1")),
    *(f"Set({given})" for given in ("1, s=1, 2018-19-39T99:99", "1, t=1, 2018-02-30T00:00", '1, k=""')),
    *(f"Clear({given})" for given in ("1, zz=1", "1, s=-1", '"a", s=1', "1, i=-5", "1, k=2", "s=1")),
    *(f"ClearRow({given})" for given in ("zz=1", "i=1", "s=-1", 's="a"', "k=1", "b=1")),
    *(f"Store(Row(s=1), {given})" for given in ("m=1", "zz=1", "t=1")),
    "Store(Row(s=1))",
    *(
        f"SetRowAttrs({given})"
        for given in ("s, 1, x=[1,2]", "zz, 1, x=1", 's, "a", x=1', "k, 1, x=1", "b, 1, x=1", "x=1", "s=1")
    ),
    "SetRowAttrs(s, 1, x=1)SetRowAttrs(s, 1, x=[1,2])",
    "SetRowAttrs(s, 1, x=[1,2])Count(Row(s=1))",
    *(f"Row(s={given})" for given in ("0.00001", "0.0001", "123456.5", "1234567.0", "-0.5", "1.0", "0.1")),
    *(f"SetColumnAttrs({given})" for given in ("1, x=[1,2]", '"a", x=1', "x=1")),
    *(
        f"Options(Row(s=1), {given})"
        for given in ("shards=0", 'shards=["a"]', "columnAttrs=1", "excludeColumns=1", "excludeRowAttrs=null")
    ),
    "Options(Rows(s))",
    "Options(Options(Row(zz=1)))",
]
_OF_COLUMNS_WITH_KEYS = [
    "Set(1, s=1)",
    'Set("", s=1)',
    "Clear(1, s=1)",
    "Rows(s, column=1)",
    "Row(s=1, _col=1)",
    "SetColumnAttrs(1, x=1)",
    'Set("a", k=1)',
    "GroupBy(Rows(s, column=1))",
]
_PANICS = [
    "Options()",
    "Store(s=1)",
    'Store(Row(s=1), s="a")',
    "Store(Row(zz=1), s=1)",
    'TopN(s, ids=["a"])',
    "TopN(s, ids=[1.5])",
]


def _of_pilosa(server: PilosaServer, index: str, text: str) -> str:
    try:
        return server.post(f"/index/{index}/query", text).decode()
    except urllib.error.HTTPError as error:
        return str(json.loads(error.read())["error"])


@pytest.fixture
def twin(make: Make, pilosa_server: PilosaServer) -> None:
    """The same fields, made in Pilosa itself: indexes `twin` and `twink`, whose columns have keys."""
    for name in ("twin", "twink"):
        try:
            request = urllib.request.Request(f"http://{pilosa_server.host}:{pilosa_server.port}/index/{name}", method="DELETE")
            urllib.request.urlopen(request, timeout=60).close()
        except urllib.error.HTTPError:
            pass
        pilosa_server.post(f"/index/{name}", json.dumps({"options": {"keys": name == "twink"}}))
        for field, options in FIELDS.items():
            made = pilosa_names.made_with(options) | ({"keys": True} if options.keys else {})
            pilosa_server.post(f"/index/{name}/field/{field}", json.dumps({"options": made}))
    data = 'Set(1, s=1)Set(1, k="a")Set(1, c=1)Set(1, b=true)Set(1, t=1)Set(1, i=1)'
    pilosa_server.post("/index/twin/query", data)


def _same(server: PilosaServer, name: str, ask: Asker, texts: list[str]) -> None:
    wrong = []
    for text in texts:
        theirs = _of_pilosa(server, name, text)
        try:
            ours = ask(text)
        except QueryError as error:
            ours = str(error) if str(error).startswith("parsing: ") else f"executing: {error}"
        if theirs.startswith("parsing: parsing: ") and ours.startswith("parsing: parsing: "):
            continue
        if re.sub(r"shard \d+", "shard N", ours) != re.sub(r"shard \d+", "shard N", theirs):
            wrong.append(f"{text}\n    Pilosa: {theirs!r}\n    ours:   {ours!r}")
    assert not wrong, f"{len(wrong)} of {len(texts)}:\n" + "\n".join(wrong)


def test_errors_are_pilosas(twin: None, ask: Asker, pilosa_server: PilosaServer) -> None:
    ask('Set(1, s=1)Set(1, k="a")Set(1, c=1)Set(1, b=true)Set(1, t=1)Set(1, i=1)')
    _same(pilosa_server, "twin", ask, _SAME)


def test_hours_of_one_digit_are_read(twin: None, ask: Asker, pilosa_server: PilosaServer) -> None:
    ask("Set(1, t=1, 2018-02-01T05:00)")
    pilosa_server.post("/index/twin/query", "Set(1, t=1, 2018-02-01T05:00)")
    for day, columns in (("01", []), ("02", [1])):
        text = f'Row(t=1, from="2018-01-31T0:00", to="2018-02-{day}T0:00")'
        assert json.loads(ask(text))[0]["columns"] == columns, text
        assert json.loads(_of_pilosa(pilosa_server, "twin", text))["results"][0]["columns"] == columns, text


def test_rows_below_0_are_none(twin: None, ask: Asker, pilosa_server: PilosaServer) -> None:
    """TopN(ids=) does not refuse them, as everything else does."""
    ask("Set(1, s=1)")
    texts = ["TopN(s, ids=[-13])", "TopN(s, ids=[-1, -2])", "TopN(ids=[-13])"]
    assert [ask(text) for text in texts] == ["[[]]"] * 3
    answers = [json.loads(_of_pilosa(pilosa_server, "twin", text))["results"] for text in texts]
    assert answers == [[[]]] * 3
    assert ask("TopN(s, ids=[1, -13])") == '[[{"id":1,"count":1}]]'


def test_a_column_that_nobody_reads_is_looked_at(ask: Asker) -> None:
    assert ask("Count(Row(s=1, _col=7))") == ask("Count(Row(s=1))")


def test_errors_of_columns_with_keys(twin: None, keyed: Asker, pilosa_server: PilosaServer) -> None:
    _same(pilosa_server, "twink", keyed, _OF_COLUMNS_WITH_KEYS)


def test_not_without_existence(make: Make) -> None:
    ask = make(track_existence=False)
    with pytest.raises(QueryError, match=f"^map reduce: index does not support existence tracking: {ask.index.name}$"):
        ask("Not(Row(s=1))")


@pytest.mark.parametrize("text", _PANICS)
def test_what_pilosa_panics_at_is_refused(ask: Asker, text: str) -> None:
    with pytest.raises(QueryError):
        ask(text)
    assert ask("Count(Row(s=1))") == "[0]"
