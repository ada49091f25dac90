"""SIP's methods (RFC 3261, 7, 18.3, 20.14, 20.16, 25.1)."""

from __future__ import annotations

import pytest

from tests.capture.packets.applications.both import assert_corpus_same, both
from tests.capture.packets.applications.figures import packets_with

INVITE = b"INVITE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/TCP pc33.example.com\r\nCSeq: 314159 INVITE\r\n"


def methods(payload: bytes, transport: str = "tcp") -> list[bytes | int]:
    return both("SIP", payload, transport, 5060, 5060).get("sip-method", [])


def response(cseq: bytes) -> bytes:
    return b"SIP/2.0 200 OK\r\nTo: <sip:bob@example.com>\r\n" + cseq + b"\r\nContent-Length: 0\r\n\r\n"


def test_a_request_has_its_method() -> None:
    assert methods(INVITE + b"\r\n", "udp") == [b"INVITE"]
    assert methods(b"OPTIONS sip:a SIP/2.0\nCSeq: 1 OPTIONS\n\n", "udp") == [b"OPTIONS"]


def test_cseq_of_a_request_says_nothing_new() -> None:
    assert methods(b"ACK sip:a SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n") == [b"ACK"]


@pytest.mark.parametrize(
    "cseq", [b"CSeq: 4711 REGISTER", b"cseq:4711 REGISTER", b"CSEQ \t:\t0001 \tREGISTER ", b"CSeq: 1 REGISTER;x"]
)
def test_a_response_has_the_method_of_cseq_however_it_is_written(cseq: bytes) -> None:
    assert methods(response(cseq), "udp") == [b"REGISTER"]


def test_a_method_is_a_token() -> None:
    """RFC 3261, 25.1: extension-method = token. CSeq's is as sent."""
    assert methods(response(b"CSeq: 1 x-Do.it!%*_+`'~9"), "udp") == [b"x-Do.it!%*_+`'~9"]


@pytest.mark.parametrize(
    "cseq", [b"CSeq: REGISTER", b"CSeq: 1", b"CSeq: 1 ", b"CSeq: 1REGISTER", b"CSeq: 1 \xff", b"CSeq", b"X-CSeq: 1 BYE", b""]
)
def test_a_response_without_a_method_has_none(cseq: bytes) -> None:
    assert methods(response(cseq), "udp") == []


def test_the_messages_of_a_segment_follow_one_another_by_their_length() -> None:
    body = b"BYE sip:not-this SIP/2.0\r\n\r\n"
    invite = INVITE + b"Content-Length: %d\r\n\r\n" % len(body) + body
    ack = b"ACK sip:a SIP/2.0\r\nl : 2\r\n\r\n.."
    bye = b"BYE sip:a SIP/2.0\r\n\r\n"
    assert methods(invite + response(b"CSeq: 2 NOTIFY") + b"\r\n\r\n" + ack + bye) == [b"INVITE", b"NOTIFY", b"ACK", b"BYE"]


def test_a_datagram_holds_one_message() -> None:
    """18.3: bytes beyond the end of the body are discarded."""
    assert methods(response(b"CSeq: 2 NOTIFY") + INVITE + b"\r\n", "udp") == [b"NOTIFY"]


@pytest.mark.parametrize(
    "length",
    [
        b"",
        b"Content-Length: x\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length:\r\n",
        b"Content-Length: 9999999999\r\n",
        b"Content-Length: 999999999\r\n",
        b"X-Content-Length: 0\r\n",
    ],
)
def test_without_a_length_the_rest_of_the_segment_is_the_body(length: bytes) -> None:
    assert methods(INVITE + length + b"\r\n" + b"BYE sip:b SIP/2.0\r\n\r\n") == [b"INVITE"]


def test_lines_count_when_their_end_is_there() -> None:
    assert methods(b"SIP/2.0 200 OK\r\nCSeq: 1 INVI", "udp") == []
    assert methods(b"SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\nVia: cut", "udp") == [b"INVITE"]
    assert methods(b"REGISTER sip:a SIP/2.0", "udp") == []


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"A sip:a SIP/2.0\r\n\r\n",
        b"invite sip:a SIP/2.0\r\n\r\n",
        b"INVITE  SIP/2.0\r\n\r\n",
        b"INVITE sip:a  SIP/2.0\r\n\r\n",
        b"INVITE sip:a\tSIP/2.0\r\n\r\n",
        b"INVITE sip:a SIP/2.0 \r\n\r\n",
        b"SIP/2.0 2000 OK\r\nCSeq: 1 BYE\r\n\r\n",
        b"SIP/3.0 200 OK\r\nCSeq: 1 BYE\r\n\r\n",
        b"ABCDEFGHIJKLMNOPQRSTU sip:a SIP/2.0\r\n\r\n",
    ],
)
def test_what_does_not_begin_like_a_message_has_no_method(payload: bytes) -> None:
    assert methods(payload) == []


def test_methods_are_those_that_tshark_sees() -> None:
    # tshark has five more INVITEs: in the datagrams that ICMP errors quote
    assert packets_with("sip-method", "protocols/ipfixprobe__sip.pcap") == {"INVITE": 10, "REGISTER": 30}


def test_both_readers_agree_on_real_and_damaged_messages() -> None:
    assert assert_corpus_same("SIP") > 30
