"""/explore/with/: what a click on a value asks, of any page's question."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client


@pytest.fixture
def led(data):
    client = Client(headers={"host": "localhost", "accept": "text/html"})

    def led(**query: object) -> dict[str, list[str]]:
        answer = client.get(f"/explore/with/?{urlencode(query, doseq=True)}")
        assert answer.status_code == 302, answer.content
        url = urlsplit(answer["Location"])
        assert url.path == "/explore/"
        return parse_qs(url.query)

    return led


def test_and_and_not_and_or(led):
    value = {"field": "netsrc", "value": "10.0.0.1"}
    assert led(q="tcp", **value)["q"] == ["tcp && netsrc == 10.0.0.1"]
    assert led(q="tcp", how="not", **value)["q"] == ["tcp && !(netsrc == 10.0.0.1)"]
    assert led(q="tcp", how="or", **value)["q"] == ["tcp || netsrc == 10.0.0.1"]
    assert led(how="or", **value)["q"] == ['Row(netsrc="10.0.0.1")']
    assert led(q='Row(tcp="SYN")', how="or", **value)["q"] == ['Union(Row(tcp="SYN"), Row(netsrc="10.0.0.1"))']
    assert led(field="length", value="66")["q"] == ["Row(length == 66)"]
    assert led(q="tcp", field="length", value="66", how="not")["q"] == ["tcp && !(length == 66)"]


def test_what_the_page_was_told_stays(led):
    told = {"from": "2012-01-01", "by": "appproto", "columns": "netsrc,length", "off": "0:dns", "find-netsrc": "10."}
    found = led(q="tcp", field="tcp", value="SYN", cursor="5", **told)
    assert {name: found[name][0] for name in told} == told
    assert "cursor" not in found
    assert "field" not in found


def test_what_is_wrong_is_said(data):
    client = Client(headers={"host": "localhost", "accept": "text/html"})
    for query, words in (
        ({"field": "nosuch", "value": "1"}, "no such field"),
        ({"value": "1"}, "say which field"),
        ({"field": "tcp", "value": "SYN", "how": "xor"}, "how must be"),
        ({"field": "tcp", "value": "SYN", "q": "tcp &&"}, "it ends where something must follow"),
    ):
        answer = client.get(f"/explore/with/?{urlencode(query)}")
        assert answer.status_code == 400
        assert words in answer.content.decode()
