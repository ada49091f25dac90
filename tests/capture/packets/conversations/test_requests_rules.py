"""Each rule of conversations.asked and conversations.http on packets made by hand. Columns are the packets' positions."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from scapy.layers.dns import DNS, DNSQR
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, IPv6
from scapy.layers.l2 import Ether

from capture.packets.conversations import applications, asked, http
from tests.capture.packets.conversations.requests_making import (
    CLIENT,
    REQUEST,
    RESPONSE,
    SERVER,
    Connection,
    Timed,
    batch,
    between,
    found,
    ping,
    pong,
    query,
    reply,
    triples,
)

LATE = asked.TIMEOUT / 1e9


def test_a_dns_response_has_the_time_since_its_query() -> None:
    assert found(query(10), reply(10.0000015)) == [("dns-rtt-us", 1, 1)]  # rounded down


def test_a_dns_query_without_response() -> None:
    assert found(query(10), reply(10.5, number=2)) == [("dns-unanswered", 0, 0)]
    assert found(query(10), reply(10.5, port=4001)) == [("dns-unanswered", 0, 0)]
    assert found(query(10, vlan=5), reply(10.5, vlan=6)) == [("dns-unanswered", 0, 0)]
    assert found(query(10, vlan=5), reply(10.5, vlan=5)) == [("dns-rtt-us", 1, 500_000)]


def test_a_host_does_not_answer_itself_in_the_same_direction() -> None:
    same = between(CLIENT, SERVER, 10.5, UDP(sport=4000, dport=53) / DNS(id=1, qr=1, qd=DNSQR(qname="a.example")))
    assert found(query(10), same) == [("dns-unanswered", 0, 0)]


def test_a_dns_query_sent_again_within_five_seconds_is_the_same() -> None:
    assert found(query(10), query(14.9), reply(15)) == [("dns-rtt-us", 2, 5_000_000)]
    assert found(query(10), query(14.9)) == [("dns-unanswered", 0, 0), ("dns-unanswered", 1, 0)]
    # The first five seconds are those of the first transmission
    assert found(query(10), query(13), query(15.1), reply(16)) == [
        ("dns-rtt-us", 3, 900_000),
        ("dns-unanswered", 0, 0),
        ("dns-unanswered", 1, 0),
    ]


def test_a_second_dns_response_is_none() -> None:
    assert found(query(10), reply(11), reply(12)) == [("dns-rtt-us", 1, 1_000_000)]


def test_a_dns_query_behind_a_response_is_new() -> None:
    assert found(query(10), reply(11), query(11.5), reply(12)) == [("dns-rtt-us", 1, 1_000_000), ("dns-rtt-us", 3, 500_000)]


@pytest.mark.parametrize(("ask", "answer", "name"), [(query, reply, "dns"), (ping, pong, "icmp")])
def test_what_comes_behind_the_time_out_is_no_answer(
    ask: Callable[[float], Timed], answer: Callable[[float], Timed], name: str
) -> None:
    assert found(ask(10), answer(10 + LATE)) == [(f"{name}-rtt-us", 1, round(LATE * 1e6))]
    assert found(ask(10), answer(10 + LATE + 0.001)) == [(f"{name}-unanswered", 0, 0)]


def test_any_packet_tells_how_late_it_is() -> None:
    """Also one with nothing in it: a response that then comes with an earlier time is late."""
    other = between(CLIENT, SERVER, 10 + LATE + 1, UDP(sport=1, dport=2) / b"something")
    assert found(query(10), other, reply(11)) == [("dns-unanswered", 0, 0)]
    assert found(query(10), reply(11), other) == [("dns-rtt-us", 1, 1_000_000)]
    state = applications.state(0, 1)
    for column, packet in enumerate([query(10), other]):
        assert triples(state.take(applications.records(batch([packet]), column))) == []
    assert triples(state.take(applications.records(batch([reply(11)]), 2))) == []


def test_a_clock_that_went_back_gives_no_time() -> None:
    assert found(query(10), reply(9)) == []


def test_packets_without_a_time_take_no_part() -> None:
    assert found(query(None), reply(11)) == []
    assert found(query(10), reply(None)) == [("dns-unanswered", 0, 0)]


def test_a_response_that_is_a_bare_header_answers() -> None:
    header = bytes.fromhex("000181810000000000000000")
    assert found(query(10), between(SERVER, CLIENT, 11, UDP(sport=53, dport=4000) / header)) == [("dns-rtt-us", 1, 1_000_000)]


def test_multicast_dns_takes_no_part() -> None:
    message = DNS(id=0, qd=DNSQR(qname="a.local"))
    assert found(between(CLIENT, "224.0.0.251", 1, UDP(sport=5353, dport=5353) / message)) == []


def _over_tcp(message: DNS) -> bytes:
    body = bytes(message)
    return len(body).to_bytes(2, "big") + body


def test_dns_over_tcp_two_messages_in_a_segment() -> None:
    tcp = Connection(server_port=53)
    queries = b"".join(_over_tcp(DNS(id=k, qd=DNSQR(qname="a.example"))) for k in (1, 2))
    answers = [_over_tcp(DNS(id=k, qr=1, qd=DNSQR(qname="a.example"))) for k in (2, 1)]
    assert found(tcp.segment(0, 1, queries), tcp.segment(1, 2, answers[0]), tcp.segment(1, 3, answers[1])) == [
        ("dns-rtt-us", 1, 1_000_000),
        ("dns-rtt-us", 2, 2_000_000),
    ]


def test_dns_over_tcp_the_same_segment_again_is_no_query() -> None:
    tcp = Connection(server_port=53)
    data, answer = (_over_tcp(DNS(id=1, qr=k, qd=DNSQR(qname="a.example"))) for k in (0, 1))
    first = tcp.next[0]
    packets = [tcp.segment(0, 1, data), tcp.segment(1, 2, answer), tcp.at(0, 3, first, data)]
    assert found(*packets) == [("dns-rtt-us", 1, 1_000_000)]
    assert found(*packets, tcp.segment(0, 4, data)) == [("dns-rtt-us", 1, 1_000_000), ("dns-unanswered", 3, 0)]


def _many(tcp: Connection, side: int, seconds: float, *numbers: int) -> Timed:
    """One segment with a query (side 0) or a response (1) of each of these ids."""
    messages = [bytes(DNS(id=number, qr=side, qd=DNSQR(qname="a.example"))) for number in numbers]
    return tcp.segment(side, seconds, b"".join(len(one).to_bytes(2, "big") + one for one in messages))


@pytest.mark.parametrize("partitions", [1, 4])
def test_dns_over_tcp_a_packet_has_each_value_once(partitions: int) -> None:
    """Of queries in a packet some stay without response, at different times; of responses in one the first has the time."""
    tcp = Connection(server_port=53)
    packets = [
        _many(tcp, 0, 1, *range(20), 7),  # the first of both 7 is ended by the second
        _many(tcp, 1, 1.5, 3, 4, 5),
        _many(tcp, 0, 7, 10),  # ends the one of that id
        _many(tcp, 1, 8, 10, 11),
        query(LATE + 20, 1, vlan=7),
        reply(LATE + 20, 1, vlan=7),
    ]
    states = [applications.state(k, partitions) for k in range(partitions)]
    records = [applications.records(batch([packet]), k) for k, packet in enumerate(packets)]
    said = [one for part in records for state in states for one in triples(state.take(part))]
    said += [one for state in states for one in triples(state.end())]
    assert sorted(said) == [
        ("dns-rtt-us", 1, 500_000),
        ("dns-rtt-us", 3, 1_000_000),
        ("dns-rtt-us", 5, 0),
        ("dns-unanswered", 0, 0),
    ]


def test_echo_requests_and_replies() -> None:
    assert found(ping(1), pong(1.25), pong(1.5)) == [("icmp-rtt-us", 1, 250_000)]
    assert found(ping(1), pong(1.25, seq=2)) == [("icmp-unanswered", 0, 0)]
    # Of the same request twice the reply is to the later one, as in tshark
    assert found(ping(1), ping(2), pong(2.5)) == [("icmp-rtt-us", 2, 500_000), ("icmp-unanswered", 0, 0)]
    # Other than in tshark the data do not matter
    assert found(ping(1), pong(1.25, data=b"y" * 8)) == [("icmp-rtt-us", 1, 250_000)]


def test_echo_to_groups_takes_no_part() -> None:
    assert found(ping(1, target="224.0.0.1"), pong(2), ping(3, target="255.255.255.255")) == []


def test_a_host_that_pings_itself() -> None:
    assert found(ping(1, target=CLIENT), pong(1.5, source=CLIENT)) == [("icmp-rtt-us", 1, 500_000)]


def test_icmpv6_echo() -> None:
    def of(source: str, destination: str, seconds: float, kind: type) -> Timed:
        return Timed(seconds, bytes(Ether() / IPv6(src=source, dst=destination) / kind(id=1, seq=2, data=b"x")))

    request, answer = of("fe80::1", "fe80::2", 1, ICMPv6EchoRequest), of("fe80::2", "fe80::1", 1.5, ICMPv6EchoReply)
    assert found(request, answer) == [("icmp-rtt-us", 1, 500_000)]
    assert found(request) == [("icmp-unanswered", 0, 0)]
    assert found(of("fe80::1", "ff02::1", 1, ICMPv6EchoRequest)) == []


def test_what_an_icmp_error_quotes_is_no_query() -> None:
    quoted = bytes(IP(src=CLIENT, dst=SERVER) / UDP(sport=4000, dport=53) / DNS(id=9, qd=DNSQR(qname="a.example")))
    assert found(between(SERVER, CLIENT, 1, IP(proto=1) / (b"\x03\x03" + bytes(6) + quoted))) == []


def test_http_the_response_has_the_time_and_the_request_the_status() -> None:
    tcp = Connection()
    assert found(tcp.segment(0, 1, REQUEST % 1), tcp.segment(1, 1.5, RESPONSE % 404)) == [
        ("http-request-status", 0, 404),
        ("http-response-us", 1, 500_000),
    ]


def test_http_a_request_without_response_and_a_response_without_request() -> None:
    tcp = Connection()
    assert found(tcp.segment(0, 1, REQUEST % 1)) == []
    assert found(tcp.segment(1, 1, RESPONSE % 200)) == []


def test_http_pipelined_requests_are_answered_in_order() -> None:
    tcp = Connection()
    packets = [tcp.segment(0, 1 + k, REQUEST % k) for k in range(3)]
    packets += [tcp.segment(1, 10 + k, RESPONSE % (200 + k)) for k in range(3)]
    assert found(*packets) == [
        *(("http-request-status", k, 200 + k) for k in range(3)),
        *(("http-response-us", 3 + k, 9_000_000) for k in range(3)),
    ]


def test_http_several_messages_in_a_packet() -> None:
    """Each status once, and the time of the first response."""
    tcp = Connection()
    requests = tcp.segment(0, 1, b"".join(REQUEST % k for k in range(3)))
    responses = tcp.segment(1, 2, RESPONSE % 200 + RESPONSE % 404 + RESPONSE % 200)
    assert found(requests, responses) == [
        ("http-request-status", 0, 200),
        ("http-request-status", 0, 404),
        ("http-response-us", 1, 1_000_000),
    ]


def test_http_interim_responses_answer_nothing() -> None:
    tcp = Connection()
    packets = [
        tcp.segment(0, 1, REQUEST % 1),
        tcp.segment(1, 2, b"HTTP/1.1 100 Continue\r\n\r\n"),
        tcp.segment(1, 3, RESPONSE % 200),
    ]
    assert found(*packets) == [("http-request-status", 0, 200), ("http-response-us", 2, 2_000_000)]


def test_http_switching_protocols_is_a_response() -> None:
    tcp = Connection()
    packets = [tcp.segment(0, 1, REQUEST % 1), tcp.segment(1, 2, b"HTTP/1.1 101 Switching Protocols\r\n\r\n")]
    assert found(*packets) == [("http-request-status", 0, 101), ("http-response-us", 1, 1_000_000)]


def test_http_the_same_segments_again_are_nothing_new() -> None:
    tcp = Connection()
    first = tcp.next.copy()
    packets = [tcp.segment(0, 1, REQUEST % 1), tcp.at(0, 2, first[0], REQUEST % 1), tcp.segment(0, 3, REQUEST % 2)]
    packets += [tcp.segment(1, 4, RESPONSE % 200), tcp.at(1, 5, first[1], RESPONSE % 200), tcp.segment(1, 6, RESPONSE % 404)]
    assert found(*packets) == [
        ("http-request-status", 0, 200),
        ("http-request-status", 2, 404),
        ("http-response-us", 3, 3_000_000),
        ("http-response-us", 5, 3_000_000),
    ]


def test_http_a_response_that_was_not_captured_puts_nothing_out_of_step() -> None:
    tcp = Connection()
    packets = [tcp.segment(0, 1, REQUEST % 1)]
    tcp.next[1] += 500
    packets += [tcp.segment(0, 3, REQUEST % 2), tcp.segment(1, 4, RESPONSE % 404)]
    assert found(*packets) == [("http-request-status", 1, 404), ("http-response-us", 2, 1_000_000)]


def test_http_a_request_that_was_not_captured_puts_nothing_out_of_step() -> None:
    """The next request comes before the lost one's response in the capture, and acknowledges it."""
    tcp = Connection()
    begin = tcp.next[1]
    data = RESPONSE % 200
    tcp.next[1] += len(data)
    packets = [tcp.segment(0, 2, REQUEST % 2), tcp.at(1, 2.1, begin, data), tcp.segment(1, 3, RESPONSE % 404)]
    assert found(*packets) == [("http-request-status", 0, 404), ("http-response-us", 2, 1_000_000)]


def test_http_sequence_numbers_go_round() -> None:
    tcp = Connection(first=2**32 - 10)
    tcp.next[1] = 2**32 - 5
    packets = [tcp.segment(k % 2, k, REQUEST % 1 if k % 2 == 0 else RESPONSE % 200) for k in range(4)]
    assert [column for name, column, _ in found(*packets) if name == "http-response-us"] == [1, 3]


def test_http_a_syn_begins_anew() -> None:
    tcp = Connection()
    old = tcp.segment(0, 1, REQUEST % 1)
    tcp.next = [10, 20]
    packets = [old, tcp.segment(0, 2, flags="S"), tcp.segment(0, 3, REQUEST % 1), tcp.segment(1, 4, RESPONSE % 200)]
    assert found(*packets) == [("http-request-status", 2, 200), ("http-response-us", 3, 1_000_000)]


def test_http_a_response_behind_the_time_out_is_none() -> None:
    late = http.TIMEOUT / 1e9
    for seconds, count in ((late, 2), (late + 0.001, 0)):
        tcp = Connection()
        assert len(found(tcp.segment(0, 1, REQUEST % 1), tcp.segment(1, 1 + seconds, RESPONSE % 200))) == count


def test_what_is_settled_comes_at_once_or_when_it_is_late() -> None:
    state = applications.state(0, 1)
    tcp = Connection()
    packets = [query(1), ping(2), tcp.segment(0, 3, REQUEST % 1)]
    assert triples(state.take(applications.records(batch(packets), 100))) == []
    assert (state.waiting(), state.conversations()) == (100, 3)
    assert triples(state.expire(round((1 + LATE) * 1e9))) == []
    assert triples(state.expire(round((1 + LATE) * 1e9) + 1)) == [("dns-unanswered", 100, 0)]
    assert (state.waiting(), state.conversations()) == (101, 2)
    assert triples(state.expire(round((2 + LATE) * 1e9) + 1)) == [("icmp-unanswered", 101, 0)]
    assert (state.waiting(), state.conversations()) == (102, 1)
    assert triples(state.expire(10**15)) == []
    assert (state.waiting(), state.conversations()) == (None, 0)


def test_a_tcp_header_that_is_cut_is_none() -> None:
    whole = between(CLIENT, SERVER, 1, TCP(sport=1, dport=80, flags="S")).packet
    assert found(Timed(1, whole[:50]), Timed(2, whole[:20]), Timed(3, b"")) == []
