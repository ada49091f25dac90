"""PQL that writes to a packet index: refused, unless the operator lets it; then as in Pilosa, in values."""

from __future__ import annotations

import pytest

from indexing import store
from indexing.models import TranslationValue
from tests.jobs import run_job

CAPTURE, PACKETS = "pcaps/protocols/zeek__wikipedia.pcap", 136


@pytest.fixture
def ask(client, index, shared):
    run_job(shared / CAPTURE, index=index)

    def ask(text: str):
        return client.post(f"/index/{index}/query", text, content_type="text/plain")

    return ask


@pytest.fixture
def let(settings):
    settings.PACKET_WRITES = True


WRITES = [
    'Set(3, http-hostname="new.example")',
    'Clear(3, netproto="IPv4")',
    "ClearRow(netproto=IPv4)",
    "Store(Not(Union()), tcp=SYN)",
    'Options(Set(3, http-hostname="new.example"))',
]


@pytest.mark.parametrize("text", WRITES)
def test_refused_by_default_and_nothing_changes(ask, text):
    read = "Count(Row(netproto=IPv4)) Count(Row(tcp=SYN)) Count(Not(Union()))"
    before = ask(read).json()
    values = TranslationValue.objects.count()
    answer = ask(text)
    assert answer.status_code == 400
    assert b"writes to packet indexes are not allowed" in answer.content
    assert ask(read).json() == before
    assert TranslationValue.objects.count() == values


def test_values_that_are_new_become_rows(ask, let, index):
    answer = ask('Set(3, http-hostname="neu.\u00e9") Set(3, http-hostname="neu.\u00e9") Row(http-hostname="neu.\u00e9")')
    if store.backend().masked:
        assert answer.status_code == 501
        assert b"INDEX_URL=embedded:" in answer.content
        return
    assert answer.json()["results"] == [True, False, {"attrs": {}, "columns": [3]}]
    found = ask('TopN(http-hostname, Row(http-hostname="neu.\u00e9"))').json()["results"][0]
    assert "neu.\u00e9" in [pair["key"] for pair in found]


def test_rows_are_cleared_and_stored_by_value(ask, let):
    if store.backend().masked:
        return  # said above
    before, all_of = ask("Count(Row(tcp=SYN)) Count(Not(Union()))").json()["results"]
    assert all_of == PACKETS
    assert 0 < before < PACKETS
    results = ask("Store(Not(Row(tcp=SYN)), tcp=SYN) Count(Row(tcp=SYN)) ClearRow(tcp=SYN) Count(Row(tcp=SYN))").json()["results"]
    assert results == [True, PACKETS - before, True, 0]
    (columns,) = ask("Row(netproto=IPv4)").json()["results"]
    first = columns["columns"][0]
    assert ask(f"Clear({first}, netproto=IPv4) Clear({first}, netproto=IPv4)").json()["results"] == [True, False]
    assert ask("Row(netproto=IPv4)").json()["results"][0]["columns"] == columns["columns"][1:]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Set(3, nothing=1)", "field not found"),
        ("Set(3, access=1)", "field not found"),
        ('SetRowAttrs(netproto, "IPv4", a=1)', "packet indexes have no attributes"),
        ("Set(3, length=-1)", "too low"),
        ("Set(3)", ""),
        ("Store(Row(tcp=SYN))", ""),
    ],
)
def test_what_is_wrong_is_said_and_allocates_nothing(ask, let, text, why):
    if store.backend().masked:
        return
    values = TranslationValue.objects.count()
    answer = ask(text)
    assert answer.status_code == 400
    assert why.encode() in answer.content
    assert TranslationValue.objects.count() == values
