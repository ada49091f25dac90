"""HTTP (RFC 9112; RFC 9110 for header fields) and SSDP (UPnP Device Architecture 2.0, 1.2 and 1.3)."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tests.capture.packets.applications.both import Values, assert_corpus_same, assert_same, both
from tests.capture.packets.applications.figures import packets_with

GET = b"GET /index.html?q=1 HTTP/1.1\r\nHost: a.example:8080\r\nUser-Agent: curl/8\r\nAccept: */*\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nServer: nginx/1.2\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 4\r\n\r\nabcd"


def of_headers(*lines: bytes) -> Values:
    """What both readers find in the headers of a request."""
    found = both("HTTP", b"POST / HTTP/1.1\r\n" + b"".join(lines) + b"\r\n")
    assert (found.pop("http-method"), found.pop("http-path")) == ([b"POST"], [b"/"])
    return found


def methods(payload: bytes) -> list[bytes | int]:
    return both("HTTP", payload).get("http-method", [])


def test_a_request() -> None:
    assert both("HTTP", GET) == {
        "http-method": [b"GET"],
        "http-path": [b"/index.html?q=1"],
        "http-hostname": [b"a.example:8080"],
        "http-useragent": [b"curl/8"],
    }


def test_a_response() -> None:
    assert both("HTTP", OK, "tcp", 80, 40000) == {
        "http-status": [200],
        "http-server": [b"nginx/1.2"],
        "http-contenttype": [b"text/html; charset=utf-8"],
    }


@pytest.mark.parametrize(
    ("line", "target"),
    [
        (b"GET http://a.example/b HTTP/1.1\r\n", b"http://a.example/b"),
        (b"CONNECT a.example:443 HTTP/1.1\r\n", b"a.example:443"),
        (b"OPTIONS * HTTP/1.1\r\n", b"*"),
        (b"GET /a b\tc HTTP/1.1\r\n", b"/a b\tc"),
        (b"GET   /a   HTTP/1.0 \t\r\n", b"/a"),
        (b"GET /\xff\x00 HTTP/1.1\n", b"/\xff\x00"),
        (b"GET /index.html\r\n", b"/index.html"),  # HTTP/0.9
        (b"GET /cut/by/the/segm", b"/cut/by/the/segm"),
        (b"GET /a HTTP/1.", b"/a"),
    ],
)
def test_the_target_is_as_sent(line: bytes, target: bytes) -> None:
    assert both("HTTP", line)["http-path"] == [target]


def test_a_line_cut_behind_the_method_has_no_target() -> None:
    assert both("HTTP", b"GET ") == {"http-method": [b"GET"]}


@pytest.mark.parametrize(
    "line",
    [b"Host:a\r\n", b"host: a\r\n", b"HOST:\t a \t\r\n", b"hOsT \t: a\r\n", b"Host: a\n", b"Host: a\r", b"X: y\r\nHost: a\r\n"],
)
def test_a_header_however_it_is_written(line: bytes) -> None:
    assert of_headers(line) == {"http-hostname": [b"a"]}


@pytest.mark.parametrize(
    "line", [b"Hos: a", b"Hosts: a", b"X-Host: a", b"Ho st: a", b"Host a", b"Host", b"H\x4fst\x00: a", b"Host:"]
)
def test_other_headers_and_empty_ones_are_no_values(line: bytes) -> None:
    assert of_headers(line + b"\r\n") == {}


def test_a_carriage_return_is_no_hyphen() -> None:
    assert of_headers(b"User\rAgent: a\r\nUser-Agent: b\r\n") == {"http-useragent": [b"b"]}


def test_a_header_that_comes_again_has_both_values() -> None:
    assert of_headers(b"Host: a\r\n", b"Host: b\r\n") == {"http-hostname": [b"a", b"b"]}


def test_values_are_bytes_as_sent() -> None:
    assert of_headers(b"User-Agent: \xff\x00 : x\r\n") == {"http-useragent": [b"\xff\x00 : x"]}


def test_folded_lines_are_one_value() -> None:
    """RFC 9112, 5.2: each fold is replaced with blanks."""
    assert of_headers(b"User-Agent: one\r\n  two \r\n\tthree\r\n") == {"http-useragent": [b"one two three"]}
    assert of_headers(b"User-Agent:\r\n \r\n two\r\n") == {"http-useragent": [b"two"]}


def test_a_fold_behind_another_header_is_not_ours() -> None:
    assert of_headers(b"Host: a\r\nAccept: b\r\n c\r\n") == {"http-hostname": [b"a"]}
    assert of_headers(b" c\r\nHost: a\r\nno colon\r\n d\r\n") == {"http-hostname": [b"a"]}


def test_two_folded_values_do_not_mix() -> None:
    found = of_headers(b"Host: a\r\n b\r\nUser-Agent: c\r\n d\r\nContent-Type: e\r\n")
    assert found == {"http-hostname": [b"a b"], "http-useragent": [b"c d"], "http-contenttype": [b"e"]}


def test_a_header_line_that_the_segment_cuts_counts_as_far_as_it_goes() -> None:
    assert both("HTTP", b"GET / HTTP/1.1\r\nHost: a.exa")["http-hostname"] == [b"a.exa"]


def test_a_segment_that_goes_on_with_a_message_has_no_values() -> None:
    assert both("HTTP", b"Host: a\r\nUser-Agent: b\r\n\r\n") == {}


def test_pipelined_requests_are_found_behind_their_bodies() -> None:
    first = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 16\r\n\r\nGET /x HTTP/1.1\r"
    found = both("HTTP", first + b"PUT /b HTTP/1.1\r\nHost: b\r\n\r\n" + GET)
    assert found["http-path"] == [b"/a", b"/b", b"/index.html?q=1"]
    assert found["http-hostname"] == [b"a", b"b", b"a.example:8080"]


def test_a_body_that_goes_on_in_the_next_segment_ends_this_one() -> None:
    assert methods(b"POST / HTTP/1.1\r\nContent-Length: 1000\r\n\r\nGET / HTTP/1.1\r\n\r\n") == [b"POST"]


def test_empty_lines_before_a_request_are_passed_over() -> None:
    """RFC 9112, 2.2."""
    assert methods(b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx\r\n\nGET / HTTP/1.1\r\n\r\n") == [b"POST", b"GET"]


def test_several_responses() -> None:
    payload = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n" + OK + b"HTTP/1.0 404\n\n"
    assert both("HTTP", payload)["http-status"] == [100, 304, 200, 404]


@pytest.mark.parametrize(
    "header",
    [
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
        b"Content-Length: 0\r\nTRANSFER-ENCODING: chunked\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: +0\r\n",
        b"Content-Length: 0x0\r\n",
        b"Content-Length: 99999999999999999999\r\n",
        b"Content-Length:\r\n",
    ],
)
def test_behind_a_body_of_unknown_length_nothing_is_guessed(header: bytes) -> None:
    assert methods(b"POST / HTTP/1.1\r\n" + header + b"\r\nGET / HTTP/1.1\r\n\r\n") == [b"POST"]


def test_a_response_without_a_length_goes_on_to_the_connections_end() -> None:
    assert both("HTTP", b"HTTP/1.1 200 OK\r\n\r\n" + OK)["http-status"] == [200]
    assert "http-server" not in both("HTTP", b"HTTP/1.1 200 OK\r\n\r\n" + OK)


def test_host_and_agent_are_of_requests() -> None:
    assert both("HTTP", b"HTTP/1.1 200 OK\r\nHost: a\r\nUser-Agent: b\r\n c\r\nServer: d\r\n\r\n") == {
        "http-status": [200],
        "http-server": [b"d"],
    }


@pytest.mark.parametrize(
    "line", [b"HTTP/1.1 20", b"HTTP/1.1 2000 OK\r\n", b"HTTP/1 200 OK\r\n", b"HTTP/1.1  200 OK\r\n", b"HTTP/1.1 20x\r\n"]
)
def test_no_status_line(line: bytes) -> None:
    assert "http-status" not in both("HTTP", line)


def test_ssdp() -> None:
    notify = (
        b"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nCACHE-CONTROL: max-age=1800\r\nNT: upnp:rootdevice\r\n"
        b"SERVER: Linux/6.1 UPnP/1.0 x/1\r\n\r\n"
    )
    assert both("SSDP", notify, "udp", 1900, 1900) == {
        "http-method": [b"NOTIFY"],
        "http-path": [b"*"],
        "http-hostname": [b"239.255.255.250:1900"],
        "http-server": [b"Linux/6.1 UPnP/1.0 x/1"],
    }
    search = b'M-SEARCH * HTTP/1.1\r\nHOST:239.255.255.250:1900\r\nMAN:"ssdp:discover"\r\nUSER-AGENT:Chrome/1\r\n\r\n'
    assert both("SSDP", search, "udp", 50000, 1900)["http-useragent"] == [b"Chrome/1"]
    answer = b"HTTP/1.1 200 OK\r\nST: ssdp:all\r\nSERVER: x\r\n\r\n"
    assert both("SSDP", answer, "udp", 1900, 50000) == {"http-status": [200], "http-server": [b"x"]}


def test_segments_full_of_small_messages_and_folds() -> None:
    assert assert_same("HTTP", b"GET /\n\n" * 9000) == {"http-method": [b"GET"], "http-path": [b"/"]}
    folded = assert_same("HTTP", b"GET / HTTP/1.1\r\nHost:a" + b"\n b" * 20_000)
    assert folded["http-hostname"] == [b"a" + b" b" * 20_000]


def test_pieces_of_messages_in_any_order() -> None:
    pieces = [
        b"GET", b" ", b"  ", b"\t", b"/x", b" HTTP/1.1", b"HTTP/1.1 ", b"200", b"204", b"\r\n", b"\n", b"\r", b"\r\n\r\n",
        b"Host", b":", b"User-Agent: u", b"content-length: 3", b"Transfer-Encoding:", b"Server:s", b"Content-Type", b"a",
        b"POST / HTTP/1.0\r\n", b"HTTP/1.1 200 OK\r\n",
    ]  # fmt: skip
    rng = random.Random(9112)
    for _ in range(3000):
        start = rng.choice(
            (b"GET / HTTP/1.1\r\n", b"HTTP/1.1 304 x\r\n", b"HTTP/1.1 200 x\r\ncontent-length: 0\r\n", b"POST /x", b"")
        )
        assert_same("HTTP", start + b"".join(rng.choices(pieces, k=rng.randrange(16))))


@pytest.mark.parametrize("application", ["HTTP", "SSDP"])
def test_readers_agree_on_the_shared_captures(application: str) -> None:
    assert assert_corpus_same(application) > 300


# what tshark, which looks at one segment with those before it in mind, finds otherwise: see tests of the scapy dissector
@pytest.mark.parametrize(
    "capture",
    ["protocols/zeek__wikipedia.pcap", "protocols/zeek__http__concurrent-range-requests.pcap", "formats/nfstream__ps_vue.pcap"],
)
@pytest.mark.parametrize(("field", "theirs"), [("http-hostname", "http.host"), ("http-method", "http.request.method")])
def test_every_value_of_a_packet_is_tsharks(shared: Path, capture: str, field: str, theirs: str) -> None:
    told = json.loads((shared / "pcaps/truth" / f"{capture}.json").read_text())
    assert packets_with(field, capture) == told["any"][theirs]


UPLOAD, BRO, ATTACK = (
    "protocols/arkime__http-post-upload.pcap",
    "protocols/zeek__http__bro.org.pcap",
    "protocols/nfstream__WebattackSQLinj.pcap",
)
BOUNDARY = "multipart/form-data; boundary=----WebKitFormBoundaryAe47vGj7ybAe6RwO"


# tshark 4.0.17, options as in `figures`, with -o tcp.analyze_sequence_numbers:FALSE -o http.desegment_headers:FALSE (and body)
@pytest.mark.parametrize(
    ("field", "capture", "figures"),
    [
        ("http-status", "protocols/zeek__wikipedia.pcap", {"304": 15}),
        ("http-contenttype", "protocols/zeek__wikipedia.pcap", {"image/png": 13, "text/html; charset=utf-8": 1}),
        ("http-status", UPLOAD, {"200": 6}),
        ("http-server", UPLOAD, {"Apache-Coyote/1.1": 6}),
        ("http-contenttype", UPLOAD, {"text/html;charset=UTF-8": 6, BOUNDARY: 2}),
        ("http-path", UPLOAD, {"/fileupload/": 4, "/fileupload/servlet/UploadHandleServlet": 2}),
        ("http-server", BRO, {"Apache/2.4.6 (Fedora)": 31}),
        ("http-contenttype", ATTACK, {"text/html;charset=utf-8": 7, "text/html; charset=UTF-8": 2}),
    ],
)
def test_counts_are_tsharks(field: str, capture: str, figures: dict[str, int]) -> None:
    assert packets_with(field, capture) == figures
