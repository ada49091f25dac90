"""Fields of deeper levels: inside tunnels (`inner-`), and in what ICMP errors quote (`quoted-`)."""

from __future__ import annotations

from capture.packets.declarations.transport import TCP_FLAGS
from capture.packets.fields import Field
from capture.packets.labels.network import TUNNELS

_INSIDE = "IP headers behind the first (GRE, IP-in-IP, 6in4, VXLAN, GENEVE, GTP-U ...), all levels"
_QUOTED = "IP header that an ICMP or ICMPv6 error quotes"

FIELDS = (
    Field(
        "tunnel",
        "choice",
        "Kinds of tunnel that the packet went through, as far as it could be followed.",
        "TopN(tunnel, n=10)",
        level="any",
        protocol="tunnel",
        choices=TUNNELS,
    ),
    *(
        Field(
            name,
            "text",
            f"{what} of {_INSIDE}.",
            example,
            level="inner",
            protocol="ip",
            wireshark=wireshark,
        )
        for name, what, example, wireshark in (
            ("inner-netsrc", "Source addresses", 'Row(inner-netsrc="10.0.0.1")', "ip.src ipv6.src"),
            ("inner-netdst", "Destination addresses", "TopN(inner-netdst, n=10)", "ip.dst ipv6.dst"),
        )
    ),
    Field(
        "inner-ttl",
        "number",
        f"Times to live and hop limits of {_INSIDE}.",
        'Row(inner-ttl="64")',
        level="inner",
        protocol="ip",
        wireshark="ip.ttl ipv6.hlim",
        maximum=255,
    ),
    Field(
        "inner-transproto",
        "text",
        f"Transports directly behind {_INSIDE}.",
        'Row(inner-transproto="TCP")',
        level="inner",
        protocol="transport",
        wireshark="ip.proto",
    ),
    Field(
        "inner-transsrc",
        "number",
        f"Source ports of the transports directly behind {_INSIDE}.",
        'Row(inner-transsrc="443")',
        level="inner",
        protocol="transport",
        wireshark="tcp.srcport udp.srcport",
        maximum=65535,
    ),
    Field(
        "inner-transdst",
        "number",
        f"Destination ports of the transports directly behind {_INSIDE}.",
        'Row(inner-transdst="443")',
        level="inner",
        protocol="transport",
        wireshark="tcp.dstport udp.dstport",
        maximum=65535,
    ),
    Field(
        "inner-tcp",
        "choice",
        f"Flags that are set in the TCP headers directly behind {_INSIDE}.",
        'Row(inner-tcp="SYN")',
        level="inner",
        protocol="tcp",
        wireshark="tcp.flags",
        choices=TCP_FLAGS,
    ),
    Field(
        "quoted-netsrc",
        "text",
        f"Source address of the {_QUOTED}.",
        'Row(quoted-netsrc="10.0.0.1")',
        level="quoted",
        protocol="ip",
        wireshark="ip.src ipv6.src",
    ),
    Field(
        "quoted-netdst",
        "text",
        f"Destination address of the {_QUOTED}.",
        "TopN(quoted-netdst, n=10)",
        level="quoted",
        protocol="ip",
        wireshark="ip.dst ipv6.dst",
    ),
    Field(
        "quoted-transsrc",
        "number",
        f"Source port directly behind the {_QUOTED}, if the quote reaches so far.",
        'Row(quoted-transsrc="53")',
        level="quoted",
        protocol="transport",
        wireshark="tcp.srcport udp.srcport",
        maximum=65535,
    ),
    Field(
        "quoted-transdst",
        "number",
        f"Destination port directly behind the {_QUOTED}, if the quote reaches so far.",
        'Row(quoted-transdst="53")',
        level="quoted",
        protocol="transport",
        wireshark="tcp.dstport udp.dstport",
        maximum=65535,
    ),
)
