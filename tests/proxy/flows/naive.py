"""Conversations and named queries packet by packet, as their definitions say, over what the scapy dissector finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.proxy.analysis.counted import Packet, packets_of

Key = tuple[int, str, str]
End = tuple[str, str]
Place = tuple[int, int]  # capture, number of the packet


@dataclass(frozen=True)
class Seen:
    """A packet with its place. conversation: None without a Community ID."""

    place: Place
    packet: Packet

    def value(self, field: str) -> str:
        """The one value of a field, or nothing."""
        values = self.packet.fields.get(field, frozenset())
        assert len(values) <= 1, (field, values)
        return next(iter(values), "")

    @property
    def conversation(self) -> Key | None:
        number = self.value("community-id")
        return (self.place[0], self.value("vlan-stack"), number) if number else None

    @property
    def source(self) -> End:
        return self.value("netsrc"), self.value("transsrc")

    @property
    def destination(self) -> End:
        return self.value("netdst"), self.value("transdst")

    def flags(self, *some: str) -> bool:
        return all(self.packet.has("tcp", flag) for flag in some)


def seen(capture: int, path: Path) -> list[Seen]:
    """The packets of a capture file of which every packet is indexed."""
    return [Seen((capture, number), packet) for number, packet in enumerate(packets_of(capture, path), 1)]


def flow(packets: Iterable[Seen], chosen: Callable[[Seen], bool]) -> set[Place]:
    """All packets of the conversations of the chosen ones."""
    packets = list(packets)
    keys = {one.conversation for one in packets if chosen(one)} - {None}
    return {one.place for one in packets if one.conversation in keys}


def unanswered(packets: list[Seen], asks: Callable[[Seen], bool], answers: Callable[[Seen], bool], key: str = "") -> set[Place]:
    """Askers with nobody at their destination who answers them, in their conversation."""

    def of(one: Seen) -> frozenset[str]:
        return one.packet.fields.get(key, frozenset()) if key else frozenset({""})

    had = {(one.conversation, one.source, one.destination, value) for one in packets if answers(one) for value in of(one)}
    return {
        one.place
        for one in packets
        if one.conversation and asks(one)
        if not {(one.conversation, one.destination, one.source, value) for value in of(one)} <= had
    }


def syn(one: Seen) -> bool:
    return one.flags("SYN") and not one.flags("ACK")


def syn_ack(one: Seen) -> bool:
    return one.flags("SYN", "ACK")


def reset_ack(one: Seen) -> bool:
    return one.flags("RST", "ACK")


def is_dns(one: Seen) -> bool:
    ports = {one.value("transsrc"), one.value("transdst")}
    return one.packet.has("dns-response", "false") and not ports & {"5353", "5355"}


def ping(one: Seen) -> bool:
    return one.packet.has("icmp-type", "8") or one.packet.has("icmpv6-type", "128")


def pong(one: Seen) -> bool:
    return one.packet.has("icmp-type", "0") or one.packet.has("icmpv6-type", "129")


def _one_way(packets: list[Seen]) -> set[Place]:
    sides: dict[Key, set[End]] = {}
    for one in packets:
        if one.conversation:
            sides.setdefault(one.conversation, set()).add(one.source)
    return {one.place for one in packets if one.conversation and len(sides[one.conversation]) == 1}


def _that(holds: Callable[[Seen], bool]) -> Callable[[list[Seen]], set[Place]]:
    return lambda packets: {one.place for one in packets if holds(one)}


NAMED: dict[str, Callable[[list[Seen]], set[Place]]] = {
    "unanswered-syn": lambda packets: unanswered(packets, syn, syn_ack),
    "refused-syn": lambda packets: (
        unanswered(packets, syn, syn_ack) & ({one.place for one in packets if syn(one)} - unanswered(packets, syn, reset_ack))
    ),
    "syn-ack-without-syn": lambda packets: unanswered(packets, syn_ack, syn),
    "reset": lambda packets: flow(packets, lambda one: one.flags("RST")),
    "one-way": _one_way,
    "dns-unanswered": lambda packets: unanswered(packets, is_dns, lambda one: one.packet.has("dns-response", "true"), "dns-id"),
    "dns-nxdomain": _that(lambda one: one.packet.has("dns-rcode", "3")),
    "dns-failed": _that(lambda one: bool(one.packet.fields.get("dns-rcode", frozenset()) - {"0", "3"})),
    "ping-unanswered": lambda packets: unanswered(packets, ping, pong),
    "icmp-unreachable": _that(lambda one: one.packet.has("icmp-type", "3") or one.packet.has("icmpv6-type", "1")),
    "zero-window": _that(
        lambda one: one.packet.has("tcp-window", "0") and not any(one.flags(flag) for flag in ("SYN", "FIN", "RST"))
    ),
    "tls-no-server-hello": lambda packets: unanswered(
        packets,
        lambda one: one.packet.has("tls-handshake", "1") and one.packet.has("transproto", "TCP"),
        lambda one: one.packet.has("tls-handshake", "2"),
    ),
}
