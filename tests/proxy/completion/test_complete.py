"""GET /complete/: names, operators and values, in both languages. Values are those that packets have."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest
from django.test import Client

from capture.packets.registry import FIELDS
from indexing import translation_copy, translation_find
from indexing.predicates import Contains, StartsWith
from proxy.completion.complete import complete
from proxy.display.conversations import CONVERSATIONS
from tests.jobs import run_job

CAPTURE = "pcaps/protocols/zeek__wikipedia.pcap"


@pytest.fixture
def told(shared):
    return json.loads((shared / f"pcaps/truth/protocols/{CAPTURE.rpartition('/')[2]}.json").read_text())


@pytest.fixture
def job(index, shared):
    return run_job(shared / CAPTURE, index=index)


@pytest.fixture
def ask(data, index):
    client = Client(headers={"host": "localhost"})

    def ask(text: str, **query: object):
        answer = client.get(f"/complete/?{urlencode({'index': index, 'text': text, **query}, doseq=True)}")
        assert answer.status_code == 200, answer.content
        return answer.json()

    return ask


def proposed(said) -> dict[str, str]:
    return {one["text"]: one["note"] for one in said["proposals"]}


def test_names_and_operators_are_known_without_packets():
    def texts(text: str, lang: str = "") -> list[str]:
        return [one.text for one in complete("net", text, len(text), lang).proposals]

    assert texts("")[:2] == ["ip.addr ", "tcp.port "]
    assert texts("tls-s") == ["tls-sni "]
    assert "http.host " in texts("host")
    assert texts("ip.addr ")[0] == "== "
    assert texts("ip.addr == 10.0.0.1 ") == ["&& ", "|| "]
    assert "matches " not in texts("tcp.port ")
    assert texts("named:unans")[0] == "named:unanswered-syn "
    assert texts("Inters") == ["Intersect("]
    assert "TopN(" not in texts("To")  # the bar asks for packets
    assert texts("To", "pql") == ["TopN("]
    assert texts("TopN(netsr", "pql")[0] == "netsrc"
    assert texts("Row(netsr", "pql")[0] == "netsrc="
    assert texts("Sum(field=", "pql")[0] == "length"
    assert set(texts("Sum(field=", "pql")) == {name for name, one in FIELDS.items() if one.kind == "int"}


def test_what_belongs_to_conversations_is_offered():
    def said(text: str) -> dict[str, str]:
        return {one.text: one.note for one in complete("net", text, len(text), most=30).proposals}

    names = said("tcp.analysis.")
    assert set(names) == {f"{name} " for name in CONVERSATIONS if name.startswith("tcp.analysis.")}
    assert len(set(names.values())) == len(names)  # what each is, and not what all of them are
    assert said("tcp.analysis.retr")["tcp.analysis.retransmission "] == "sent again, of whatever kind"
    assert list(said("tcp.analysis.retransmission ")) == ["&& ", "|| "]
    assert list(said("dns.time "))[:2] == ["> ", "< "]
    assert "contains " not in said("icmp.resptime ")


@pytest.mark.parametrize(
    ("capture", "text"),
    [
        ("pcaps/protocols/zeek__smtp.pcap", "tcp-analysis == "),
        ("pcaps/protocols/zeek__smtp.pcap", "tcp-handshake == "),
        ("pcaps/protocols/zeek__smtp.pcap", 'tcp-handshake in {"com'),
    ],
)
def test_values_of_conversations_with_their_counts(index, shared, ask, capture, text):
    run_job(shared / capture, index=index)
    offered = {one["text"].strip(): one["note"] for one in ask(text)["proposals"] if one["kind"] == "value"}
    assert offered
    client = Client(headers={"host": "localhost"})
    for value, note in offered.items():
        name = text.split()[0]
        count = client.get("/packets/", {"index": index, "q": f"{name} == {value}"}).json()["count"]
        assert note == f"{count:,} packet{'' if count == 1 else 's'}"


def test_values_that_packets_have_with_their_counts(job, ask, told):
    hosts = told["first"]["http.host"]
    begun = {host: count for host, count in hosts.items() if host.startswith("u")}
    said = ask('http.host == "u')
    assert {text.strip().strip('"'): note for text, note in proposed(said).items() if text.startswith('"u')} == {
        host: f"{count:,} packet{'' if count == 1 else 's'}" for host, count in begun.items()
    }
    assert (said["from"], said["to"], said["lang"]) == (13, 15, "display")
    (most, count), *_ = sorted(told["first"]["ip.src"].items(), key=lambda one: -one[1])
    first = ask('TopN(tcp, Row(netsrc="', lang="pql")["proposals"][0]
    assert (first["text"], first["note"], first["kind"]) == (f'"{most}"', f"{count:,} packets", "value")
    assert proposed(ask("tcp.port in {80, 8"))["80"].endswith("packets")
    assert [one.strip() for one in proposed(ask("ip.src == 9.9."))] == []
    labelled = proposed(ask("dns-qtype == aa"))
    assert [(text, note.partition(",")[0]) for text, note in labelled.items()] == [("28 ", "AAAA")]
    assert proposed(ask(f"job == {job.pk}")) == {}  # it is written already
    assert proposed(ask("job == "))[f"{job.pk} "].startswith("zeek__wikipedia.pcap, ")


def test_values_are_of_the_chosen_jobs(job, ask, index, shared):
    other = run_job(shared / "pcaps/protocols/dpkt__dns_icmp.pcap", index=index)
    every, some = proposed(ask("appproto == ")), proposed(ask("appproto == ", job=other.pk))
    assert '"HTTP" ' in every
    assert some
    assert '"HTTP" ' not in some


def test_rare_values_are_found_in_the_table(job, ask, index, monkeypatch):
    monkeypatch.setattr("proxy.completion.values.FREQUENT", 1)
    assert proposed(ask('http.host == "met')) == {'"meta.wikimedia.org" ': "1 packet"}  # by its beginning
    assert all("logo" in text.lower() for text in proposed(ask('http-path == "logo')))  # anywhere in it
    assert proposed(ask('http-path == "logo'))


def test_the_table_is_searched_within_bounds(job, index, monkeypatch):
    field = FIELDS["http-path"]
    some, done = translation_find.first_values(index, field, StartsWith(b"/"), 3, 5.0)
    assert done
    assert len(some) == 3
    monkeypatch.setattr(translation_copy, "COPIED_FROM", 1)
    every, _ = translation_find.first_values(index, field, Contains(b"wiki"), 1000, 5.0)
    while translation_copy.copy_once():
        pass
    copied, _ = translation_find.first_values(index, field, Contains(b"wiki"), 1000, 5.0)
    assert set(copied) == set(every) != set()


@pytest.mark.parametrize(
    ("query", "option"),
    [({"at": "9"}, "at"), ({"lang": "sql"}, "lang"), ({"job": "x"}, "job"), ({"text": "a\0"}, "text"), ({"n": "0"}, "n")],
)
def test_bad_input_is_named(data, query, option):
    answer = Client(headers={"host": "localhost"}).get(f"/complete/?{urlencode({'text': 'ip', **query})}")
    assert (answer.status_code, answer.json()["option"]) == (400, option)
    assert Client(headers={"host": "localhost"}).get("/complete/?index=nosuch").status_code == 404
