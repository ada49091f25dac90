"""The fields in groups, as pages list them: by layer from the record up, what lies deeper and what packages bring at the end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from capture.packets.fields import Field
from capture.packets.registry import FIELDS

LEVELS = {
    "first": "first IP header",
    "any": "any level",
    "packet": "packet",
    "inner": "inside a tunnel",
    "quoted": "quoted by ICMP",
}
# Title -> protocols; a protocol that is in none of them is an application of its own.
LAYERS = {
    "Record": ("frame",),
    "Link": ("eth", "vlan", "mpls", "arp"),
    "Network": ("ip", "ipv6", "icmp", "icmpv6"),
    "Transport": ("transport", "tcp", "udp", "sctp"),
    "Tunnels and quotes": ("tunnel",),
    "Application": ("application",),
    "Names": ("dns", "dhcp"),
    "Web": ("http", "tls", "quic"),
}
OTHERS, PACKAGES = "Other applications", "From packages"
# What belongs to a conversation and not to a packet alone, of whatever protocol
CONVERSATIONS = "Conversations"
DEEPER = ("inner", "quoted")


@dataclass(frozen=True)
class Group:
    title: str
    names: list[str]

    @property
    def anchor(self) -> str:
        """Its place on the fields page."""
        return "group-" + self.title.lower().replace(" ", "-")


def group_of(field: Field) -> str:
    """The title of the group that a field belongs to."""
    if field.plugin:
        return PACKAGES
    if field.conversations:
        return CONVERSATIONS
    if field.level in DEEPER:
        return "Tunnels and quotes"
    return next((title for title, protocols in LAYERS.items() if field.protocol in protocols), OTHERS)


def grouped(fields: Iterable[Field] | None = None) -> list[Group]:
    """Fields (all of them, where none are given) by group, those without a field left out; in the registry's order within."""
    found: dict[str, list[str]] = {title: [] for title in (*LAYERS, OTHERS, CONVERSATIONS, PACKAGES)}
    for field in FIELDS.values() if fields is None else fields:
        found[group_of(field)].append(field.name)
    return [Group(title, names) for title, names in found.items() if names]


def grouped_sets() -> list[Group]:
    """The fields that have values to count."""
    return grouped(field for field in FIELDS.values() if field.kind == "set")
