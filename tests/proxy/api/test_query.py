"""POST /index/{index}/query: picap's README, today's shapes, and every way a query is refused, in Pilosa's words."""

from __future__ import annotations

import json

import pytest

from indexing import store
from indexing.models import TranslationField, TranslationValue
from proxy.pql.parse import MAX_QUERY_BYTES
from tests.jobs import run_job

CAPTURE = "pcaps/protocols/nfstream__http_ipv6.pcap"
TEXT = "text/plain; charset=utf-8"


def error_of(response) -> str:
    """Pilosa sends errors as JSON that it calls text."""
    return json.loads(response.content)["error"]


@pytest.fixture
def ask(client, index):
    def ask(text: str | bytes, index: str = index, **headers: str):
        return client.post(f"/index/{index}/query", text, content_type="application/x-www-form-urlencoded", headers=headers)

    return ask


@pytest.fixture
def told(index, shared):
    run_job(shared / CAPTURE, index=index)
    return json.loads((shared / "pcaps/truth/protocols/nfstream__http_ipv6.pcap.json").read_text())


def test_picaps_readme_works_word_for_word(ask, index, shared):
    run_job(shared / "pcaps/protocols/zeek__wikipedia.pcap", index=index)
    hosts = json.loads((shared / "pcaps/truth/protocols/zeek__wikipedia.pcap.json").read_text())["any"]["http.host"]
    answer = ask("TopN(frame=http-hostname, n=3)").json()["results"][0]
    assert [pair["Count"] for pair in answer] == sorted(hosts.values(), reverse=True)[:3]
    assert all(hosts[pair["Key"]] == pair["Count"] for pair in answer)
    name = answer[0]["Key"]
    assert ask(f'Count(Bitmap(frame=http-hostname, rowID="{name}"))').content.strip() == b'{"results":[%d]}' % hosts[name]


def test_todays_text_gets_pilosas_shapes_for_keyed_fields(ask, told):
    results = ask('TopN(netproto) Rows(netproto) Count(Row(tcp="SYN")) Sum(field=length) Row(transsrc=99999)').json()["results"]
    assert [sorted(pair) for pair in results[0]] == [["count", "id", "key"]] * len(results[0])
    assert results[1] == {"rows": None, "keys": [pair["key"] for pair in results[0]]} or set(results[1]["keys"]) == {
        "IPv4",
        "IPv6",
    }
    assert results[2] == told["outer"]["tcp_flags"]["syn"]
    assert results[3] == {"value": told["frame_len_sum"], "count": told["packets"]}
    assert results[4] == {"attrs": {}, "columns": []}


def test_a_number_may_be_written_bare(ask, told):
    bare, quoted = ask('Count(Row(transdst=443)) Count(Row(transdst="443"))').json()["results"]
    assert bare == quoted == sum(told["outer"][f"{name}.dstport"].get("443", 0) for name in ("tcp", "udp"))


def test_shift_moves_within_the_packets_there_are(ask, told):
    """The one behind the last packet is none, on either backend."""
    packets = told["packets"]
    counts = ask("Count(Shift(Not(Union()), n=1)) Count(Shift(Not(Union()), n=3)) Count(Not(Shift(Not(Union()), n=3)))").json()
    assert counts["results"] == [packets - 1, packets - 3, 3]


def test_int_conditions(ask, told):
    lengths = {int(length): count for length, count in told["frame_len_counts"].items()}
    asked = ["> 100", ">= 100", "< 100", "<= 100", "== 66", "!= 66", ">< [60, 70]"]
    expected = [
        sum(count for length, count in lengths.items() if test(length))
        for test in (
            lambda n: n > 100,
            lambda n: n >= 100,
            lambda n: n < 100,
            lambda n: n <= 100,
            lambda n: n == 66,
            lambda n: n != 66,
            lambda n: 60 <= n <= 70,
        )
    ]
    assert ask(" ".join(f"Count(Row(length {one}))" for one in asked)).json()["results"] == expected


def test_not_is_within_what_exists(ask, told):
    all_packets, others = ask('Count(Not(Union())) Count(Not(Row(netproto="IPv6")))').json()["results"]
    assert all_packets == told["packets"]
    assert others == told["packets"] - told["outermost_ip"]["version"]["ipv6"]


def test_an_unknown_value_is_an_empty_row_and_allocates_nothing(ask, told):
    before = (TranslationField.objects.count(), TranslationValue.objects.count())
    text = 'Count(Row(netsrc="203.0.113.99")) Row(http-hostname="nobody") '
    text += 'Count(Bitmap(frame=http-method, rowID="BREW")) Count(Row(tcp="FOO"))'
    results = ask(text).json()["results"]
    assert results == [0, {"attrs": {}, "columns": []}, 0, 0]
    assert (TranslationField.objects.count(), TranslationValue.objects.count()) == before


def test_an_empty_query_has_no_results(ask, told):
    assert ask("").content == b'{"results":[]}\n'


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("Row(nosuch=1)", "field not found"),
        ("TopN(nosuch)", 'field "nosuch" not found'),
        ("Bogus()", "unknown call: Bogus"),
        ("Count()", "Count() requires an input bitmap"),
        ("Intersect()", "empty Intersect query is currently not supported"),
        ("TopN(length)", "cannot compute TopN() on integer field"),
        ('Set(1, netsrc="1.2.3.4")', "Set"),
    ],
)
def test_what_cannot_be_executed_is_a_400_in_pilosas_words(ask, told, text, error):
    response = ask(text)
    assert response.status_code == 400
    assert response["Content-Type"] == TEXT
    assert error_of(response).startswith("executing: ")
    assert error in error_of(response)


@pytest.mark.parametrize(
    "text", ["Row(", "Row)", "Row(a=)", 'Count(Row(netsrc="a")', "row(netsrc=1);", "{}", "\r", "Row(netsrc='a'"]
)
def test_a_syntax_error_says_where(ask, told, text):
    response = ask(text)
    assert response.status_code == 400
    assert error_of(response).startswith("parsing: ")


def test_text_that_is_not_utf8(ask, told):
    response = ask(b"Row(netsrc=\xff)")
    assert response.status_code == 400
    assert "byte 11" in error_of(response)


def test_an_unknown_index(ask, told):
    response = ask("Count(Row(netsrc=1))", index="nosuch")
    assert response.status_code == 400
    assert error_of(response) == "executing: index not found"


def test_a_query_of_a_megabyte_is_answered(ask, told):
    rows = ", ".join(f'Row(netsrc="2001:db8::{n:x}")' for n in range(34_000))
    text = f"Count(Union({rows}))"
    assert len(text) > 1_000_000
    assert ask(text).json() == {"results": [0]}


def test_a_query_past_the_limit_is_refused_unread(ask):
    response = ask("x" * (MAX_QUERY_BYTES + 1))
    assert response.status_code == 413
    assert str(MAX_QUERY_BYTES) in error_of(response)


def test_a_deep_query_is_answered(data, client, shared):
    run_job(shared / CAPTURE)
    text = "Count(" + "Union(" * 5000 + 'Row(netproto="IPv6")' + ")" * 5001
    assert client.post("/index/net/query", text, content_type="text/plain").json()["results"][0] > 0


def test_only_post_is_a_query(client):
    assert client.get("/index/net/query").status_code == 405


def test_a_pilosa_that_is_away_is_named(client, settings):
    settings.INDEX_URL = "pilosa://127.0.0.1:1"
    store.close()
    response = client.post("/index/net/query", 'Count(Row(netsrc="1.2.3.4"))', content_type="text/plain")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert "127.0.0.1:1" in error_of(response)


def test_an_unknown_query_parameter(client):
    response = client.post("/index/net/query?profile=true", "Count(Row(netsrc=1))", content_type="text/plain")
    assert response.status_code == 400
    assert response.content == b'{"error":"profile is not a valid argument"}\n'


def test_the_default_index_answers_before_the_first_job(client):
    response = client.post("/index/net/query", "TopN(frame=http-hostname, n=3)", content_type="text/plain")
    assert response.json() == {"results": [[]]}
