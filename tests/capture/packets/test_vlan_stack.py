"""Field vlan-stack: all tags before the first IP header, in order; both dissectors (see asking.texts)."""

from __future__ import annotations

import numpy as np
import pytest

from capture.packets.fast.vlan_stack import vlan_stacks
from tests.capture.packets.asking import texts
from tests.capture.packets.test_scapy_headers import IPV4_TCP, MACS, hexed, ipv4


@pytest.mark.parametrize(
    ("tags", "stack"),
    [
        ("", set()),
        ("8100 a064", {"100"}),
        ("88a8 0064", {"100"}),
        ("8100 0000", {"0"}),
        ("8100 0064 8100 00c8", {"100,200"}),
        ("8100 00c8 8100 0064", {"200,100"}),
        ("88a8 2fff 8100 e001", {"4095,1"}),
        ("9100 0001 9200 0002 9300 0003 8100 0004 88a8 0001", {"1,2,3,4,1"}),
        ("8100 0007 8100 0007", {"7,7"}),
    ],
)
def test_tags_in_order_the_outermost_first(tags: str, stack: set[str]) -> None:
    assert texts(MACS + hexed(tags) + hexed("0800") + IPV4_TCP, 1).get("vlan-stack", set()) == stack


def test_tags_behind_the_first_ip_header_are_another_networks() -> None:
    inner = MACS + hexed("8100 0002 0800") + IPV4_TCP
    tunnel = ipv4(97, hexed("3000") + inner)
    assert texts(MACS + hexed("8100 0001 0800") + tunnel, 1)["vlan-stack"] == {"1"}
    assert "vlan-stack" not in texts(MACS + hexed("0800") + tunnel, 1)


def test_a_tag_in_a_pseudowire_stands_before_the_first_ip_header() -> None:
    inner = MACS + hexed("8100 0002 0800") + IPV4_TCP
    assert texts(MACS + hexed("8100 0001 8847 00064140 00000000") + inner, 1)["vlan-stack"] == {"1,2"}


def test_packets_that_are_not_ip_have_one_too() -> None:
    arp = hexed("0806 0001 0800 0604 0001 00005e005302 0a000001 000000000000 0a000002")
    assert texts(MACS + hexed("8100 0064") + arp, 1)["vlan-stack"] == {"100"}


def test_a_tag_that_is_cut_off_is_none() -> None:
    whole = MACS + hexed("88a8 0001 8100 0064 0800")
    assert texts(whole[:21], 1, wire=60)["vlan-stack"] == {"1"}
    assert texts(whole[:22], 1, wire=60)["vlan-stack"] == {"1,100"}


def test_as_many_tags_as_headers_are_read() -> None:
    stack = ",".join(str(n) for n in range(63))
    tags = b"".join(b"\x81\x00" + n.to_bytes(2, "big") for n in range(70))
    assert texts(MACS + tags + hexed("0800") + IPV4_TCP, 1)["vlan-stack"] == {stack}


def test_many_packets_at_once_as_one_by_one() -> None:
    random = np.random.default_rng(5)
    stacks = [[int(tag) for tag in random.integers(0, 4, random.integers(0, 5))] for _ in range(500)]
    packet = np.repeat(np.arange(500, dtype=np.uint32), [len(one) for one in stacks])
    found = vlan_stacks(packet, np.array([tag for one in stacks for tag in one], np.uint64))
    wanted = {i: b",".join(b"%d" % tag for tag in one) for i, one in enumerate(stacks) if one}
    assert {int(i): found.values[code] for i, code in zip(found.packet, found.code, strict=True)} == wanted
    assert len(found.packet) == len(wanted)
    assert sorted(found.values) == sorted(set(wanted.values()))
