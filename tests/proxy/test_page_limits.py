"""A page's questions are ended at the limits, and the page says so."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from django.test import Client

from tests.jobs import run_job

PAGES = {
    "/explore/": {"q": "tcp"},
    "/top/": {"field": "netsrc", "q": "tcp"},
    "/query/": {"q": 'Union(Row(tcp="SYN"), Row(tcp="ACK"), Row(netproto="IPv4"))'},
    "/flows/": {"q": "tcp"},
    "/compare/": {"a": "tcp", "b": "udp"},
}


@pytest.fixture
def get(data, index, shared):
    run_job(shared / "pcaps/protocols/zeek__wikipedia.pcap", index=index)
    client = Client(headers={"host": "localhost", "accept": "text/html"})
    return lambda path, **query: client.get(f"{path}?{urlencode({'index': index, **query})}")


def test_pages_that_take_too_long(get, settings, index):
    for path, query in PAGES.items():
        assert get(path, **query).status_code == 200, path
    settings.QUERY_SECONDS = 0.0
    for path, query in PAGES.items():
        # Another row: what was answered a moment ago costs nothing, and is not ended
        answer = get(path, **{name: text.replace("SYN", "FIN") for name, text in query.items()})
        assert answer.status_code == 504, path
        assert "PICAPWEB_QUERY_SECONDS" in answer.content.decode(), path
    answer = get(f"/flows/{index}/2/")
    assert answer.status_code == 504
    assert "PICAPWEB_QUERY_SECONDS" in answer.content.decode()
