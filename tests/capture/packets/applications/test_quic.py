"""QUIC: long headers (RFC 9000, RFC 9369), the ClientHello in Initial packets (RFC 9001), Google's QUIC of before."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from capture.packets.applications.quic_initial import MOST_INITIALS, SALTS, client_keys
from capture.packets.applications.quic_packets import MOST_PACKETS
from tests.capture.packets.applications.both import Values, assert_corpus_same, assert_same, both
from tests.capture.packets.applications.quic_examples import (
    CLIENT_HELLO,
    CLIENT_INITIAL,
    CLIENT_INITIAL_2,
    RETRY,
    SERVER_INITIAL,
)
from tests.capture.packets.applications.quic_making import (
    HANDSHAKE,
    V1,
    V2,
    ZERO_RTT,
    chlo,
    crypto,
    initial,
    keys,
    long_packet,
    varint,
)  # fmt: skip
from tests.capture.packets.applications.tls_making import client_hello, message, server_name, versions
from tests.capture.packets.sources.writing import Packet, pcap
from tests.capture.packets.test_scapy_headers import udp

VERSION, SNI, MESSAGE = "quic-version", "tls-sni", "tls-handshake"
# of the ClientHello of RFC 9001, A.2; the JA3 is tshark's of that packet
EXAMPLE: Values = {
    MESSAGE: [1],
    SNI: [b"example.com"],
    "tls-alpn": [b"alpn"],
    "tls-version": [0x0304],
    "tls-ja3": [b"41bc9ae914d6cb3bd0bd0a5453ab7d7f"],
    "tls-ja4": [b"q13d0211an_62ed6f6ca7ad_4d634acda6c0"],
}
Q050, T050, T051 = 0x51303530, 0x54303530, 0x54303531
PING, ACK = b"\1", b"\2" + varint(7) + varint(300) + varint(1) + varint(0) + varint(1) + varint(2)
ACK_ECN = b"\3" + ACK[1:] + varint(1) + varint(2) + varint(3)


def quic(datagram: bytes) -> Values:
    return both("QUIC", datagram, "udp", 40000, 443)


@pytest.mark.parametrize(("packet", "version"), [(CLIENT_INITIAL, V1), (CLIENT_INITIAL_2, V2)])
def test_the_rfcs_examples_of_a_clients_initial_packet(packet: bytes, version: int) -> None:
    assert quic(packet) == {VERSION: [version], **EXAMPLE}


def test_the_rfcs_examples_of_keys() -> None:
    """RFC 9001, A.1, and RFC 9369, A.1."""
    connection_id = bytes.fromhex("8394c8f03e515708")
    assert [key.hex() for key in client_keys(V1, connection_id)] == [
        "1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c", "9f50449e04a0e810283a1e9933adedd2"
    ]  # fmt: skip
    assert [key.hex() for key in client_keys(V2, connection_id)] == [
        "8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f", "45b95e15235d6f45a6b19cbcb0294ba9"
    ]  # fmt: skip


@pytest.mark.parametrize("packet", [SERVER_INITIAL, RETRY])
def test_a_servers_packets_have_their_version_only(packet: bytes) -> None:
    assert quic(packet) == {VERSION: [V1]}


def test_packets_that_do_not_authenticate_have_their_version_only() -> None:
    for at in (20, 300, 1199):
        damaged = bytearray(CLIENT_INITIAL)
        damaged[at] ^= 1
        assert assert_same("QUIC", bytes(damaged), "udp", 40000, 443) == {VERSION: [V1]}


def test_a_datagram_that_is_cut_has_its_version_only() -> None:
    assert quic(CLIENT_INITIAL[:1199]) == {VERSION: [V1]}
    assert quic(CLIENT_INITIAL[:5]) == {VERSION: [V1]}
    assert quic(CLIENT_INITIAL[:4]) == {}


@pytest.mark.parametrize("version", SALTS)
def test_every_version_whose_salt_is_known(version: int) -> None:
    kind = 8 if version in (Q050, T050, T051) else 6
    hello = chlo((b"SNI\0", b"example.com")) if version == Q050 else CLIENT_HELLO
    packet = initial(crypto(0, hello, kind), size=1162, version=version, salt=SALTS[version])
    assert quic(packet)[SNI] == [b"example.com"]


@pytest.mark.needs("tshark")
def test_tshark_reads_the_same_of_every_version(tmp_path: Path) -> None:
    """So the salts, which are written down once here, are right."""
    packets = []
    for i, version in enumerate(SALTS):
        kind = 8 if version in (Q050, T050, T051) else 6
        hello = chlo((b"SNI\0", b"example.com")) if version == Q050 else CLIENT_HELLO
        connection_id = b"conn" + bytes((1, 2, 3, i))
        frames = initial(crypto(0, hello, kind), size=1162, version=version, salt=SALTS[version], connection_id=connection_id)
        packet = bytearray(udp(443, frames))
        packet[21] = i  # a source port of its own
        packets.append(Packet(bytes(packet), len(packet)))
    path = tmp_path / "versions.pcap"
    path.write_bytes(pcap(packets, word=101))
    names = ("quic.version", "tls.handshake.extensions_server_name", "gquic.tag.sni")
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", *(part for name in names for part in ("-e", name))]
    lines = subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines()
    want = [(f"0x{v:08x}", *(("", "example.com") if v == Q050 else ("example.com", ""))) for v in SALTS]
    assert [tuple(line.split("\t")) for line in lines] == want


@pytest.mark.parametrize("number_size", [1, 2, 3, 4])
def test_packet_numbers_of_every_length(number_size: int) -> None:
    assert quic(initial(crypto(0, CLIENT_HELLO), number=77, number_size=number_size))[SNI] == [b"example.com"]


@pytest.mark.parametrize(("token", "source_id"), [(b"", b"s" * 20), (b"t" * 70, b""), (b"t" * 300, b"source")])
def test_tokens_and_connection_ids(token: bytes, source_id: bytes) -> None:
    packet = initial(crypto(0, CLIENT_HELLO), token=token, source_id=source_id, connection_id=b"d" * 20)
    assert quic(packet)[SNI] == [b"example.com"]
    assert quic(initial(crypto(0, CLIENT_HELLO), token=token, connection_id=b""))[SNI] == [b"example.com"]


def test_crypto_frames_come_in_any_order_among_others() -> None:
    parts = [crypto(at, CLIENT_HELLO[at : at + 50]) for at in (100, 0, 200, 150, 50)]
    packet = initial(PING, parts[0], parts[1], b"\0" * 9, ACK, parts[2], PING, parts[3], ACK_ECN, parts[4], size=1162)
    assert quic(packet) == {VERSION: [V1], **EXAMPLE}


def test_crypto_frames_that_overlap() -> None:
    packet = initial(crypto(0, CLIENT_HELLO[:90]), crypto(30, CLIENT_HELLO[30:70]), crypto(80, CLIENT_HELLO[80:]))
    assert quic(packet) == {VERSION: [V1], **EXAMPLE}


def test_a_hello_in_several_packets_of_a_datagram() -> None:
    datagram = initial(crypto(120, CLIENT_HELLO[120:]), number=1) + initial(crypto(0, CLIENT_HELLO[:120]), number=2)
    assert quic(datagram) == {VERSION: [V1], **EXAMPLE}


def test_a_hello_in_several_datagrams_counts_up_to_its_cut() -> None:
    hello = client_hello(server_name(b"first.example"), versions(0x0304))
    behind = hello.index(b"first.example") + len(b"first.example")
    assert quic(initial(crypto(0, hello[:behind]), size=600)) == {VERSION: [V1], MESSAGE: [1], SNI: [b"first.example"]}
    assert quic(initial(crypto(0, hello[: behind - 1]), size=600)) == {VERSION: [V1], MESSAGE: [1]}
    assert quic(initial(crypto(0, hello[:40]), crypto(41, hello[41:]), size=600)) == {VERSION: [V1], MESSAGE: [1]}
    assert quic(initial(crypto(40, hello[40:]), size=600)) == {VERSION: [V1]}


@pytest.mark.parametrize(
    "stops",
    [
        pytest.param(b"\x1c\0\0\0", id="connection close"),
        pytest.param(b"\x08\0\0", id="stream"),
        pytest.param(b"\x06\0\x7f\xff", id="crypto beyond the packet"),
        pytest.param(b"\x06\xff", id="half a number"),
        pytest.param(b"\x02\0\0\xbf\xff\xff\xff", id="more ranges than bytes"),
    ],
)
def test_frames_end_where_an_initial_packet_has_none(stops: bytes) -> None:
    assert quic(initial(crypto(0, CLIENT_HELLO), stops)) == {VERSION: [V1], **EXAMPLE}
    assert SNI not in quic(initial(stops, crypto(0, CLIENT_HELLO)))


def test_packets_of_several_versions_and_kinds_in_a_datagram() -> None:
    first = initial(crypto(0, CLIENT_HELLO))
    second = long_packet(b"x" * 40, version=V2, kind=ZERO_RTT)
    third = long_packet(b"x" * 40, version=0xFF00001D, kind=HANDSHAKE)
    assert quic(first + second + third + b"\x40short header")[VERSION] == [V1, V2, 0xFF00001D]
    assert quic(second + first)[SNI] == [b"example.com"]
    assert quic(second + third)[VERSION] == [V2, 0xFF00001D]


def test_bytes_behind_a_packet_that_are_none() -> None:
    assert quic(initial(crypto(0, CLIENT_HELLO)) + b"\xc0\x12\x34\x56\x78" + bytes(30))[VERSION] == [V1]
    assert quic(initial(crypto(0, CLIENT_HELLO)) + bytes(30))[VERSION] == [V1]


def test_version_negotiation() -> None:
    """RFC 9000, 17.2.1: the versions that it lists are not those of packets."""
    assert quic(bytes.fromhex("ca 00000000 08 1122334455667788 04 aabbccdd 00000001 6b3343cf 1a2a3a4a")) == {VERSION: [0]}


@pytest.mark.parametrize(
    ("version", "known"),
    [
        (0x1A2A3A4A, True),  # reserved to force negotiation (RFC 9000, 15)
        (0xFF000001, True), (0xFF000015, True), (0xFF000022, True), (0xFF0000A0, False), (0xFF000100, False), (0xFF000000, False),
        (0xFACEB003, True), (0x709A50C4, True), (0x51303436, True), (0x54303438, True),
        (0x51304136, False), (0x52303436, False), (2, False), (0x12345678, False),
    ],
)  # fmt: skip
def test_versions_that_quic_has_or_had(version: int, known: bool) -> None:
    assert quic(b"\xc3" + version.to_bytes(4, "big") + bytes(40)) == ({VERSION: [version]} if known else {})


@pytest.mark.parametrize("at", [5, 6])
def test_connection_ids_that_are_too_long_end_the_datagram(at: int) -> None:
    packet = bytearray(initial(crypto(0, CLIENT_HELLO), connection_id=b""))
    packet[at] = 21
    assert quic(bytes(packet)) == {VERSION: [V1]}


def test_lengths_beyond_the_datagram() -> None:
    head = b"\xc0\0\0\0\1\0\0"
    assert quic(head + b"\xff" * 8 + bytes(40)) == {VERSION: [V1]}  # the token
    assert quic(head + b"\0" + b"\xff" * 8 + bytes(40)) == {VERSION: [V1]}  # the packet
    assert quic(head + b"\0" + varint(0) + head + b"\0" + varint(3) + bytes(3)) == {VERSION: [V1]}
    assert quic(head + b"\0" + varint(20) + bytes(20)) == {VERSION: [V1]}


def test_only_so_many_packets_of_a_datagram_are_decrypted() -> None:
    void = long_packet(b"\0" * 8, side=b"server in")
    hello = initial(crypto(0, CLIENT_HELLO))
    assert quic(void * (MOST_INITIALS - 1) + hello)[SNI] == [b"example.com"]
    assert SNI not in quic(void * MOST_INITIALS + hello)


def test_only_so_many_packets_of_a_datagram_are_looked_at() -> None:
    void = long_packet(b"", kind=ZERO_RTT)
    assert quic(void * (MOST_PACKETS - 1) + CLIENT_INITIAL)[SNI] == [b"example.com"]
    assert SNI not in quic(void * MOST_PACKETS + CLIENT_INITIAL)
    assert quic(void * MOST_PACKETS + CLIENT_INITIAL_2)[VERSION] == [V1]


def test_messages_behind_the_hello_and_others_first() -> None:
    assert quic(initial(crypto(0, CLIENT_HELLO + message(8, b"ab"))))[MESSAGE] == [1, 8]
    assert quic(initial(crypto(0, message(7, b"ab") + CLIENT_HELLO))) == {VERSION: [V1]}


def google(version: bytes, hello: bytes) -> bytes:
    """A client's first packet up to Q043: flags, connection id, version, packet number, hash, STREAM frame 1."""
    frame = b"\xa0\1" + len(hello).to_bytes(2, "little") + hello
    return b"\x0d" + b"connecti" + version + b"\1" + b"h" * 12 + frame


@pytest.mark.parametrize("version", [b"Q025", b"Q035", b"Q039", b"Q043"])
def test_googles_quic(version: bytes) -> None:
    hello = chlo((b"PAD\0", b"-" * 60), (b"SNI\0", b"old.example"), (b"VER\0", version))
    assert quic(google(version, hello)) == {VERSION: [int.from_bytes(version, "big")], SNI: [b"old.example"]}


def test_googles_quic_in_long_headers() -> None:
    packet = b"\xc3Q046\x50connecti\0\0\0\1" + b"h" * 12 + b"\xa0\1\x80\0" + chlo((b"SNI\0", b"old.example"))
    assert quic(packet) == {VERSION: [0x51303436], SNI: [b"old.example"]}


def test_google_packets_without_a_hello() -> None:
    assert quic(google(b"Q043", b"\x99" * 80)) == {VERSION: [0x51303433]}
    assert quic(google(b"Q043", chlo((b"PAD\0", b"--")))) == {VERSION: [0x51303433]}
    assert quic(b"\x0c" + google(b"Q043", chlo((b"SNI\0", b"old.example")))[1:]) == {}  # the flag that a version follows
    assert quic(google(b"Qx43", chlo((b"SNI\0", b"old.example")))) == {}


def test_a_google_hello_that_lies_or_is_cut() -> None:
    whole = google(b"Q043", chlo((b"PAD\0", b"--"), (b"SNI\0", b"old.example")))
    assert SNI not in quic(whole[:-1])
    assert SNI not in quic(whole.replace(b"SNI\0\x0d\0\0\0", b"SNI\0\x01\0\0\0"))
    assert SNI not in quic(whole.replace(b"CHLO\2\0", b"CHLO\xff\xff"))


def test_our_makers_keys_are_the_rfcs() -> None:
    assert keys(SALTS[V1], bytes.fromhex("8394c8f03e515708")) == client_keys(V1, bytes.fromhex("8394c8f03e515708"))
    assert long_packet(crypto(0, CLIENT_HELLO).ljust(1162, b"\0")) == CLIENT_INITIAL


def test_nothing_of_a_payload_that_is_none() -> None:
    assert quic(b"") == {}
    assert quic(b"\x40" + bytes(40)) == {}
    assert quic(b"\xff" * 100) == {}


def test_both_readers_find_the_same_in_the_shared_captures_and_in_damaged_payloads() -> None:
    assert assert_corpus_same("QUIC") > 15
