"""Field `protocols`: Wireshark's short name of every layer met."""

from __future__ import annotations

import pytest

from capture.packets.labels.layers import LAYERS, RARE_LAYERS
from capture.packets.labels.leaves import CISCO_LEAVES, ETHERTYPE_LEAVES, IP_PROTOCOL_LEAVES, LLC_LEAVES, PPP_LEAVES
from capture.packets.scapy_dissector.layer_names import LAYER_NAMES
from capture.packets.scapy_dissector.walk import HANDLERS
from tests.capture.packets.asking import texts
from tests.capture.packets.test_scapy_deeper_fields import TUNNELS
from tests.capture.packets.test_scapy_headers import (
    IPV4_TCP,
    IPV6_UDP,
    MACS,
    TCP,
    UDP,
    WRAPPERS,
    hexed,
    ipv4,
    ipv6,
    udp,
)


def layers(packet: bytes, linktype: int = 101, wire: int = 0) -> set[str | int]:
    return texts(packet, linktype, wire).get("protocols", set()) - {"raw"}


# what stands before an IPv4 packet in WRAPPERS -> its layers
LINKS = {
    "ethernet": "eth",
    "vlan": "eth vlan",
    "stacked vlans": "eth ieee8021ad vlan",
    "pbb": "eth ieee8021ah",
    "pppoe": "eth pppoes ppp",
    "mpls": "eth mpls",
    "mpls pseudowire with control word": "eth mpls",
    "cisco metadata": "eth cmd",
    "802.3 with snap": "eth llc",
    "802.3 with ip in llc": "eth llc",
    "bsd null little-endian": "null",
    "bsd null big-endian": "null",
    "openbsd loop": "null",
    "token ring": "tr llc",
    "token ring with source routing": "tr llc",
    "arcnet": "arcnet",
    "arcnet linux": "arcnet",
    "slip": "",
    "ppp": "ppp",
    "ppp with hdlc": "ppp",
    "ppp with compressed protocol": "ppp",
    "ppp hdlc": "ppp",
    "cisco hdlc under ppp hdlc": "chdlc",
    "pppoe link type": "pppoes ppp",
    "fddi": "fddi llc",
    "raw": "",
    "raw of old": "",
    "atm": "llc",
    "cisco hdlc": "chdlc",
    "802.11": "wlan llc",
    "802.11 qos": "wlan llc",
    "802.11 four addresses": "wlan llc",
    "802.11 a-msdu": "wlan llc",
    "radiotap": "radiotap wlan llc",
    "prism": "prism wlan llc",
    "avs": "wlancap wlan llc",
    "ppi": "ppi wlan llc",
    "frame relay": "fr",
    "frame relay with snap": "fr",
    "frame relay of cisco": "fr",
    "enc": "enc",
    "linux sll": "sll",
    "linux sll2": "sll",
    "pflog": "pflog",
    "ip over fibre channel": "ipfc llc",
    "ppp with direction": "ppp",
    "pppd": "ppp",
    "mpls link type": "mpls",
    "ipnet": "ipnet",
    "ipv4": "",
    "nflog": "nflog",
    "netanalyzer": "netanalyzer eth",
    "netanalyzer transparent": "netanalyzer eth",
    "ipoib": "ipoib",
    "pktap": "pktap eth",
    "mpacket": "fpp eth",
    "dsa": "eth",
    "edsa": "eth",
}


@pytest.mark.parametrize("name", WRAPPERS)
def test_link_layers(name: str) -> None:
    linktype, head = WRAPPERS[name]
    assert layers(head + IPV4_TCP, linktype) == {*LINKS[name].split(), "ip", "tcp"}


@pytest.mark.parametrize(("linktype", "raw"), [(101, True), (12, True), (14, True), (228, False), (109, False)])
def test_raw_is_the_link_type_that_does_not_say_the_version(linktype: int, raw: bool) -> None:
    assert ("raw" in texts(WRAPPERS["enc"][1] * (linktype == 109) + IPV4_TCP, linktype)["protocols"]) == raw


@pytest.mark.parametrize(
    ("packet", "names"),
    [
        (IPV6_UDP, "ipv6 udp data"),
        (ipv6(0, hexed("2b00 010400000000") * 1 + hexed("3c00 010400000000") + hexed("2c00 010400000000")
              + hexed("1100 0000 00000001") + UDP), "ipv6 ipv6.hopopts ipv6.routing ipv6.dstopts ipv6.fraghdr udp data"),
        (ipv6(135, hexed("8b00 010400000000") + hexed("8c00 010400000000") + hexed("3b00 010400000000")), "ipv6 mipv6 hip shim6"),
        (ipv6(51, hexed("1101 0000 00000001 00000001") + UDP), "ipv6 ah udp data"),
        (ipv4(51, hexed("1101 0000 00000001 00000001") + UDP), "ip ah udp data"),
        (ipv4(136, UDP), "ip udplite data"),
        (ipv4(132, hexed("9c400050 00000001 00000000 0b000004")), "ip sctp"),
        (ipv4(1, hexed("0303 0000 00000000") + IPV6_UDP), "ip icmp"),
        (ipv6(58, hexed("0104 0000 00000000") + IPV6_UDP), "ipv6 icmpv6"),
        (ipv4(17, UDP, flags=1), "ip"),
        (ipv4(6, TCP + b"GET / HTTP/1.1\r\n\r\n"), "ip tcp http"),
        (ipv4(253, UDP), "ip"),
    ],
)  # fmt: skip
def test_behind_ip(packet: bytes, names: str) -> None:
    assert layers(packet) == set(names.split())


IN_TUNNELS = {
    "ipip": "ip tcp",
    "6in4": "ip ipv6 udp data",
    "4in6": "ipv6 ip tcp",
    "6in6": "ipv6 udp data",
    "gre": "ip gre tcp",
    "pptp": "ip gre ppp tcp",
    "erspan I": "ip gre erspan eth tcp",
    "erspan II": "ip gre erspan eth tcp",
    "erspan III": "ip gre erspan eth tcp",
    "etherip": "ip etherip eth tcp",
    "mpls-in-ip": "ipv6 mpls ip tcp",
    "vxlan": "ip udp vxlan eth tcp",
    "geneve": "ip udp geneve eth tcp",
    "gtp-u": "ip udp gtp tcp",
    "teredo": "ip udp teredo ipv6 data",
    "l2tp": "ip udp l2tp ppp tcp",
    "mpls-in-udp": "ip udp mpls tcp",
    "one in the other": "ip ipv6 gre tcp",
}


@pytest.mark.parametrize("name", TUNNELS)
def test_tunnels(name: str) -> None:
    assert layers(TUNNELS[name][0]) == set(IN_TUNNELS[name].split())


def test_a_tunnel_that_is_not_recognised_is_data() -> None:
    assert layers(udp(4789, b"\0" * 30)) == {"ip", "udp", "data"}


def test_gre_with_cisco_metadata() -> None:
    assert layers(ipv4(47, hexed("0000 8909 0800 0101 0001 0007") + IPV4_TCP)) == {"ip", "gre", "cmd", "tcp"}


@pytest.mark.parametrize(("number", "name"), ETHERTYPE_LEAVES.items())
def test_ethertypes_that_are_only_named(number: int, name: str) -> None:
    assert layers(MACS + number.to_bytes(2, "big") + b"\0" * 46, 1) == {"eth", name}


@pytest.mark.parametrize(("number", "name"), IP_PROTOCOL_LEAVES.items())
def test_ip_protocols_that_are_only_named(number: int, name: str) -> None:
    assert layers(ipv4(number, b"\0" * 20)) == {"ip", name}
    assert layers(ipv6(number, b"\0" * 20)) == {"ipv6", name}


@pytest.mark.parametrize(("number", "name"), PPP_LEAVES.items())
def test_ppp_protocols_that_are_only_named(number: int, name: str) -> None:
    assert layers(hexed("ff03") + number.to_bytes(2, "big") + b"\0" * 20, 9) == {"ppp", name}


@pytest.mark.parametrize(("number", "name"), LLC_LEAVES.items())
@pytest.mark.parametrize(("control", "carries"), [("03", True), ("13", True), ("0000", True), ("7f", False), ("0100", False)])
def test_access_points_that_are_only_named(number: int, name: str, control: str, carries: bool) -> None:
    found = layers(MACS + hexed("0020") + bytes([number, number]) + hexed(control) + b"\0" * 30, 1)
    assert found == {"eth", "llc"} | ({name} if carries else set())


@pytest.mark.parametrize("control", ["03", "0000"])
def test_isis_is_told_by_the_first_byte_behind_llc(control: str) -> None:
    assert layers(MACS + hexed("0020 fefe") + hexed(control) + b"\x83" + b"\0" * 30, 1) == {"eth", "llc", "osi", "isis"}


@pytest.mark.parametrize(("number", "name"), CISCO_LEAVES.items())
def test_what_cisco_has_behind_snap(number: int, name: str) -> None:
    assert layers(MACS + hexed("0020 aaaa03 00000c") + number.to_bytes(2, "big") + b"\0" * 30, 1) == {"eth", "llc", name}


def test_cisco_s_keepalive_is_no_rarp() -> None:
    assert layers(hexed("8f00 8035") + b"\0" * 20, 104) == {"chdlc"}


def test_a_layer_needs_none_of_its_bytes() -> None:
    assert layers(MACS + hexed("0800"), 1, wire=60) == {"eth", "ip"}
    assert layers(IPV4_TCP[:20], wire=40) == {"ip", "tcp"}
    assert layers(b"", 1, wire=60) == {"eth"}


def test_a_broken_header_is_a_layer_too() -> None:
    assert layers(MACS + hexed("0800 99") + b"\0" * 40, 1) == {"eth", "ip"}


def test_a_transport_without_bytes_carries_no_data() -> None:
    assert layers(ipv4(6, TCP)) == {"ip", "tcp"} and layers(ipv4(6, TCP + b"\1")) == {"ip", "tcp", "data"}
    assert layers(ipv4(6, TCP + b"\1")[:-1], wire=41) == {"ip", "tcp", "data"}  # cut, but it was there


def test_an_unsupported_link_type_has_no_layers() -> None:
    assert "protocols" not in texts(b"\0" * 40, 147)


def test_names_are_those_of_the_list_and_of_handlers() -> None:
    assert set(LAYER_NAMES) <= set(HANDLERS)
    assert {name.decode() for name in LAYER_NAMES.values()} <= {*LAYERS, *RARE_LAYERS}
    assert {name.decode() for name in LAYER_NAMES.values()} >= set(RARE_LAYERS)
