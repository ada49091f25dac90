"""Fields that the second pass finds (capture.packets.conversations): they belong to conversations, not to a packet alone."""

from __future__ import annotations

from capture.packets.fields import Field

# In the order of row ids: lists only grow at their end.
TCP_ANALYSIS = (
    "retransmission",
    "fast-retransmission",
    "spurious-retransmission",
    "out-of-order",
    "dup-ack",
    "lost-segment",
    "acked-unseen",
    "window-full",
    "window-update",
    "zero-window",
    "keep-alive",
    "port-reuse",
    "keep-alive-ack",
    "zero-window-probe",
    "zero-window-probe-ack",
)
TCP_HANDSHAKE = ("complete", "unanswered", "refused", "mid-stream")
TLS_OUTCOME = ("complete", "broken-off")
_MOST_US = 2**40  # twelve days

FIELDS = (
    Field(
        "tcp-analysis",
        "choice",
        "What the conversation before it says of a TCP segment, by the rules of Wireshark's analysis of sequence numbers.",
        'TopN(netsrc, Row(tcp-analysis="retransmission"), n=10)',
        protocol="tcp",
        wireshark="tcp.analysis.flags",
        choices=TCP_ANALYSIS,
        conversations=True,
    ),
    Field(
        "tcp-handshake",
        "choice",
        "How a TCP connection began. `complete`: its SYN, SYN-ACK and the ACK behind them; `unanswered`: its SYNs, to which "
        "nothing came; `refused`: its SYNs and the RST; `mid-stream`: the first packet seen of a connection whose SYN was not.",
        'Row(tcp-handshake="unanswered")',
        protocol="tcp",
        choices=TCP_HANDSHAKE,
        conversations=True,
    ),
    Field(
        "tcp-rtt-us",
        "int",
        "Microseconds from a TCP segment to the ACK that acknowledges it, on the ACK.",
        "Count(Row(tcp-rtt-us > 200000))",
        protocol="tcp",
        wireshark="tcp.analysis.ack_rtt",
        maximum=_MOST_US,
        conversations=True,
    ),
    Field(
        "tcp-irtt-us",
        "int",
        "Microseconds from the SYN to the ACK that completes the handshake, on that ACK: one value a connection.",
        "Max(field=tcp-irtt-us)",
        protocol="tcp",
        wireshark="tcp.analysis.initial_rtt",
        maximum=_MOST_US,
        conversations=True,
    ),
    Field(
        "dns-rtt-us",
        "int",
        "Microseconds from a DNS query to its response, on the response.",
        "Count(Row(dns-rtt-us > 100000))",
        protocol="dns",
        wireshark="dns.time",
        maximum=_MOST_US,
        conversations=True,
    ),
    Field(
        "dns-unanswered",
        "choice",
        "`true` for a DNS query to which no response came.",
        'TopN(dns-qname, Row(dns-unanswered="true"), n=10)',
        protocol="dns",
        choices=("true",),
        conversations=True,
    ),
    Field(
        "icmp-rtt-us",
        "int",
        "Microseconds from an ICMP or ICMPv6 echo request to its reply, on the reply.",
        "Max(field=icmp-rtt-us)",
        protocol="icmp",
        wireshark="icmp.resptime",
        maximum=_MOST_US,
        conversations=True,
    ),
    Field(
        "icmp-unanswered",
        "choice",
        "`true` for an ICMP or ICMPv6 echo request to which no reply came.",
        'Row(icmp-unanswered="true")',
        protocol="icmp",
        choices=("true",),
        conversations=True,
    ),
    Field(
        "tls-outcome",
        "choice",
        "How a TLS handshake ended, on its ClientHello: `complete` once both sides sent protected data, else `broken-off`.",
        'TopN(tls-sni, Row(tls-outcome="broken-off"), n=10)',
        protocol="tls",
        choices=TLS_OUTCOME,
        conversations=True,
    ),
    Field(
        "http-response-us",
        "int",
        "Microseconds from an HTTP request to the first packet of its response, on the response.",
        "Count(Row(http-response-us > 1000000))",
        protocol="http",
        wireshark="http.time",
        maximum=_MOST_US,
        conversations=True,
    ),
    Field(
        "http-request-status",
        "number",
        "Status code of the response to an HTTP request, on the request: beside its host, path and user agent.",
        'TopN(http-hostname, Row(http-request-status="404"), n=10)',
        protocol="http",
        maximum=999,
        conversations=True,
    ),
)
