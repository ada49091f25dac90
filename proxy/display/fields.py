"""Wireshark's names of fields, and where their values stand in our index. docs/display-filter.md is the same in words.

A registry field with an `inner-` or `quoted-` twin means all levels under its Wireshark name; one without means its own level.
Besides, every registry field can be asked for by its own name (`appproto == "DNS"`, `job == 7`).
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from capture.packets.declarations.transport import TCP_FLAGS
from capture.packets.fields import Field
from capture.packets.labels.layers import LAYERS, RARE_LAYERS
from capture.packets.registry import FIELDS
from indexing import predicates as p
from proxy.display.bits import Bit, Flags, FlagSet
from proxy.display.conversations import CONVERSATIONS, REFUSED_ANALYSIS, REFUSED_OF_CONVERSATIONS
from proxy.display.sources import Always, Coded, Integer, Numbered, Rows, Source

# uint: bits says how many; bool; text: bytes; ipv4, ipv6, ether; address: an IP address of either family, or a name (dns-answer);
# layer: one of the names of `protocols` by itself; layers: frame.protocols; time: since 1970 or since the capture began;
# duration: microseconds in the index; label: it is there or not, and has no value
Kind = Literal["uint", "bool", "text", "ipv4", "ipv6", "ether", "address", "protocol", "layers", "time", "duration", "label"]

IPV4, IPV6 = p.InNetwork("0.0.0.0/0"), p.InNetwork("::/0")


@dataclass(frozen=True)
class Meaning:
    """What a name in a filter means. bits: of a uint, what literals may have. largest: of a uint, the
    greatest number that the index may have (0: any). labels: names of numbers. note: where the index
    holds less than Wireshark tells apart, in a sentence that is shown with the answer. unit: of a duration, the microseconds of
    what literals count. words: what it is, where that is not what the field of the index is."""

    name: str
    kind: Kind
    sources: tuple[Source, ...]
    bits: int = 0
    largest: int = 0
    labels: tuple[tuple[int, str], ...] = ()
    note: str = ""
    unit: int = 0
    words: str = ""


_ANSWERS = (
    "the index keeps all names of DNS answers in one field (dns-answer): names of CNAME, NS, PTR, MX and SRV are not told apart"
)
_SECTION = "of DNS records the index keeps those of the answer section (dns-answer)"
_VERSIONS = "the index keeps versions of the handshake and of its extension in one field (tls-version)"
_METHODS = "the index keeps the methods of SIP requests and those in CSeq of responses in one field (sip-method)"
_QUOTES = "ports quoted by ICMP errors count for tcp, udp and sctp alike: the index does not say which transport is quoted"
_PRIORITIES = "priorities of 802.1Q and 802.1ad tags are one field (vlan-prio): packets with tags of both kinds count for both"

REFUSED = {
    "frame.time_delta": "it depends on the packet before, and packets of many captures stand in one index",
    "frame.time_delta_displayed": "it depends on the packets shown",
    "tcp.stream": "streams are numbered anew in every capture; ask for the conversation: community-id",
    "udp.stream": "streams are numbered anew in every capture; ask for the conversation: community-id",
    "frame.encap_type": "Wireshark numbers link types in a way of its own; ask for linktype (LINKTYPE numbers)",
    "_ws.malformed": "it is any dissector's complaint; ask for error, what kept a packet's headers from being read",
    "ip.frag_offset": 'offsets are not indexed; ask for fragment in {"middle", "last"}',
    "ipv6.fraghdr.offset": 'offsets are not indexed; ask for fragment in {"middle", "last"}',
    "tcp.window_size": "it is scaled by what the handshake said; ask for tcp.window_size_value, as it stands in the packet",
    "ip.host": "names of addresses are not resolved; ask for ip.addr",
    "ip.src_host": "names of addresses are not resolved; ask for ip.src",
    "ip.dst_host": "names of addresses are not resolved; ask for ip.dst",
    "frame.time_invalid": "it is not indexed",
    **REFUSED_OF_CONVERSATIONS,
}
REFUSED_BELOW = {
    "tcp.analysis": REFUSED_ANALYSIS,
    "_ws.expert": "what dissectors remark is not indexed",
}

FUNCTIONS_REFUSED = {
    "count": "would count a field's values in each packet, and a row does not say how often a packet has it",
    "string": "is not needed: numbers are compared as numbers",
    "max": "would compare fields of one packet",
    "min": "would compare fields of one packet",
    "abs": "is arithmetic, which is not supported",
}

FLAG_NAMES = ("fin", "syn", "reset", "push", "ack", "urg", "ece", "cwr", "ae")


def _build() -> dict[str, Meaning]:
    table: dict[str, Meaning] = {}

    def put(name: str, kind: Kind, *sources: Source, bits: int = 0, labels_of: str = "", note: str = "") -> None:
        labels = tuple(FIELDS[labels_of].labels.items()) if labels_of else ()
        largest = max((_largest(source) for source in sources), default=0) if kind == "uint" else 0
        table[name] = Meaning(name, kind, sources, bits, largest, labels, note)

    for layer in (*LAYERS, *RARE_LAYERS):
        put(layer, "protocol", Rows("protocols", only=p.OneOf(frozenset({layer.encode()}))))
    for family, version, network in (("ip", "4", IPV4), ("ipv6", "6", IPV6)):
        here: dict[str, str] = {"within": "ip-version", "value": version}
        first = ((here["within"], here["value"]),)
        quoted = Rows("quoted-netsrc", only=network)
        put(family, "protocol", *table[family].sources, quoted)
        for side, names in (("src", ("src",)), ("dst", ("dst",)), ("addr", ("src", "dst"))):
            outer = "netaddr" if side == "addr" else f"net{side}"
            fields = [outer, *(f"{level}-net{one}" for level in ("inner", "quoted") for one in names)]
            put(f"{family}.{side}", "ipv4" if family == "ip" else "ipv6", *(Rows(one, only=network) for one in fields))
        limit, differentiated, following = (
            ("ip.ttl", "ip.dsfield.dscp", "ip.proto") if family == "ip" else ("ipv6.hlim", "ipv6.tclass.dscp", "ipv6.nxt")
        )
        inner = Rows("inner-ttl", beside=("inner-netsrc", network))
        put(limit, "uint", Rows("ttl", within=first), inner, bits=8)
        wide = 8 if family == "ip" else 32
        put(differentiated, "uint", Rows("dscp", within=first), bits=wide, labels_of="dscp")
        put(following, "uint", Rows("ip-proto", within=first), bits=8, labels_of="ip-proto")
        put(f"{family}.version", "uint", Rows("ip-version", within=first), bits=8)

    bits_of_ip = Flags("ip-flags", ("MF", "DF", "RB"), ("ip-version", "4"))
    put("ip.flags", "uint", bits_of_ip, bits=8)
    for name in ("MF", "DF", "RB"):
        put(f"ip.flags.{name.lower()}", "bool", Bit(bits_of_ip, name))

    for transport, known_as in (("tcp", ("TCP",)), ("udp", ("UDP", "UDPLite")), ("sctp", ("SCTP",))):
        outer_in = tuple(("transproto", one) for one in known_as)
        inner_in = tuple(("inner-transproto", one) for one in known_as)
        for side, names in (("srcport", ("src",)), ("dstport", ("dst",)), ("port", ("src", "dst"))):
            put(
                f"{transport}.{side}",
                "uint",
                Rows("port" if side == "port" else f"trans{names[0]}", within=outer_in),
                *(Rows(f"inner-trans{one}", within=inner_in) for one in names),
                *(Rows(f"quoted-trans{one}") for one in names),
                bits=16,
                note=_QUOTES,
            )

    flags = Flags("tcp", TCP_FLAGS, ("tcp-flagset", ""))
    inner_flags = Flags("inner-tcp", TCP_FLAGS, ("inner-transproto", "TCP"))
    put("tcp.flags", "uint", FlagSet(flags, "tcp-flagset"), inner_flags, bits=16)
    for written, ours in zip(FLAG_NAMES, TCP_FLAGS, strict=True):
        put(f"tcp.flags.{written}", "bool", Bit(flags, ours), Bit(inner_flags, ours))
    table["tcp.flags.ns"] = replace(table["tcp.flags.ae"], name="tcp.flags.ns")
    put("tcp.len", "uint", Integer("tcp-payload-length"), bits=32)

    put("frame", "protocol")
    put("frame.len", "uint", Integer("length"), bits=32)
    put("frame.cap_len", "uint", Integer("captured-length"), bits=32)
    put("frame.protocols", "layers", Rows("protocols"))
    put("frame.interface_name", "text", Rows("iface"))
    put("frame.p2p_dir", "uint", Coded("direction", (("outbound", "0"), ("inbound", "1"))), bits=8)
    put("frame.time", "time", Rows("time-second"))
    put("frame.time_epoch", "time", Rows("time-second"))
    put("frame.time_relative", "time", Rows("time-second"))
    put("frame.number", "uint", Numbered(), bits=32)

    put("eth.src", "ether", Rows("eth-src"))
    put("eth.dst", "ether", Rows("eth-dst"))
    put("eth.addr", "ether", Rows("eth-src"), Rows("eth-dst"))
    for name, tag in (("vlan.priority", "vlan"), ("ieee8021ad.priority", "vlan-svc")):
        put(name, "uint", Rows("vlan-prio", beside=(tag, p.Everything())), bits=16, note=_PRIORITIES)
    for name in ("arp.src.proto_ipv4", "arp.dst.proto_ipv4"):
        put(name, "ipv4", Rows("arp-sender" if "src" in name else "arp-target", only=IPV4))

    put("dns.a", "ipv4", Rows("dns-answer", only=IPV4), note=_SECTION)
    put("dns.aaaa", "ipv6", Rows("dns-answer", only=IPV6), note=_SECTION)
    for name in ("dns.cname", "dns.ns", "dns.ptr.domain_name", "dns.mx.mail_exchange", "dns.srv.target"):
        put(name, "text", Rows("dns-answer", only=p.Not(p.Or((IPV4, IPV6)))), note=_ANSWERS)
    put("dns.flags.response", "bool", Coded("dns-response", (("false", "0"), ("true", "1"))))
    notification = p.Compare("==", b"NOTIFY")
    put("http.request", "bool", Always("http-method", p.Not(notification)))
    put("http.notification", "bool", Always("http-method", notification))
    for name in ("sip.Method", "sip.CSeq.method"):
        put(name, "text", Rows("sip-method"), note=_METHODS)
    put("http.response", "bool", Always("http-status"))
    for name in ("tls.handshake.version", "tls.handshake.extensions.supported_version"):
        put(name, "uint", Rows("tls-version"), bits=16, labels_of="tls-version", note=_VERSIONS)

    for name, one in CONVERSATIONS.items():
        kind: Kind = "duration" if one.unit else "label"
        table[name] = Meaning(name, kind, one.sources, note=one.note, unit=one.unit, words=one.words)

    for field in FIELDS.values():
        for name in field.wireshark.split():
            if name not in table and name not in REFUSED:
                table[name] = _plain(name, field)
    for field in FIELDS.values():
        if field.name not in table:
            table[field.name] = _plain(field.name, field)
    return table


def _largest(source: Source) -> int:
    match source:
        case Flags(_, names, _) | FlagSet(Flags(_, names, _), _):
            return (1 << len(names)) - 1
        case Rows(name):
            return FIELDS[name].maximum
    return 0


# Numbers that Wireshark holds in so many bits: what a literal may have
_BITS = {"mpls.label": 32, "quic.version": 32, "snmp.version": 32, "frame.encap_type": 16}


def _plain(name: str, field: Field) -> Meaning:
    """A field that is one field of the index, with its own level."""
    if field.encoding == "int":
        return Meaning(name, "uint", (Integer(field.name),), bits=max(32, field.maximum.bit_length()))
    if field.encoding == "time":
        return Meaning(name, "text", (Rows(field.name),))
    if field.encoding == "number":
        bits = _BITS.get(name) or (8 if 0 < field.maximum < 256 else 16 if 0 < field.maximum < 65536 else 32)
        if name in ("vlan.id", "ieee8021ad.id", "dns.flags.rcode"):
            bits = 16
        return Meaning(name, "uint", (Rows(field.name),), bits, field.maximum, tuple(field.labels.items()))
    kind: Kind = "text"
    if field.name in ("eth-src", "eth-dst"):
        kind = "ether"
    elif field.name in ("netsrc", "netdst", "netaddr", "arp-sender", "arp-target", "dns-answer") or field.name.endswith(
        ("-netsrc", "-netdst")
    ):
        kind = "address"
    return Meaning(name, kind, (Rows(field.name),))


@cache
def meanings() -> dict[str, Meaning]:
    """Every name that a filter may use, with what it means."""
    return _build()


def outermost(meaning: Meaning) -> Meaning:
    """The same of the first IP header (or of the record itself) only."""
    some = tuple(source for source in meaning.sources if source.level not in ("inner", "quoted"))
    return replace(meaning, sources=some, note="" if meaning.note == _QUOTES else meaning.note)


def nearest(name: str) -> list[str]:
    """Names that are like one which is none."""
    known = list(meanings())
    folded = {one.lower(): one for one in known}
    if name.lower() in folded:
        return [folded[name.lower()]]
    found = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    last = name.rpartition(".")[2]
    return found or [one for one in known if one.rpartition(".")[2] == last][:3]
