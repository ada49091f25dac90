"""Whatever a packet holds: nothing raises or hangs, both dissectors give the same, and none reads beyond it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hostile.capture import ipv4, udp
from tests.long import examples
from tests.robustness.building import built_packets
from tests.robustness.campaign import complaints
from tests.robustness.mutations import mutations
from tests.robustness.packets import Packet, corpus_packets
from tests.robustness.values import differences, values_of


@pytest.mark.needs("../shared")
def test_damaged_packets_of_the_corpus() -> None:
    """A quick part of `script/fuzz`. Each alone too, but without checked indices: compiling those takes minutes."""
    said = complaints(mutations(7, examples(500, long=1000), corpus_packets()), bounds_check=False)
    assert not said, "\n".join(said[:5])


@settings(
    max_examples=examples(50, long=150), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(st.lists(built_packets(), min_size=1, max_size=5))
def test_built_packets(packets: list[Packet]) -> None:
    fast, scapy = values_of(packets, "fast"), values_of(packets, "scapy")
    said = differences(packets, fast, scapy)
    assert not said, "\n".join(said)
    alone = [values_of([packet], "fast")[0] for packet in packets]
    said = differences(packets, fast, alone)
    assert not said, "\n".join(said)


@pytest.mark.parametrize("dissector", ["fast", "scapy"])
def test_an_empty_packet_and_an_empty_batch(dissector: str) -> None:
    """Nothing on the wire is an error; nothing captured of what was on the wire is none."""
    assert values_of([], dissector) == []
    found = values_of([Packet(b"", 1, 0), Packet(b"", 1, 60)], dissector)
    assert [set(values) for values in found] == [
        {"length", "captured-length", "linktype", "protocols", "error"},
        {"length", "captured-length", "linktype", "protocols", "truncated"},
    ]


@pytest.mark.needs("../shared")
def test_the_same_seed_gives_the_same_packets() -> None:
    some = corpus_packets()
    assert mutations(3, 50, some) == mutations(3, 50, some) != mutations(4, 50, some)
    assert mutations(3, 50, some)[:20] == mutations(3, 20, some)


@pytest.mark.parametrize("flags", [0x00, 0x08, 0x0C, 0x80, 0x84, 0x88, 0x8C, 0xC5])
def test_vxlan_with_any_extension(flags: int) -> None:
    """Scapy reads the header of one with a group policy and a next protocol beyond its eight bytes."""
    inner = bytes(12) + b"\x08\0" + ipv4(17, b"\0\1\0\2\0\x08\0\0")
    packet = Packet(udp(1000, 4789, bytes([flags]) + b"\0\0\0" + b"\0\0\1\0" + inner), 1, 0)
    fast, scapy = values_of([packet], "fast"), values_of([packet], "scapy")
    assert fast == scapy
    assert (b"vxlan" in fast[0]["protocols"]) == bool(flags & 8)
