"""Values(...) over a capture: exactly the packets of the rows whose values plain Python picks, on both backends."""

from __future__ import annotations

import pytest

from capture.packets.values import bytes_of
from indexing import predicates as p
from indexing import translation_copy, translation_predicates
from indexing.calls import QueryError
from proxy.ask import ask_text
from proxy.pql.literals import quote
from proxy.pql.parse import parse
from proxy.pql.predicates import predicate_of
from tests.indexing.predicates_in_python import holds
from tests.jobs import run_job

CAPTURE = "pcaps/protocols/zeek__wikipedia.pcap"
QUERIES = [
    'Values(netsrc, cidr="208.80.152.0/23")',
    'Values(netsrc, cidr="141.142.220.118")',
    'Values(netsrc, where=Not(Values(cidr="141.0.0.0/8")))',
    'Values(netdst, cidr="ff00::/8")',
    "Values(netdst)",
    'Values(http-hostname, matches="(?i)^UPLOAD\\\\.")',
    'Values(http-hostname, contains="wiki")',
    'Values(http-hostname, like="*.org", prefix="bits")',
    'Values(http-path, length=40, op=">")',
    'Values(eth-src, hex=Values(slice="0:1", op=">", value="\\\\x10"))',
    "Values(transsrc, from=1, to=1023, order=number)",
    'Values(transsrc, prefix="4", length=5)',
    "Values(tcp, in=[SYN, FIN])",
    'Values(tcp, contains="y", ignorecase=true)',
    'Values(time-second, prefix="2011-03-18T19:06:")',
    'Values(http-hostname, contains="nothing like it")',
]


@pytest.fixture
def job(index, shared):
    return run_job(shared / CAPTURE, index=index, bufsize=30)


@pytest.fixture
def count(index):
    def count(call: str) -> int:
        (result,) = ask_text(index, f"Count({call})").results
        return result.count

    return count


def test_the_packets_of_the_rows_that_python_picks(job, index, count):
    empty = []
    for query in QUERIES:
        (call,) = parse(query)
        field, predicate = call.args["field"], predicate_of(call)
        (rows,) = ask_text(index, f"Rows({field})").results
        if isinstance(predicate, p.Between):
            picked = [key for key in rows.keys if 1 <= int(key) <= 1023]
        else:
            picked = [key for key in rows.keys if holds(predicate, bytes_of(key))]
        named = ", ".join(f"Row({field}={quote(key)})" for key in picked)
        assert count(query) == count(f"Union({named})"), query
        if not picked:
            empty.append(query)
    assert empty == QUERIES[-1:]


def test_within_other_calls_and_after_the_values_were_copied(job, index, count, monkeypatch):
    monkeypatch.setattr(translation_copy, "COPIED_FROM", 1)
    query = 'Intersect(Values(netsrc, cidr="141.0.0.0/8"), Not(Values(http-hostname)), Row(tcp="SYN"))'
    before = count(query)
    assert before
    while translation_copy.copy_once():
        pass
    monkeypatch.setattr(translation_predicates, "_found", translation_predicates._Found(1 << 20))
    assert count(query) == before
    (top,) = ask_text(index, 'TopN(netsrc, Values(netsrc, prefix="141."), n=1)').results
    assert top.pairs[0].key.startswith("141.")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("Count(Values(nothing))", "field not found"),
        ("Values()", "Values(): field required"),
        ('Values(netsrc, cidr="10.0.0.0/33")', "Values(): no network: '10.0.0.0/33'"),
        ('Values(netsrc, matches="(")', "Values(): regular expression: missing ), unterminated subpattern at position 0"),
        ("Values(netsrc, matches='(a)\\1')", "Values(): regular expression: references to groups are not supported"),
        ("Values(netsrc, value=x, order=number)", "Values(): no number: 'x'"),
        ("Values(length, contains=1)", "Values(): field length has numbers and no values: compare it, as in Row(length > 5)"),
    ],
)
def test_what_is_wrong_is_said(data, query, message):
    with pytest.raises(QueryError) as raised:
        ask_text("net", query)
    assert str(raised.value).startswith(message)
    assert raised.value.status == 400


def test_a_search_that_takes_too_long_is_ended(job, index, monkeypatch):
    monkeypatch.setattr(translation_predicates, "SECONDS", 0.001)
    pattern = "(" + ".*".join("[a-z0-9]" for _ in range(100)) + "){20}$"  # its automaton alone takes longer
    with pytest.raises(QueryError) as raised:
        ask_text(index, f'Values(http-path, matches="{pattern}")')
    assert raised.value.status == 504
    assert "field http-path were looked at for 0.001 s" in str(raised.value)
