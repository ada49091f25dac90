"""docs/conversations.md says what the code does: fields and values, filters, constants, figures."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from capture.packets.conversations import asked, http, tcp_handshake, tcp_rules, tls
from capture.packets.declarations.conversations import FIELDS, TCP_ANALYSIS
from indexing.calls import QueryError, postorder
from proxy.ask import bitmap_of
from proxy.display.compile import compile_filter
from proxy.display.conversations import CONVERSATIONS
from proxy.flows.marks import MARKS
from proxy.health import COUNTED, LADDER_US, SLOW_US, TIMED, Times
from proxy.pql.parse import parse
from tests.components import ROOT
from tests.jobs import run_job

PAGE = ROOT / "docs/conversations.md"
SECOND = 10**9


@pytest.fixture(scope="module")
def text() -> str:
    return PAGE.read_text()


def table(text: str, head: str) -> list[list[str]]:
    """The rows of the table under a heading row that begins like this."""
    rows = text.partition(f"| {head} ")[2].split("\n\n")[0].splitlines()[2:]
    assert rows, head
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_every_field_and_every_value_has_its_packet(text):
    listed: dict[str, list[str]] = {}
    name = ""
    for field, values, where in table(text, "field"):
        name = code(field)[0] if field else name
        listed.setdefault(name, []).extend(code(values))
        assert where
    assert list(listed) == [one.name for one in FIELDS]
    for one in FIELDS:
        if one.name != "tcp-analysis":
            assert tuple(listed[one.name]) == one.choices


def test_every_value_of_tcp_analysis_has_its_filter(text):
    rows = table(text, "value")
    assert sorted(code(value)[0] for value, _, _ in rows) == sorted(TCP_ANALYSIS)
    for value, written, says in rows:
        (call,) = [compile_filter(code(written)[0]).call]
        assert code(value)[0] in {node.args["row"].row for node in postorder(call) if "row" in node.args}
        if "retransmission" not in value and value != "`out-of-order`":
            assert says == MARKS[code(value)[0]].about


def test_every_filter_of_conversations_is_on_the_page(text):
    for name, one in CONVERSATIONS.items():
        assert f"`{name}`" in text, name
        if one.unit:
            (row,) = [row for row in table(text, "display filter | in") if name in code(row[0])]
            assert row[1] == ("seconds" if one.unit == 1_000_000 else "milliseconds")
            assert set(code(row[2])) <= {
                node.args["condition"][0] for node in postorder(compile_filter(f"{name} > 1").call) if "condition" in node.args
            }


def test_its_examples_can_be_asked(text):
    for written in re.findall(r"'q=(.*?)' localhost", text):
        assert compile_filter(written).call is not None
    for written in re.findall(r"/query -d '(.*?)'", text):
        assert parse(written)
    assert bitmap_of('Row(tcp-handshake="unanswered")')
    call = compile_filter("dns.time > 0.0000015").call
    assert (call.args["condition"][1].op, call.args["condition"][1].value) == (">=", 2)
    for refused in ("tcp.completeness", "dns.response_in", "tcp.analysis.acks_frame", "tcp.analysis.bytes_in_flight"):
        with pytest.raises(QueryError, match="ask for"):
            compile_filter(refused)


def test_its_times_are_those_of_the_code(text):
    words = {
        "within 75 s of the last": tcp_handshake.WAIT_NS == 75 * SECOND,
        "2 h 11 min 15 s is forgotten": tcp_handshake.OPEN_NS == (2 * 3600 + 11 * 60 + 15) * SECOND,
        "never answered after 4 min": tcp_handshake.CLOSED_NS == 240 * SECOND,
        "no response came within 60 s": asked.TIMEOUT == 60 * SECOND,
        "without a reply within 60 s": asked.TIMEOUT == 60 * SECOND,
        "another SYN, 60 s or": tls.TIMEOUT == 60 * SECOND,
        "response that came within 300 s": http.TIMEOUT == 300 * SECOND,
        "sent again within 20 ms": tcp_rules.FAST_WITHIN_NS == 20_000_000,
        "or 3 ms where that is not known": tcp_rules.REORDERED_WITHIN_NS == 3_000_000,
        "from 0.1 ms to 50 s": (LADDER_US[0], LADDER_US[-1]) == (100, 50_000_000),
        "after more than a second": SLOW_US == 1_000_000,
    }
    assert [said for said, is_so in words.items() if said not in text or not is_so] == []


def test_its_figures_are_those_of_the_answer(text):
    counts = [name for cell, _ in table(text, "in `packets`") for name in code(cell)]
    assert sorted(counts) == sorted(COUNTED)
    for name in (*TIMED, *(name for name in Times.__annotations__ if name != "field"), "retransmitting_hosts", "filters"):
        assert f"`{name}`" in text, name


def test_every_page_it_leads_to_is_there(text):
    for link in re.findall(r"\]\(([^)#]+)", text):
        assert (PAGE.parent / link).exists(), link
    for page in ("README.md", "docs/fields.md", "docs/flows.md", "docs/display-filter.md", "docs/api.md"):
        assert "conversations.md" in (ROOT / page).read_text(), page


@pytest.mark.needs("../shared")
def test_connections_are_counted_once(index, shared):
    """`complete`, `refused` and `mid_stream` count connections."""
    job = run_job(shared / "pcaps/protocols/zeek__smtp.pcap", index=index)
    client = Client(headers={"host": "localhost"})
    counts = client.get(f"/jobs/{job.pk}/health/").json()["packets"]
    for name in ("complete", "refused", "mid_stream"):
        asked_for = {"index": index, "q": COUNTED[name], "fields": "community-id", "limit": 1000}
        found = client.get("/packets/", asked_for).json()["packets"]
        streams = {one["fields"]["community-id"][0] for one in found}
        assert len(found) == counts[name] == len(streams), name
    assert counts["complete"] == 3  # as tshark: tcp.completeness of its three streams is 31, 15 and 15
