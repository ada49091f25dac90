"""One packet: its headers walked from the link type to the payload, and nothing it holds can make that fail."""

from __future__ import annotations

from capture.packets.scapy_dissector import arp, gre, icmp, link, link_more, network, transport, tunnels, wireless  # noqa: F401 (handlers)
from capture.packets.scapy_dissector.layer_names import LAYER_NAMES
from capture.packets.scapy_dissector.linktypes import FIRST_HEADERS
from capture.packets.scapy_dissector.walk import HANDLERS, Found, Step, Walk

MOST_HEADERS = 64  # a bound for hostile packets; every step also moves on in the packet


def dissect_packet(data: bytes, linktype: int, wire_length: int, applications: bool = True) -> Found:
    """What the packet has of all fields, and `error` if its headers could not be decoded to the transport. Never raises.

    applications: False leaves out the fields of payloads, but for those that name the application.
    """
    return walk_packet(data, linktype, wire_length, applications)[0]


def walk_packet(data: bytes, linktype: int, wire_length: int, applications: bool = True) -> tuple[Found, list[tuple[str, int]]]:
    """As dissect_packet, and the way through the packet: each header's handler and its offset, in order."""
    walk = Walk(data, wire_length, applications)
    way: list[tuple[str, int]] = []
    first = FIRST_HEADERS.get(linktype)
    if first is None:
        walk.fail("linktype: unsupported")
        return walk.found, way
    step: Step = (first, 0)
    try:
        for _ in range(MOST_HEADERS):
            if step is None:
                return walk.found, way
            way.append(step)
            name, at = step
            layer = LAYER_NAMES.get(name)
            if layer:
                walk.add("protocols", layer)
            step = HANDLERS[name](walk, at)
        if step is not None:
            walk.fail("packet: too many headers")
    except Exception:  # scapy raises what it likes on hostile bytes; the packet keeps what it has
        walk.fail("packet: dissector failed")
    return walk.found, way
