"""Wireshark's fields of conversations (`tcp.analysis`, times of answers), and where the second pass has them.

docs/conversations.md says on which packet each stands and where it differs.
"""

from __future__ import annotations

from dataclasses import dataclass

from proxy.display.sources import Among, Coded, Integer, Rows, Source

SECONDS, MILLISECONDS = 1_000_000, 1_000  # in microseconds


@dataclass(frozen=True)
class OfConversations:
    """unit: of a length of time, the microseconds of what it is compared with; 0: it has no value. The rest as in Meaning."""

    sources: tuple[Source, ...]
    words: str
    unit: int = 0
    note: str = ""


_WHOLE = "the index keeps times between packets in whole microseconds"
_ONCE = (
    "tcp.analysis.initial_rtt stands on one packet of a connection, the ACK that completes its handshake, and in Wireshark on "
    "those behind it, too; " + _WHOLE
)
_FLIGHT = "bytes in flight, for which Wireshark shows tcp.analysis with each segment of data, are not indexed"

# Name below tcp.analysis -> values of tcp-analysis, what it is. What was sent fast or for nothing is a retransmission, too.
_MARKS: dict[str, tuple[tuple[str, ...], str]] = {
    "retransmission": (
        ("retransmission", "fast-retransmission", "spurious-retransmission"),
        "sent again, of whatever kind",
    ),
    "fast_retransmission": (("fast-retransmission",), "sent again at once, after duplicate ACKs"),
    "spurious_retransmission": (("spurious-retransmission",), "sent again though it was acknowledged"),
    "out_of_order": (("out-of-order",), "overtaken by the segment behind it"),
    "duplicate_ack": (("dup-ack",), "the same ACK again"),
    "lost_segment": (("lost-segment",), "a segment before it was not captured"),
    "ack_lost_segment": (("acked-unseen",), "acknowledges what was not captured"),
    "window_full": (("window-full",), "fills the other side's window"),
    "window_update": (("window-update",), "opens the window, and says nothing else"),
    "zero_window": (("zero-window",), "no room for more data"),
    "zero_window_probe": (("zero-window-probe",), "asks whether there is room again"),
    "zero_window_probe_ack": (("zero-window-probe-ack",), "no room still"),
    "keep_alive": (("keep-alive",), "asks whether the other side is still there"),
    "keep_alive_ack": (("keep-alive-ack",), "it is still there"),
    "reused_ports": (("port-reuse",), "a connection between ports that had one before"),
}

def _rows(field: str, *values: str) -> Coded:
    return Coded(field, tuple((value, "") for value in values))


CONVERSATIONS: dict[str, OfConversations] = {
    **{
        f"tcp.analysis.{name}": OfConversations((_rows("tcp-analysis", *values),), words)
        for name, (values, words) in _MARKS.items()
    },
    "tcp.analysis.flags": OfConversations((Rows("tcp-analysis"),), "anything that is remarkable about a TCP segment"),
    "tcp.analysis": OfConversations(
        (Rows("tcp-analysis"), Integer("tcp-rtt-us"), Integer("tcp-irtt-us")),
        "what the connection before it says of a TCP segment",
        note=_FLIGHT,
    ),
    "tcp.analysis.ack_rtt": OfConversations((Integer("tcp-rtt-us"),), "seconds from a segment to this ACK", SECONDS, _WHOLE),
    "tcp.analysis.initial_rtt": OfConversations((Integer("tcp-irtt-us"),), "seconds that the handshake took", SECONDS, _ONCE),
    "dns.time": OfConversations((Integer("dns-rtt-us"),), "seconds from a DNS query to this response", SECONDS, _WHOLE),
    "http.time": OfConversations((Integer("http-response-us"),), "seconds from a request to this response", SECONDS, _WHOLE),
    **{
        f"{protocol}.resptime": OfConversations(
            (Among(Integer("icmp-rtt-us"), protocol),), "milliseconds from an echo request to this reply", MILLISECONDS, _WHOLE
        )
        for protocol in ("icmp", "icmpv6")
    },
    **{
        f"{protocol}.no_resp": OfConversations(
            (Among(_rows("icmp-unanswered", "true"), protocol),), "an echo request without a reply"
        )
        for protocol in ("icmp", "icmpv6")
    },
}

_OTHER_PACKET = "it is the number of another packet; ask for the conversation, flow(...), or for "
REFUSED_OF_CONVERSATIONS = {
    "tcp.completeness": "it is a sum of bits that says what was seen until a capture's end; ask for tcp-handshake in "
    '{"complete", "unanswered", "refused", "mid-stream"}',
    "tcp.time_delta": "it depends on the packet before; of a segment that is acknowledged ask for tcp.analysis.ack_rtt",
    "dns.response_to": _OTHER_PACKET + "dns.time",
    "dns.response_in": _OTHER_PACKET + "dns-unanswered",
    "http.request_in": _OTHER_PACKET + "http.time",
    "http.response_in": _OTHER_PACKET + "http-request-status",
    "icmp.resp_to": _OTHER_PACKET + "icmp.resptime",
    "icmp.resp_in": _OTHER_PACKET + "icmp.no_resp",
    "icmpv6.resp_to": _OTHER_PACKET + "icmpv6.resptime",
    "icmpv6.resp_in": _OTHER_PACKET + "icmpv6.no_resp",
    "tcp.analysis.acks_frame": _OTHER_PACKET + "tcp.analysis.ack_rtt",
    "tcp.analysis.duplicate_ack_frame": _OTHER_PACKET + "tcp.analysis.duplicate_ack",
    "tcp.analysis.duplicate_ack_num": "which of several it is is not indexed; ask for tcp.analysis.duplicate_ack",
    "tcp.analysis.rto": "how long a retransmission waited is not indexed; ask for tcp.analysis.retransmission",
    "tcp.analysis.rto_frame": _OTHER_PACKET + "tcp.analysis.retransmission",
    "tcp.analysis.bytes_in_flight": "how much is on its way is not indexed; ask for tcp.analysis.window_full",
    "tcp.analysis.push_bytes_sent": "how much was sent since the last PSH is not indexed; ask for tcp.len",
}
REFUSED_ANALYSIS = "of the analysis the index has tcp.analysis.flags, the names of its marks, ack_rtt and initial_rtt"
