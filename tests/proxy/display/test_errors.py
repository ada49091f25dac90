"""Every error says what is wrong, where, and what else could have been written."""

from __future__ import annotations

import pytest

from indexing.calls import QueryError
from proxy.display.compile import compile_filter


def error(text: str) -> QueryError:
    with pytest.raises(QueryError) as caught:
        compile_filter(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("tcp.prot == 80", 0, "did you mean tcp.port"),
        ("ip and Ip.Src == 10.0.0.1", 7, "did you mean ip.src"),
        ("nosuchthing", 0, "no such field: nosuchthing"),
        ("outer:ip.scr", 6, "did you mean ip.src"),
        ("tcp &&", 6, "it ends where something must follow"),
        ("(tcp", 4, "it ends"),
        ("tcp)", 3, '")" was not expected'),
        ("tcp AND udp", 4, 'write "and"'),
        ("tcp.port = 80", 9, 'write "=="'),
        ("tcp.port in {80 443}", 16, "commas stand between"),
        ("tcp.port in {80,443,}", 20, "an element must stand here"),
        ("tcp.port in {}", 13, "an element must stand here"),
        ('http.host == "a', 13, 'the closing " is missing'),
        (r'http.host matches "\.com"', 19, r"\. is no escape"),
        (r'http.host == "\uD800"', 14, "is no character"),
        ("tcp.port == 'ab'", 12, "one character"),
        ("http.host matches ^a", 18, "put the text in quotes"),
        ('http.host matches "("', 18, "regular expression"),
        (r'http.host matches "(a)\\1"', 18, "references to groups"),
        ('tcp.completeness == 7', 0, 'ask for tcp-handshake in {"complete"'),
        ("tcp.analysis.tfo_syn", 0, "of the analysis the index has tcp.analysis.flags"),
        ("tcp.analysis.retransmision", 0, "did you mean tcp.analysis.retransmission"),
        ("tcp && tcp.analysis.rto > 1", 7, "ask for tcp.analysis.retransmission"),
        ("dns.response_in == 7", 0, "ask for the conversation, flow(...), or for dns-unanswered"),
        ("tcp.analysis.retransmission == 1", 0, "has no value to look at"),
        ("tcp.analysis.retransmission in {1}", 0, "has no value to look at"),
        ("tcp.analysis.retransmission[0] == 1", 0, "has no value to look at"),
        ("dns.time > 10ms", 11, "10ms is no number of seconds"),
        ('dns.time > "1"', 11, "is no number of seconds"),
        ("icmp.resptime > 1e2", 16, "is no number of milliseconds"),
        ("http.time contains 1", 0, "is a length of time"),
        ("tcp.analysis.ack_rtt & 1", 0, "takes the bits of a number"),
        ("len(dns.time) > 1", 4, "is a number"),
        ("tcp.port == 65536", 12, "too large for tcp.port, whose greatest is 65535"),
        ("tcp.port == -1", 12, "too small"),
        ("tcp.port == " + "9" * 5000, 12, "too large"),
        ("tcp.port == 08", 12, "08 is no number"),
        ("tcp.port == 80.5", 12, "no number"),
        ('tcp.port == "80"', 12, "without quotes"),
        ("ip.ttl == 256", 10, "greatest is 255"),
        ("tcp.flags == 65536", 13, "greatest is 65535"),
        ("tcp.flags.syn == maybe", 17, "neither true nor false"),
        ("ip.src == 10.0.0.256", 10, "no IPv4 address"),
        ("ip.src == ::1", 10, "no IPv4 address"),
        ("ip.src == 010.0.0.1", 10, "no IPv4 address"),
        ("ip.src == 10.0.0.1/33", 10, "0 to 32"),
        ('ip.src == "10.0.0.1"', 10, "without quotes"),
        ("ipv6.src == fe80::1%1", 19, "was not expected"),
        ("eth.src == 00:0c:29", 11, "it has 3 bytes, not 6"),
        ("eth.src[0:2] == 0x0a0b", 16, "no row of bytes"),
        ("eth.src[0:0] == 00", 8, "one byte at least"),
        ("eth.src[::3] == 00", 8, "no range of bytes"),
        ("tcp.port contains 80", 0, "is a number"),
        ('ip.src matches "10"', 0, "is an address"),
        ('eth.src matches "a"', 0, "is a MAC address"),
        ("tcp.port[0] == 1", 0, "no bytes to take"),
        ("tcp[13] == 2", 0, "its bytes are not indexed"),
        ('tcp contains "a"', 0, "its bytes are not indexed"),
        ("tcp.flags.syn & 1", 0, "takes the bits of a number"),
        ("frame.len & 1", 0, "too many values"),
        ("ip.src == ip.dst", 10, "two fields of a packet cannot be compared"),
        ("tcp.srcport == tcp.dstport", 15, "two fields"),
        ("len(http.host)", 0, "has to be compared"),
        ("lower(tcp.port) == 1", 0, "takes text"),
        ('lower(upper(http.host)) == "a"', 6, "takes a field"),
        ('lower(http.host) in {"a"}', 6, "only a field"),
        ("count(ip.src) == 2", 0, "a row does not say how often"),
        ("max(tcp.srcport, tcp.dstport) > 5", 0, "max()"),
        ("nosuch(http.host) == 1", 0, "nosuch()"),
        ("tcp.stream == 1", 0, "numbered anew in every capture"),
        ("ip or frame.time_delta > 1", 6, "depends on the packet before"),
        ("_ws.expert.message", 0, "what dissectors remark is not indexed"),
        ("frame.encap_type == 1", 0, "ask for linktype"),
        ("ip.frag_offset > 0", 0, "ask for fragment"),
        ("frame.time == 1333333710", 14, "frame.time_epoch"),
        ('frame.time >= "yesterday"', 14, "is no time"),
        ("frame.time_epoch >= soon", 20, "no number of seconds"),
        ('frame.protocols == "eth:ip"', 0, "ask for a protocol by its name"),
        ("ip.src#1 == 10.0.0.1", 6, "outer:"),
        ("tcp.port % 2 == 0", 9, "arithmetic"),
        ("any tcp.port !== 80", 13, "write one"),
        ("flow(tcp, udp)", 0, "one filter"),
        ("outer:inner-ttl == 5", 6, "no value in the first IP header"),
    ],
)
def test_an_error_has_a_place_and_says_what_to_do(text, position, words):
    found = error(text)
    assert words in str(found)
    assert (found.position, found.status) == (position, 400)


def test_a_filter_has_a_greatest_length_and_depth():
    assert error("tcp or " * 40_000 + "tcp").status == 413
    assert "more than 200" in str(error("!" * 300 + "tcp"))
