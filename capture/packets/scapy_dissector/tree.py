"""Scapy's full dissection of one packet as layers with byte positions.

The dissector's own way through the packet leads over headers that scapy has no class for, or does not bind to the one before:
where scapy takes them for payload, the tree goes on behind them.
"""

from __future__ import annotations

from typing import Any

from capture.packets.layer import PAYLOAD, UNDECODED, Layer, LayerField, undecoded
from capture.packets.recognise.tls import is_tls
from capture.packets.scapy_dissector import scapy_modules, tree_modules
from capture.packets.scapy_dissector.packet import walk_packet
from capture.packets.scapy_dissector.tree_fields import layer_fields
from capture.packets.scapy_dissector.tree_tls import tls_records

MOST_LAYERS = 256

_CLASSES: dict[str, Any] = {
    "ethernet": scapy_modules.Ether,
    "vlan": scapy_modules.Dot1Q,
    "vlan svc": scapy_modules.Dot1AD,
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
    _, way = walk_packet(data, linktype, wire_length)
    layers: list[Layer] = []
    if not way:
        cls = scapy_modules.conf.l2types.num2layer.get(linktype)
        layers, at = _dissected(cls, data, 0) if cls else ([], 0)
    at = 0
    for number, (name, start) in enumerate(way):
        if start < at:
            continue  # scapy has gone past this header already
        if start > at:
            layers.append(Layer(way[number - 1][0], way[number - 1][0], at, start - at, []))
            at = start
        if name in _CLASSES:
            while layers and layers[-1].offset >= start and layers[-1].length:
                layers.pop()  # scapy took for payload what has a known header
            more, at = _dissected(_CLASSES[name], data, start)
            layers += more
    if not layers and data:
        return [undecoded(data, 0)]
    end = max((layer.offset + layer.length for layer in layers), default=0)
    if end < len(data) and layers[-1].name not in (UNDECODED, "Padding"):
        layers.append(undecoded(data, end))
    return layers


def _dissected(cls: Any, data: bytes, start: int) -> tuple[list[Layer], int]:
    """The layers that scapy finds from `start` on, and the offset up to which it knew what they are."""
    try:
        layers = _layers(cls(data[start:]), data, start)
    except Exception:  # the outermost header itself: scapy lets that through
        return [undecoded(data, start)], start + 1
    known = [layer.offset + layer.length for layer in layers if layer.name not in (PAYLOAD, UNDECODED, "Padding")]
    return layers, max(known, default=start + 1)


def _layers(first: Any, data: bytes, start: int) -> list[Layer]:
    out: list[Layer] = []
    layer, at = first, start
    while layer and len(out) < MOST_LAYERS:
        size = _header_size(layer, data, at)
        if type(layer).__name__ in ("Raw", "Padding"):
            out += tls_records(data, at) if _is_tls(layer, data, at) else [_bytes_layer(layer, data, at)]
            size = len(layer.original or layer.load)
        elif size or layer.fields:  # scapy's HTTP has an outer layer without bytes
            out.append(Layer(str(layer.name), _summary(layer), at, size, layer_fields(layer, data, at, size)))
        following = layer.payload
        if not following:
            break
        at = _where(following, data, at + size, at)
        layer = following
    return out


def _is_tls(layer: Any, data: bytes, at: int) -> bool:
    # scapy's HTTP, bound to a port, has an outer layer without bytes
    return (
        type(layer.underlayer).__name__ in ("TCP", "HTTP") and is_tls(bytes(layer.load)) and data[at : at + 5] == layer.load[:5]
    )


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


def _bytes_layer(layer: Any, data: bytes, at: int) -> Layer:
    """Bytes that scapy took for nothing it knows: payload, padding, or (it knew and failed) undecoded."""
    load = bytes(layer.load)
    present = data[at : at + len(load)] == load
    size = len(load) if present else 0
    if type(layer).__name__ == "Padding":
        name = "Padding"
    elif _failed(layer, load):
        name = UNDECODED
    else:
        name = PAYLOAD
    return Layer(name, f"{len(load)} bytes", at, size, [LayerField("bytes", load[:256].hex(), "", at, size)] if load else [])


def _failed(layer: Any, load: bytes) -> bool:
    """True if scapy had a class for these bytes and fell back to raw because it raised."""
    under = layer.underlayer
    if under is None:
        return False
    try:
        guessed = under.guess_payload_class(load)
        return guessed is not None and type(layer) is not guessed  # None: an echo's data, which is nobody's
    except Exception:
        return True


def _summary(layer: Any) -> str:
    try:
        text = layer.mysummary()
        text = text[0] if isinstance(text, tuple) else text
    except Exception:
        text = ""
    return str(text)[:300] or str(layer.name)
