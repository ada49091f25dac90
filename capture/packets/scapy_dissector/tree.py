"""Scapy's full dissection of one packet as layers with byte positions.

Link types that scapy has no class for are walked by the dissector's own handlers down to a header it has one for.
"""

from __future__ import annotations

from typing import Any

from capture.packets.layers import Layer, LayerField, undecoded
from capture.packets.scapy_dissector import packet, scapy_modules, tree_modules
from capture.packets.scapy_dissector.linktypes import FIRST_HEADERS
from capture.packets.scapy_dissector.tree_fields import layer_fields
from capture.packets.scapy_dissector.walk import HANDLERS, Step, Walk

MOST_LAYERS = 256

_CLASSES: dict[str, Any] = {
    "ethernet": scapy_modules.Ether,
    "vlan": scapy_modules.Dot1Q,
    "llc": scapy_modules.LLC,
    "snap": scapy_modules.SNAP,
    "mpls": scapy_modules.MPLS,
    "pppoe": scapy_modules.PPPoE,
    "ppp": scapy_modules.PPP,
    "chdlc": scapy_modules.CHDLC,
    "linux sll": scapy_modules.CookedLinux,
    "linux sll2": scapy_modules.CookedLinuxV2,
    "null": scapy_modules.Loopback,
    "loop": scapy_modules.LoopbackOpenBSD,
    "radiotap": scapy_modules.RadioTap,
    "802.11": scapy_modules.Dot11,
    "arp": scapy_modules.ARP,
    "ipv4": scapy_modules.IP,
    "ipv6": scapy_modules.IPv6,
}


def tree(data: bytes, linktype: int, wire_length: int) -> list[Layer]:
    """See layers.layer_tree. May raise what scapy raises."""
    tree_modules.load()
    layers: list[Layer] = []
    start, cls = _begin(data, linktype, wire_length, layers)
    if cls is None:
        return layers if start >= len(data) else [*layers, undecoded(data, start)]
    try:
        found = cls(data[start:])
    except Exception:  # the outermost header itself: scapy lets that through
        return [*layers, undecoded(data, start)]
    return layers + _layers(found, data, start)


def _begin(data: bytes, linktype: int, wire_length: int, layers: list[Layer]) -> tuple[int, Any]:
    """Offset and class of the first header that scapy knows; headers before it are added to `layers`."""
    name = FIRST_HEADERS.get(linktype)
    if name is None:
        return 0, scapy_modules.conf.l2types.num2layer.get(linktype)
    walk = Walk(data, wire_length)
    at = 0
    for _ in range(packet.MOST_HEADERS):
        if name in _CLASSES:
            return at, _CLASSES[name]
        step: Step = HANDLERS[name](walk, at)
        if step is None:
            break
        if step[1] > at:
            layers.append(Layer(name, name, at, step[1] - at, []))
        name, at = step
    return at, None


def _layers(first: Any, data: bytes, start: int) -> list[Layer]:
    out: list[Layer] = []
    layer, at = first, start
    covered = start
    while layer and len(out) < MOST_LAYERS:
        following = layer.payload
        size = _header_size(layer, data, at)
        if type(layer).__name__ in ("Raw", "Padding"):
            out.append(_bytes_layer(layer, data, at, out))
            size = len(layer.original or layer.load)
        else:
            out.append(Layer(str(layer.name), _summary(layer), at, size, layer_fields(layer, data, at, size)))
        covered = max(covered, at + size)
        if not following:
            break
        at = _where(following, data, at + size, at)
        layer = following
    if covered < len(data) and len(out) == MOST_LAYERS:
        out[-1:] = [undecoded(data, out[-1].offset)]
    return out


def _header_size(layer: Any, data: bytes, at: int) -> int:
    """Bytes of the layer's own header: what its fields consumed, or all before its payload."""
    cached = layer.raw_packet_cache
    if cached is not None and data[at : at + len(cached)] == cached:
        return len(cached)
    payload = len(layer.payload.original or b"") if layer.payload else 0
    return int(min(max(len(layer.original or b"") - payload, 0), len(data) - at))


def _where(layer: Any, data: bytes, expected: int, least: int) -> int:
    """Offset of a layer's bytes: where the header before it ends, else where they are found; its own start says the rest."""
    original = bytes(layer.original or getattr(layer, "load", b""))
    if not original or data[expected : expected + len(original)] == original:
        return min(expected, len(data))
    found = data.find(original, least)
    return found if found >= 0 else min(expected, len(data))


def _bytes_layer(layer: Any, data: bytes, at: int, before: list[Layer]) -> Layer:
    """Bytes that scapy took for nothing it knows: payload, padding, or (it knew and failed) undecoded."""
    load = bytes(layer.load)
    present = data[at : at + len(load)] == load
    size = len(load) if present else 0
    if type(layer).__name__ == "Padding":
        name = "Padding"
    elif _failed(layer, load):
        name = "Undecoded"
    else:
        name = "Payload"
    return Layer(name, f"{len(load)} bytes", at, size, [LayerField("bytes", load[:256].hex(), "", at, size)] if load else [])


def _failed(layer: Any, load: bytes) -> bool:
    """True if scapy had a class for these bytes and fell back to raw because it raised."""
    under = layer.underlayer
    if under is None:
        return False
    try:
        return type(layer) is not under.guess_payload_class(load)
    except Exception:
        return True


def _summary(layer: Any) -> str:
    try:
        text = layer.mysummary()
        text = text[0] if isinstance(text, tuple) else text
    except Exception:
        text = ""
    return str(text)[:300] or str(layer.name)
