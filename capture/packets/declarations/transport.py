"""Fields of the transport directly behind the first IP header."""

from __future__ import annotations

from capture.packets.fields import Field
from capture.packets.labels.transport import SCTP_CHUNKS, TCP_OPTIONS

TCP_FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "NS")

PICAP = (
    Field(
        "transproto",
        "text",
        "Transport directly behind the first IP header: `TCP`, `UDP`, `SCTP` or `UDPLite`. "
        "None in ICMP, tunnels and later fragments.",
        'Count(Row(transproto="UDP"))',
        protocol="transport",
        wireshark="ip.proto",
        picap=True,
    ),
    Field(
        "transsrc",
        "number",
        "Source port of the transport directly behind the first IP header.",
        'Row(transsrc="443")',
        protocol="transport",
        wireshark="tcp.srcport udp.srcport",
        picap=True,
        maximum=65535,
    ),
    Field(
        "transdst",
        "number",
        "Destination port of the transport directly behind the first IP header.",
        'TopN(transdst, Row(tcp="SYN"), n=10)',
        protocol="transport",
        wireshark="tcp.dstport udp.dstport",
        picap=True,
        maximum=65535,
    ),
    Field(
        "tcp",
        "choice",
        "Flags that are set in the TCP header directly behind the first IP header, one value each.",
        'Difference(Row(tcp="SYN"), Row(tcp="ACK"))',
        protocol="tcp",
        wireshark="tcp.flags",
        picap=True,
        choices=TCP_FLAGS,
    ),
)

FIELDS = (
    Field(
        "port",
        "number",
        "Source or destination port of the transport directly behind the first IP header.",
        'Row(port="53")',
        protocol="transport",
        wireshark="tcp.port udp.port",
        maximum=65535,
    ),
    Field(
        "tcp-flagset",
        "text",
        "All flags of the TCP header directly behind the first IP header as one value, in the order of the bits: `SYN`, "
        "`SYN,ACK`, `FIN,PSH,ACK`; `none` where no flag is set.",
        'Row(tcp-flagset="SYN,ACK")',
        protocol="tcp",
        wireshark="tcp.flags",
    ),
    Field(
        "tcp-window",
        "number",
        "Window as it stands in the TCP header directly behind the first IP header (not scaled).",
        'Row(tcp-window="0")',
        protocol="tcp",
        wireshark="tcp.window_size_value",
        maximum=65535,
    ),
    Field(
        "tcp-payload-length",
        "int",
        "Bytes that the TCP segment directly behind the first IP header carries, by the IP header's lengths (on the wire, "
        "whatever the snaplen kept).",
        'Sum(Row(tcp="PSH"), tcp-payload-length)',
        protocol="tcp",
        wireshark="tcp.len",
        maximum=2**32 - 1,
    ),
    Field(
        "tcp-option",
        "number",
        "Kinds of the options in the TCP header directly behind the first IP header; padding (0, 1) is left out.",
        'Row(tcp-option="SACK permitted")',
        protocol="tcp",
        wireshark="tcp.option_kind",
        labels=TCP_OPTIONS,
        maximum=255,
    ),
    Field(
        "tcp-mss",
        "number",
        "Maximum segment size option of the TCP header directly behind the first IP header.",
        "TopN(tcp-mss, n=10)",
        protocol="tcp",
        wireshark="tcp.options.mss_val",
        maximum=65535,
    ),
    Field(
        "tcp-wscale",
        "number",
        "Window scale option (the shift) of the TCP header directly behind the first IP header.",
        'Row(tcp-wscale="7")',
        protocol="tcp",
        wireshark="tcp.options.wscale.shift",
        maximum=255,
    ),
    Field(
        "sctp-chunk",
        "number",
        "Types of all chunks behind the packet's first SCTP header.",
        'Row(sctp-chunk="INIT")',
        protocol="sctp",
        wireshark="sctp.chunk_type",
        labels=SCTP_CHUNKS,
        maximum=255,
    ),
    Field(
        "community-id",
        "text",
        "Community ID (version 1, seed 0) of the conversation of the first IP header: the flow hash of Zeek, Suricata and "
        "Arkime. None for later fragments, and where the ports were cut off.",
        'Row(community-id="1:LQU9qZlK+B5F3KDmev6m5PMibrg=")',
        protocol="transport",
        wireshark="communityid",
    ),
)
