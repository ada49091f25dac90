"""TLS: records and the handshake messages in them (RFC 8446, 5.1 and 4; RFC 5246, 7.4), hellos whole and cut."""

from __future__ import annotations

import subprocess

import pytest

from capture.packets.applications import tls_hello
from capture.packets.fast.applications.tls import _LONGEST_MESSAGE, _NEXT_PROTOCOL, _TYPES
from tests.capture.packets.applications.both import Values, assert_corpus_same, both, plain
from tests.capture.packets.applications.tls_making import (
    RANDOM,
    alpn,
    client_hello,
    extension,
    groups,
    hello_body,
    message,
    record,
    server_hello,
    server_name,
    signatures,
    vector,
    versions,
    words,
)
from tests.components import SHARED

CHANGE_CIPHER_SPEC = record(b"\1", 20)
FINISHED = record(bytes.fromhex("f0e1d2c3b4a5968778695a4b3c2d1e0f0011223344556677"))  # encrypted
TYPE, HANDSHAKE, VERSION, SNI, ALPN = "tls-type", "tls-handshake", "tls-version", "tls-sni", "tls-alpn"


def tls(payload: bytes) -> Values:
    """What both readers find, without fingerprints: those have their own tests."""
    return {
        name: values for name, values in both("TLS", payload, "tcp", 40000, 443).items() if name not in ("tls-ja3", "tls-ja4")
    }


def test_each_record_that_begins_in_the_segment_has_its_type() -> None:
    assert tls(record(b"\2\x28", 21) + record(b"a" * 40, 23) + record(b"\1\0\0" + b"b" * 20, 24)) == {TYPE: [21, 23, 24]}


def test_a_record_that_the_segment_cuts_has_begun_in_it() -> None:
    assert tls(record(b"a", 23) + record(b"b" * 900, 23)[:5]) == {TYPE: [23]}
    assert tls(record(b"a", 23) + record(b"\2\x28", 21)[:5]) == {TYPE: [23, 21]}
    assert tls(record(b"a", 23) + record(b"\2\x28", 21)[:4]) == {TYPE: [23]}


@pytest.mark.parametrize(
    "follows",
    [
        pytest.param(bytes.fromhex("19 0303 0001 00"), id="type that is none"),
        pytest.param(bytes.fromhex("15 0403 0002 0228"), id="major version"),
        pytest.param(bytes.fromhex("15 0305 0002 0228"), id="minor version"),
        pytest.param(bytes.fromhex("15 0303 0000 00"), id="no bytes"),
        pytest.param(bytes.fromhex("15 0303 4801 00"), id="longer than a record can be"),
        pytest.param(bytes.fromhex("14 0303 0002 0101"), id="change cipher spec of two bytes"),
    ],
)
def test_records_end_where_none_begins(follows: bytes) -> None:
    assert tls(record(b"a", 23) + follows + record(b"\2\x28", 21)) == {TYPE: [23]}


def test_client_hello() -> None:
    hello = client_hello(
        server_name(b"example.com"), alpn(b"h2", b"http/1.1"), versions(0x0304, 0x0303), ciphers=[0x1301, 0xC02F]
    )
    assert tls(record(hello)) == {
        TYPE: [22], HANDSHAKE: [1], SNI: [b"example.com"], ALPN: [b"h2", b"http/1.1"], VERSION: [0x0304, 0x0303]
    }  # fmt: skip


def test_a_client_hello_without_supported_versions_has_its_legacy_version() -> None:
    assert tls(record(client_hello(version=0x0301)))[VERSION] == [0x0301]
    assert tls(record(client_hello(server_name(b"a.example"), version=0x0303)))[VERSION] == [0x0303]
    assert tls(record(client_hello(server_name(b"a.example"), version=0x0300)))[VERSION] == [0x0300]


def test_a_server_hello_has_the_version_it_chose() -> None:
    assert tls(record(server_hello(extension(43, words(0x0304)), session=b"s" * 32))) == {
        TYPE: [22],
        HANDSHAKE: [2],
        VERSION: [0x0304],
    }
    assert tls(record(server_hello(alpn(b"h2"), version=0x0302))) == {
        TYPE: [22],
        HANDSHAKE: [2],
        VERSION: [0x0302],
        ALPN: [b"h2"],
    }
    assert tls(record(server_hello(version=0x0300)))[VERSION] == [0x0300]


def test_names_in_a_server_hello_are_no_names_asked_for() -> None:
    assert SNI not in tls(record(server_hello(server_name(b"example.com"))))


def test_only_host_names_are_server_names() -> None:
    names = vector(b"\1" + vector(b"other") + b"\0" + vector(b"host.example"))
    assert tls(record(client_hello(extension(0, names))))[SNI] == [b"host.example"]
    assert tls(record(client_hello(server_name(b"one.example", b"", b"two.example"))))[SNI] == [b"one.example", b"two.example"]


def test_names_are_bytes_as_sent() -> None:
    name = b"B\xc3\xbccher\0.example"
    assert tls(record(client_hello(server_name(name))))[SNI] == [name]


def test_grease_is_no_version_and_no_protocol() -> None:
    hello = client_hello(
        extension(0x2A2A), versions(0x9A9A, 0x0304, 0x0A1A), alpn(b"\x8a\x8a", b"h2", b"\x8a\x9a", b"\x8a\x8a\x8a")
    )
    found = tls(record(hello))
    assert found[VERSION] == [0x0304, 0x0A1A]  # GREASE's two bytes are equal
    assert found[ALPN] == [b"h2", b"\x8a\x9a", b"\x8a\x8a\x8a"]
    assert VERSION not in tls(record(client_hello(version=0x1A1A)))


def test_each_message_of_a_record_has_its_type() -> None:
    flight = server_hello(version=0x0303) + message(11, b"c" * 600) + message(12, b"k" * 70) + message(14, b"")
    assert tls(record(flight)) == {TYPE: [22], HANDSHAKE: [2, 11, 12, 14], VERSION: [0x0303]}


def test_messages_in_records_of_their_own() -> None:
    flight = (server_hello(version=0x0303), message(11, b"c" * 600), message(22, b"o" * 90), message(14, b""))
    assert tls(b"".join(map(record, flight)))[HANDSHAKE] == [2, 11, 22, 14]


@pytest.mark.parametrize("size", [1, 3, 40, 100])
def test_a_hello_in_fragments_is_put_together(size: int) -> None:
    """RFC 8446, 5.1: handshake messages may be fragmented across several records."""
    hello = client_hello(server_name(b"fragmented.example"), versions(0x0304)) + message(16, b"more")
    payload = b"".join(record(hello[i : i + size]) for i in range(0, len(hello), size))
    assert tls(payload) == {TYPE: [22], HANDSHAKE: [1, 16], SNI: [b"fragmented.example"], VERSION: [0x0304]}


def test_a_fragmented_hello_is_as_whole_as_one_in_a_single_record() -> None:
    hello = client_hello(server_name(b"example.com"), groups(29), signatures(0x0403))
    whole = both("TLS", record(hello))
    assert both("TLS", record(hello[:30]) + record(hello[30:31]) + record(hello[31:])) == whole
    assert "tls-ja4" in whole


def test_messages_of_unknown_type_are_encrypted_ones() -> None:
    assert tls(FINISHED) == {TYPE: [22]}
    assert tls(record(bytes((7,)) + vector(b"", 3))) == {TYPE: [22]}


def test_behind_a_change_of_ciphers_messages_are_encrypted() -> None:
    looks_plain = record(message(20, b"x" * 36))
    assert tls(record(message(16, b"key")) + CHANGE_CIPHER_SPEC + looks_plain) == {TYPE: [22, 20], HANDSHAKE: [16]}
    assert tls(looks_plain)[HANDSHAKE] == [20]


def test_a_second_client_hello_behind_a_change_of_ciphers_is_not_encrypted() -> None:
    """RFC 8446, D.4: after a HelloRetryRequest the client may send a dummy ChangeCipherSpec first."""
    again = record(client_hello(server_name(b"again.example")))
    assert tls(CHANGE_CIPHER_SPEC + again) == {TYPE: [20, 22], HANDSHAKE: [1], SNI: [b"again.example"], VERSION: [0x0303]}


def test_an_explicit_nonce_of_zeros_is_no_series_of_hello_requests() -> None:
    assert tls(record(bytes(8) + b"\x9c" * 32)) == {TYPE: [22]}
    assert tls(record(message(0, b"")))[HANDSHAKE] == [0]


def test_a_server_hello_done_has_no_bytes() -> None:
    assert HANDSHAKE not in tls(record(message(14, b"x")))


def test_a_message_that_goes_on_behind_the_segment_has_begun() -> None:
    assert tls(record(message(11, b"c" * 3000))[:500])[HANDSHAKE] == [11]
    assert tls(record(message(11, b"c" * 3000)[:500]))[HANDSHAKE] == [11]


def test_a_message_that_ends_nowhere_is_none() -> None:
    """Its records are followed by others: so what looked like its length was encrypted."""
    assert tls(record(message(11, b"c" * 3000)[:500]) + record(b"a", 23)) == {TYPE: [22, 23]}
    assert HANDSHAKE not in tls(record(b"\x0b\x02\x00\x01" + b"c" * 50))


def test_the_longest_message() -> None:
    assert tls(record(b"\x0b\x02\x00\x00" + b"c" * 50))[HANDSHAKE] == [11]


def test_a_cut_hello_has_what_stands_before_the_cut() -> None:
    hello = record(client_hello(server_name(b"cut.example"), alpn(b"h2", b"h3"), versions(0x0304)))
    behind_name = hello.index(b"cut.example") + len(b"cut.example")
    assert tls(hello[:behind_name]) == {TYPE: [22], HANDSHAKE: [1], SNI: [b"cut.example"]}
    assert tls(hello[: behind_name - 1]) == {TYPE: [22], HANDSHAKE: [1]}
    behind_protocol = hello.index(b"h2") + 2
    assert tls(hello[:behind_protocol])[ALPN] == [b"h2"]
    assert tls(hello[: behind_protocol + 2])[ALPN] == [b"h2"]
    assert VERSION not in tls(hello[:-1])


def test_a_cut_hello_has_a_legacy_version_only_if_no_extension_can_say_other() -> None:
    """RFC 8446, 4.1.2: a client of TLS 1.3 has TLS 1.2 there."""
    assert tls(record(client_hello(server_name(b"a.example"), version=0x0302))[:60])[VERSION] == [0x0302]
    assert VERSION not in tls(record(client_hello(server_name(b"a.example"), version=0x0303))[:60])
    assert VERSION not in tls(record(server_hello(alpn(b"h2"), version=0x0303))[:50])


def test_a_cut_hello_has_no_fingerprints() -> None:
    hello = record(client_hello(server_name(b"a.example"), groups(29)))
    assert {"tls-ja3", "tls-ja4"} <= both("TLS", hello).keys()
    assert not {"tls-ja3", "tls-ja4"} & both("TLS", hello[:-1]).keys()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(hello_body(extension(0, vector(b"\0" + vector(b"a.example")))[:-3] + b""), id="extension beyond its list"),
        pytest.param(words(0x0303) + RANDOM + b"\xff" + bytes(40), id="session id beyond the message"),
        pytest.param(words(0x0303) + RANDOM + b"\0" + words(400) + bytes(40), id="ciphers beyond the message"),
        pytest.param(hello_body() + words(500) + server_name(b"b.example"), id="extensions beyond the message"),
        pytest.param(hello_body() + b"\0", id="half a length"),
        pytest.param(words(0x0303) + RANDOM[:10], id="ends in its random"),
    ],
)
def test_a_malformed_hello_has_no_fingerprints_and_no_legacy_version(body: bytes) -> None:
    assert not {"tls-ja3", "tls-ja4", VERSION} & both("TLS", record(message(1, body))).keys()


def test_a_malformed_hello_keeps_what_went_before() -> None:
    body = hello_body(server_name(b"kept.example"), alpn(b"h2"), words(43, 9) + b"\2\3")
    assert tls(record(message(1, body))) == {TYPE: [22], HANDSHAKE: [1], SNI: [b"kept.example"], ALPN: [b"h2"]}


def test_lengths_inside_an_extension_that_lie() -> None:
    names = extension(0, words(200) + b"\0" + vector(b"first.example") + b"\0" + words(99) + b"second")
    protocols = extension(16, words(3) + vector(b"h2", 1) + vector(b"h3", 1))
    assert tls(record(client_hello(names, protocols)))[SNI] == [b"first.example"]
    assert tls(record(client_hello(names, protocols)))[ALPN] == [b"h2"]


@pytest.mark.parametrize("version", [0x0002, 0x0300, 0x0301, 0x0303])
def test_an_ssl_2_hello_has_its_version(version: int) -> None:
    """RFC 5246, E.2."""
    body = b"\1" + words(version, 6, 0, 16) + bytes.fromhex("000035 00000a") + bytes(16)
    assert tls((0x8000 | len(body)).to_bytes(2, "big") + body) == {VERSION: [version]}


def test_types_of_messages_are_the_same_in_both_readers() -> None:
    assert {kind for kind in range(256) if kind == _NEXT_PROTOCOL or _TYPES >> kind & 1} == tls_hello._TYPES
    assert _LONGEST_MESSAGE == tls_hello.LONGEST


def test_nothing_of_a_payload_that_is_none() -> None:
    assert tls(b"") == {}
    assert tls(b"GET / HTTP/1.1\r\n\r\n") == {}
    assert tls(b"\x16" * 300) == {}


def test_segments_full_of_the_smallest_records_and_messages() -> None:
    assert tls((record(b"x", 23)) * 240) == {TYPE: [23]}
    assert tls(record(message(5, b"") * 250))[HANDSHAKE] == [5]
    assert tls(record(message(1, b"") * 100) + record(message(2, b"\3\3") * 90)) == {TYPE: [22], HANDSHAKE: [1, 2]}
    assert len(tls(record(client_hello(*[versions(*range(0x0400, 0x0478))] * 5)))[VERSION]) == 0x78


def test_both_readers_find_the_same_in_the_shared_captures_and_in_damaged_payloads() -> None:
    assert assert_corpus_same("TLS") > 3000


@pytest.mark.needs("tshark", "../shared")
def test_server_names_and_ja3_are_tsharks() -> None:
    """On the hundred clients of one capture."""
    path = SHARED / "pcaps" / "protocols" / "mercury__top_100_fingerprints.pcap"
    fields = ["tls.handshake.extensions_server_name", "tls.handshake.ja3", "tls.handshake.extensions_alpn_str"]
    command = ["tshark", "-n", "-r", str(path), "-Y", "tls.handshake.ja3", "-T", "fields", "-e", "tcp.payload"]
    command += [argument for name in fields for argument in ("-e", name)]
    lines = subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines()
    assert len(lines) == 100
    for line in lines:
        payload, *want = line.split("\t")
        found = plain("TLS", bytes.fromhex(payload), "tcp", 40000, 443)
        assert [b",".join(found.get(name, [])).decode() for name in (SNI, "tls-ja3", ALPN)] == want  # type: ignore[arg-type]
