"""Fields of the link layer: Ethernet, VLAN tags, MPLS labels, ARP."""

from __future__ import annotations

from capture.packets.fields import Field
from capture.packets.labels.link import ARP_OPERATIONS, ETHERTYPES

FIELDS = (
    Field(
        "eth-src",
        "text",
        "Source address of the packet's first Ethernet header (inside a tunnel, where there is none before it).",
        'Row(eth-src="00:0c:29:4f:8b:1e")',
        protocol="eth",
        wireshark="eth.src",
    ),
    Field(
        "eth-dst",
        "text",
        "Destination address of the packet's first Ethernet header.",
        'Row(eth-dst="ff:ff:ff:ff:ff:ff")',
        protocol="eth",
        wireshark="eth.dst",
    ),
    Field(
        "ethertype",
        "number",
        "EtherType of the packet's first Ethernet header as it stands there: 33024 (0x8100) of a tagged frame. "
        "None where the header has a length in its place (802.3, up to 1500).",
        'Row(ethertype="ARP")',
        protocol="eth",
        wireshark="eth.type",
        labels=ETHERTYPES,
        maximum=65535,
    ),
    Field(
        "vlan",
        "number",
        "VLAN ids of all tags of EtherType 0x8100 (and of the old 0x9100, 0x9200, 0x9300), at any level.",
        'Row(vlan="32")',
        level="any",
        protocol="vlan",
        wireshark="vlan.id",
        maximum=4095,
    ),
    Field(
        "vlan-svc",
        "number",
        "VLAN ids of all service tags (EtherType 0x88a8, IEEE 802.1ad), at any level.",
        'Row(vlan-svc="100")',
        level="any",
        protocol="vlan",
        wireshark="ieee8021ad.id",
        maximum=4095,
    ),
    Field(
        "vlan-outer",
        "number",
        "VLAN id of the packet's first tag, of either kind.",
        "TopN(vlan-outer, n=10)",
        protocol="vlan",
        maximum=4095,
    ),
    Field(
        "vlan-stack",
        "text",
        "VLAN ids of all tags, of either kind, that stand before the first IP header, the outermost first: `100`, `100,200`. "
        "With `job` and `community-id` it says which conversation a packet is of.",
        'Row(vlan-stack="100,200")',
        protocol="vlan",
    ),
    Field(
        "vlan-prio",
        "number",
        "Priority code points of all tags, 0 to 7.",
        'Row(vlan-prio="5")',
        level="any",
        protocol="vlan",
        wireshark="vlan.priority ieee8021ad.priority",
        maximum=7,
    ),
    Field(
        "mpls-label",
        "number",
        "All labels of MPLS stacks, at any level.",
        'Row(mpls-label="16")',
        level="any",
        protocol="mpls",
        wireshark="mpls.label",
        maximum=2**20 - 1,
    ),
    Field(
        "arp-op",
        "number",
        "Operation of an ARP packet.",
        'Row(arp-op="reply")',
        protocol="arp",
        wireshark="arp.opcode",
        labels=ARP_OPERATIONS,
        maximum=65535,
    ),
    Field(
        "arp-sender",
        "text",
        "Sender's protocol address of an ARP packet, where that is IPv4.",
        'Row(arp-sender="192.168.0.1")',
        protocol="arp",
        wireshark="arp.src.proto_ipv4",
    ),
    Field(
        "arp-target",
        "text",
        "Target's protocol address of an ARP packet, where that is IPv4.",
        'Row(arp-target="192.168.0.1")',
        protocol="arp",
        wireshark="arp.dst.proto_ipv4",
    ),
)
