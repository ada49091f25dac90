"""Why an answer of ours is not tshark's: each reason says which filters it is about, and which packets, as a filter for tshark.

A difference is explained if every packet of it, on its side, is one of the packets of a reason that is about the filter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Reason:
    """about: a regular expression that is found in the filter. packets: tshark's filter of packets for which it holds.

    side: whether ours has them and tshark has not ("more"), the other way ("less"), or either (a filter may negate)."""

    name: str
    words: str
    about: str
    packets: str
    side: Literal["more", "less", "either"] = "either"

    def concerns(self, filter_text: str) -> bool:
        return re.search(self.about, filter_text) is not None


_QUOTE = "icmp.type in {3, 4, 5, 11, 12} || icmpv6.type in {1, 2, 3, 4}"

REASONS = (
    Reason(
        "quoted packet",
        "Of the packet that an ICMP error quotes, the index has addresses and ports, and not which transport they are of: they "
        "count for tcp, udp and sctp alike. Its flags, protocol number, time to live, protocols and payload are not indexed.",
        r"\b(tcp|udp|sctp|ip|ipv6|sip|dns|tls)\b",
        _QUOTE,
    ),
    Reason(
        "first level",
        "A field that has no inner- twin is of the first header of its kind only: what tunnels carry is not looked at.",
        r"\bip\.(proto|flags|dsfield|version)|\bipv6\.(nxt|tclass|version)|\btcp\.(len|option|window_size_value)"
        r"|\b(eth|arp|icmp|icmpv6|sctp)\.",
        "count(ip.src) > 1 || count(ipv6.src) > 1 || (ip && ipv6) || count(eth.src) > 1",
    ),
    Reason(
        "CAPWAP",
        "802.11 frames in CAPWAP are not followed: what they carry is in no field.",
        ".",
        "capwap.data",
    ),
    Reason(
        "conversation",
        "tshark names each segment of a conversation after its protocol. Ours is named after what its own bytes show.",
        r"^!*\(*(tls|http|ssh|quic|smtp|ftp|snmp|mdns|dns)\)*$|frame\.protocols",
        "tcp.len > 0 || quic",
    ),
    Reason(
        "answer section",
        "dns-answer has what the answer section gives. tshark has the records of the other sections under the same names.",
        r"\bdns\.(a|aaaa|cname|ns|ptr|mx|srv)\b",
        "dns.count.auth_rr > 0 || dns.count.add_rr > 0",
        "less",
    ),
    Reason(
        "broken record",
        "tshark leaves a TLS record out that is not whole in its segment. Ours counts one whose header is there.",
        r"\btls\.(record|handshake)",
        "tls",
        "more",
    ),
    Reason(
        "another's port",
        "TLS on a port that tshark has for HTTP is nothing to it. Ours reads it by its content.",
        r"\btls\.",
        "tcp.port == 8080 && tcp.len > 0 && !http",
        "more",
    ),
    Reason(
        "gQUIC",
        "Ours reads the server name of Google's QUIC, too.",
        r"extensions_server_name|^quic$",
        "gquic",
        "more",
    ),
    Reason(
        "padding",
        "Padding (option kinds 0 and 1) is not indexed.",
        r"tcp\.option_kind",
        "tcp.option_kind in {0, 1}",
    ),
    Reason(
        "OpenVPN",
        "TLS in OpenVPN is not looked into.",
        r"\btls\.",
        "openvpn",
        "less",
    ),
    Reason(
        "QUIC",
        "Of QUIC, ours reads a hello that is whole in one client's Initial packet; tshark puts several together, and reads the "
        "server's.",
        r"\btls\.",
        "quic",
        "less",
    ),
    Reason(
        "one field",
        "Methods of SIP requests and those in CSeq of responses are one field of the index.",
        r"\bsip\.",
        "sip",
        "more",
    ),
    Reason(
        "one packet a connection",
        "The initial round-trip time stands on the ACK that completes the handshake; tshark shows it on what follows, too.",
        r"tcp\.analysis\.initial_rtt",
        "tcp.analysis.initial_rtt",
        "less",
    ),
    Reason(
        "no time between",
        "tshark has tcp.analysis, with no time below it, on an ACK with the very time of its segment, and on some others.",
        r"tcp\.analysis(?!\.)",
        "tcp.analysis && !tcp.analysis.flags && !tcp.analysis.ack_rtt",
        "less",
    ),
    Reason(
        "backwards",
        "The clock ran backwards between a segment and its ACK: tshark's round trip is negative, ours is none.",
        r"tcp\.analysis(\.ack_rtt|(?!\.))",
        "tcp.analysis.ack_rtt < 0",
        "less",
    ),
    Reason(
        "mDNS",
        "Queries of mDNS and LLMNR go to a group, of which several may answer: no time and no answer of theirs is indexed.",
        r"dns\.time",
        "mdns || llmnr",
        "less",
    ),
    Reason(
        "interim",
        "tshark takes 100 Continue for the response to a request; ours is the final one.",
        r"http\.time",
        "http.response.code < 200 && !tcp.analysis.flags",
        "less",
    ),
    Reason(
        "final",
        "tshark has no time of a response behind 100 Continue, nor where it takes one of the two for a retransmission.",
        r"http\.time",
        "http.response.code >= 200 && !http.time || tcp.analysis.retransmission || tcp.analysis.out_of_order",
        "more",
    ),
    Reason(
        "two tags",
        "Conversations are told apart by VLAN tags: an echo reply with other tags than the request's is no answer to it.",
        r"icmp\.(resptime|no_resp)",
        "icmp.type in {0, 8} && (vlan || ieee8021ad)",
    ),
)
