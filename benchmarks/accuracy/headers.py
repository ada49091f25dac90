"""Quantities of link, network and transport headers.

Our fields without a prefix are of the first IP header, `inner-` of those behind it, `quoted-` of those in ICMP errors; the
truth's `first.*` is the first in the packet wherever it stands. `first.ip.src` follows from all three, in that order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.accuracy.claim import ANYTHING, Candidates, Claim, anywhere, first
from benchmarks.accuracy.column import Column, Mask, constant, joined
from benchmarks.accuracy.found import Found
from benchmarks.accuracy.quantity import Quantity

# the truth's words -> ours, by bit
FLAGS = {
    "fin": "FIN", "syn": "SYN", "reset": "RST", "push": "PSH", "ack": "ACK", "urg": "URG", "ece": "ECE", "cwr": "CWR", "ae": "NS"
}  # fmt: skip
_BITS = {name: 1 << bit for bit, name in enumerate(FLAGS.values())}
_PORTS = {"tcp": "TCP", "udp": "UDP", "sctp": "SCTP"}


def _is_v4(text: str) -> bool:
    return ":" not in text


def _is_v6(text: str) -> bool:
    return ":" in text


def link(told: dict[str, Any], found: Found) -> Iterator[Quantity]:
    """Ethernet, VLAN tags, MPLS labels, ARP."""
    n, told_first = len(found), told["first"]
    for theirs, ours in (
        ("eth.src", found.column("eth-src")),
        ("eth.dst", found.column("eth-dst")),
        ("eth.type", found.column("ethertype").renamed(lambda text: f"0x{int(text):04x}")),
        ("vlan.id", found.column("vlan")),
        ("ieee8021ad.id", found.column("vlan-svc")),
        ("mpls.label", found.column("mpls-label")),
        ("arp.opcode", found.column("arp-op")),
    ):
        yield Quantity(f"first.{theirs}", Counter(told_first[theirs]), first(n, ours))
    yield Quantity("any.vlan.id", Counter(told["any"]["vlan.id"]), anywhere(n, found.column("vlan")))


def network(told: dict[str, Any], found: Found) -> Iterator[Quantity]:
    """IPv4, IPv6, ICMP, ICMPv6: outermost, first and anywhere."""
    n, outermost = len(found), told["outermost_ip"]
    is_v4, is_v6 = found.is_("netproto", "IPv4"), found.is_("netproto", "IPv6")
    versions = found.column("netproto").renamed(lambda text: {"IPv4": "ip", "IPv6": "ipv6"}[text])
    for name, ours in (
        ("version", versions),
        ("src", found.column("netsrc")),
        ("dst", found.column("netdst")),
        ("proto", found.column("ip-proto")),
    ):
        yield Quantity(f"outermost_ip.{name}", Counter(outermost[name]), first(n, ours))
    for version, mask, keep in (("ip", is_v4, _is_v4), ("ipv6", is_v6, _is_v6)):
        for side in ("src", "dst"):
            levels = [found.column(f"{level}net{side}").keep(keep) for level in ("", "inner-", "quoted-")]
            yield Quantity(f"first.{version}.{side}", Counter(told["first"][f"{version}.{side}"]), first(n, *levels))
            yield Quantity(f"any.{version}.{side}", Counter(told["any"][f"{version}.{side}"]), anywhere(n, *levels))
        deeper = joined(found.column(f"{level}netsrc").keep(keep) for level in ("inner-", "quoted-")).packets(n)
        inner = found.column("inner-netsrc").keep(keep).packets(n)
        for name, field in (("ttl", "ttl"), ("proto", "ip-proto")) if version == "ip" else (("hlim", "ttl"), ("nxt", "ip-proto")):
            theirs = Counter(told["first"][f"{version}.{name}"])
            own = found.column(field).where(mask)
            beyond = found.column("inner-ttl").where(inner) if field == "ttl" else None
            yield Quantity(f"first.{version}.{name}", theirs, first(n, own, beyond=beyond, perhaps=deeper))
    quotes = found.has("quoted-netsrc") | found.has("inner-netsrc")
    yield Quantity("any.ip.proto", Counter(told["any"]["ip.proto"]), anywhere_but(found, "ip-proto", is_v4, quotes))
    yield Quantity("first.icmp.type", Counter(told["first"]["icmp.type"]), first(n, found.column("icmp-type")))
    yield Quantity("first.icmp.code", Counter(told["first"]["icmp.code"]), first(n, found.column("icmp-code")))
    yield Quantity("first.icmpv6.type", Counter(told["first"]["icmpv6.type"]), first(n, found.column("icmpv6-type")))
    every = np.ones(n, bool)
    yield Quantity("any.icmp.type", Counter(told["any"]["icmp.type"]), anywhere_but(found, "icmp-type", every, quotes))


def anywhere_but(found: Found, field: str, mask: Mask, deeper: Mask) -> Claim:
    """A field that knows the first header only: packets of `deeper` may have any number of other values."""
    claim = anywhere(len(found), found.column(field).where(mask))
    if (several := int(deeper.sum())) > 0:
        claim.open[Candidates(frozenset({ANYTHING}), True)] += 4 * several
    return claim


def transport(told: dict[str, Any], found: Found) -> Iterator[Quantity]:
    """Ports and TCP flags: of the truth's `outer` packets, first and anywhere."""
    n = len(found)
    outer = found.is_("transproto", "TCP", "UDP", "SCTP")
    for protocol, ours in _PORTS.items():
        for end in ("src", "dst"):
            name = f"{protocol}.{end}port"
            levels = _ports(found, ours, end)
            quoted = found.column(f"quoted-trans{end}")
            yield Quantity(f"first.{name}", Counter(told["first"][name]), first(n, *levels, beyond=quoted))
            if name in told["outer"]:
                within = [level.where(outer) for level in levels]
                yield Quantity(f"outer.{name}", Counter(told["outer"][name]), first(n, *within, beyond=quoted.where(outer)))
            if name in told["any"]:
                claim = anywhere(n, *levels)
                claim.add_open(quoted, perhaps=True)
                yield Quantity(f"any.{name}", Counter(told["any"][name]), claim)
    quotes = found.has("quoted-netsrc")
    flags = [found.column("tcp"), found.column("inner-tcp").where(~found.is_("transproto", "TCP"))]
    no_flags = ~found.has("tcp") & ~found.has("inner-tcp")
    claim = anywhere(n, *flags)
    claim.open[Candidates(frozenset({ANYTHING}), True)] += 9 * int((quotes & no_flags).sum())
    yield Quantity("tcp_flags", _flags(told["tcp_flags"]), claim)
    yield Quantity("outer.tcp_flags", _flags(told["outer"]["tcp_flags"]), anywhere(n, *(column.where(outer) for column in flags)))
    words = [_words(flags[0], found.is_("tcp-flagset", "none")), _words(flags[1], np.zeros(n, bool))]
    yield Quantity("first.tcp.flags", Counter(told["first"]["tcp.flags"]), first(n, *words, perhaps=quotes))


def _ports(found: Found, protocol: str, end: str) -> list[Column]:
    """Ports of a transport: of the first IP header, then inner ones."""
    return [
        found.column(f"trans{end}").where(found.is_("transproto", protocol)),
        found.column(f"inner-trans{end}").where(found.is_("inner-transproto", protocol)),
    ]


def _flags(told: dict[str, int]) -> Counter[str]:
    return +Counter({FLAGS[name]: packets for name, packets in told.items()})


def _words(flags: Column, none: Mask) -> Column:
    """Flags of each packet as tshark's number of all of them."""
    words = {packet: f"0x{sum(_BITS[name] for name in names):04x}" for packet, names in flags.sets().items()}
    numbers = sorted(set(words.values()))
    code = {word: at for at, word in enumerate(numbers)}
    packets = np.array(sorted(words), np.int64)
    column = Column(packets, np.array([code[words[packet]] for packet in packets.tolist()], np.int64), numbers)
    return joined([column, constant(none, "0x0000")])


def where(told: dict[str, Any], found: Found) -> Iterator[Quantity]:
    """Where the first transport header stands: behind the first IP header, in what an ICMP error quotes, or in a tunnel."""
    outer = found.is_("transproto", "TCP", "UDP", "SCTP")
    inner = found.is_("inner-transproto", "TCP", "UDP", "SCTP") & ~outer
    in_tunnel = sum(packets for place, packets in told["transport_where"].items() if place.startswith("behind_"))
    yield Quantity("transport_where.outer", _packets(told["transport_where"].get("outer", 0)), _count(int(outer.sum())))
    yield Quantity("transport_where.behind", _packets(in_tunnel), _count(int(inner.sum())))
    quoted = Claim(Counter())
    sure = found.has("quoted-transsrc") & ~outer & ~inner
    unsure = found.has("quoted-netsrc") & ~outer & ~inner
    quoted.open[Candidates(frozenset({"packets"}), True)] = int((sure | unsure).sum())
    yield Quantity("transport_where.in_icmp", _packets(told["transport_where"].get("in_icmp", 0)), quoted)


def _packets(number: int) -> Counter[str]:
    return +Counter({"packets": number})


def _count(number: int) -> Claim:
    return Claim(_packets(number))
