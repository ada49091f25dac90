"""Random bytes on every link type: no packet may raise, hang, or give what is no field value."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.accuracy import corpus
from capture.packets.decode_errors import DECODE_ERRORS
from capture.packets.labels.layers import LAYERS, RARE_LAYERS
from capture.packets.layers import layer_tree
from capture.packets.reading import read_batch
from capture.packets.registry import FIELDS
from capture.packets.scapy_dissector.linktypes import FIRST_HEADERS
from capture.packets.scapy_dissector.packet import dissect_packet
from capture.packets.scapy_dissector.walk import Found, Walk
from capture.packets.sources import open_capture
from tests.capture.packets.test_scapy_deeper_fields import TUNNELS, UNREACHABLE
from tests.capture.packets.test_scapy_headers import HTTP, IPV4_TCP, IPV6_UDP, TCP, WRAPPERS, hexed, ipv4, udp
from tests.long import examples

LINKTYPES = [*FIRST_HEADERS, 147, 195, 227, 65535]
PACKETS = [ipv4(6, TCP + HTTP), IPV6_UDP, ipv4(1, UNREACHABLE + IPV4_TCP), *(packet for packet, _ in TUNNELS.values())]
STARTS = [b"", *(head for _, head in WRAPPERS.values()), *PACKETS]


@contextmanager
def no_exception() -> Iterator[None]:
    """Fails where a handler raises: the walk would note that, or keep it to itself behind the transport."""
    noted: list[str] = []
    genuine = Walk.fail

    def fail(walk: Walk, error: str) -> None:
        noted.append(error)
        genuine(walk, error)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Walk, "fail", fail)
        yield
    assert "packet: dissector failed" not in noted


def is_valid(found: Found) -> None:
    assert found.error is None or found.error in DECODE_ERRORS
    assert found.transsrc is None or 0 <= found.transsrc <= 65535
    for name, value in found.values:
        field = FIELDS[name]
        if field.encoding == "text":
            assert isinstance(value, bytes)
        else:
            assert isinstance(value, int) and not isinstance(value, bool)
            assert 0 <= value <= (len(field.choices) - 1 if field.choices else field.maximum or 2**64 - 1), (name, value)
    assert set(found.of("protocols")) <= {name.encode() for name in (*LAYERS, *RARE_LAYERS)}


@settings(max_examples=examples(200, long=1000), deadline=None)
@given(st.sampled_from(LINKTYPES), st.sampled_from(STARTS), st.binary(max_size=300), st.integers(0, 2000))
def test_any_bytes_are_dissected(linktype: int, start: bytes, rest: bytes, wire: int) -> None:
    with no_exception():
        is_valid(dissect_packet(start + rest, linktype, wire))


@settings(max_examples=examples(150, long=500), deadline=None)
@given(st.sampled_from(sorted(WRAPPERS)), st.sampled_from(PACKETS), st.data())
def test_a_damaged_packet_is_dissected(name: str, behind: bytes, data: st.DataObject) -> None:
    linktype, head = WRAPPERS[name]
    packet = bytearray(head + behind)
    for _ in range(data.draw(st.integers(1, 4))):
        packet[data.draw(st.integers(0, len(packet) - 1))] = data.draw(st.integers(0, 255))
    with no_exception():
        is_valid(dissect_packet(bytes(packet), linktype, len(packet)))


@pytest.mark.parametrize(
    ("linktype", "packet", "layers"),
    [
        (101, ipv4(47, hexed("0501 880b 0021") + IPV4_TCP), {b"raw", b"ip", b"gre", b"ppp", b"tcp"}),  # version 1 without a key
        # fields that are said to be there and are not
        (
            127,
            hexed("0000 0800 ff7f4078 0802 0000") + b"\0" * 20 + hexed("aaaa03 000000 0800") + IPV4_TCP,
            {b"radiotap", b"wlan", b"llc", b"ip", b"tcp"},
        ),
        (204, hexed("00 ff02 ff") + b"\0" * 20, {b"ppp"}),
        (101, udp(2152, hexed("34ff 0000 00000001 ffff ff c0 ff")), {b"raw", b"ip", b"udp", b"gtp"}),
    ],
)
def test_headers_that_scapy_s_classes_raise_on(linktype: int, packet: bytes, layers: set[bytes]) -> None:
    with no_exception():
        found = dissect_packet(packet, linktype, len(packet))
    assert set(found.of("protocols")) == layers


@pytest.mark.parametrize(("family", "known"), [("1e000000", True), ("0000001e", True), ("1e000100", False), ("00010002", False)])
def test_an_address_family_is_all_four_bytes(family: str, known: bool) -> None:
    assert (dissect_packet(hexed(family) + IPV6_UDP, 0, 100).error is None) == known


@pytest.mark.needs("../shared")
def test_damaged_packets_of_the_shared_captures_are_dissected() -> None:
    rng = random.Random(4)
    for name in corpus.names():
        if name.endswith(".gz") or name in corpus.NOT_CAPTURES:
            continue
        with open_capture(corpus.PCAPS / name) as source:
            scanned = next(iter(source.scan(20)), None)
        if scanned is None:
            continue
        batch = read_batch(corpus.PCAPS / name, scanned.locator)
        for i in range(len(batch)):
            packet = bytearray(batch.packet(i))
            for _ in range(rng.choice((1, 2, 4)) if packet else 0):
                packet[min(len(packet) - 1, int(rng.expovariate(1 / 40)))] = rng.randrange(256)
            del packet[rng.choice((len(packet), rng.randrange(len(packet) + 1))) :]
            with no_exception():
                is_valid(dissect_packet(bytes(packet), int(batch.locator["linktype"][i]), rng.choice((0, 60, 2000))))


@pytest.mark.parametrize("name", TUNNELS)
def test_a_cut_tunnel_is_dissected(name: str) -> None:
    packet, _ = TUNNELS[name]
    for cut in range(len(packet)):
        with no_exception():
            is_valid(dissect_packet(packet[:cut], 101, len(packet)))


@settings(max_examples=examples(60, long=200), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(LINKTYPES), st.sampled_from(STARTS), st.binary(max_size=300))
def test_any_bytes_have_a_layer_tree_within_the_packet(linktype: int, start: bytes, rest: bytes) -> None:
    data = start + rest
    for layer in layer_tree(data, linktype, len(data)):
        assert 0 <= layer.offset <= layer.offset + layer.length <= len(data)
        for field in layer.fields:
            assert 0 <= field.offset <= field.offset + field.length <= len(data)
            assert isinstance(field.value, str) and isinstance(field.meaning, str)
