"""TLS records (RFC 8446, 5.1) for the layer tree, each a layer, with the handshake messages that it has in the clear."""

from __future__ import annotations

from capture.packets.labels.tls import VERSIONS
from capture.packets.layer import Layer, LayerField
from capture.packets.scapy_dissector.tree_hello import handshake_fields

_TYPES = {20: "change_cipher_spec", 21: "alert", 22: "handshake", 23: "application_data", 24: "heartbeat"}
_CHANGE_CIPHER_SPEC, _HANDSHAKE = 20, 22


def tls_records(data: bytes, at: int) -> list[Layer]:
    """One layer a record from offset `at` on; the last one may be cut by the end of the segment."""
    out: list[Layer] = []
    changed = False
    while len(data) - at >= 5 and data[at] in _TYPES and data[at + 1] == 3:
        kind, version, length = (
            data[at],
            int.from_bytes(data[at + 1 : at + 3], "big"),
            int.from_bytes(data[at + 3 : at + 5], "big"),
        )
        size = min(5 + length, len(data) - at)
        fields = [
            LayerField("type", str(kind), _TYPES[kind], at, 1),
            LayerField("version", f"0x{version:04x}", VERSIONS.get(version, ""), at + 1, 2),
            LayerField("length", str(length), "", at + 3, 2),
        ]
        changed = changed or kind == _CHANGE_CIPHER_SPEC
        messages = handshake_fields(data, at + 5, at + size, changed) if kind == _HANDSHAKE else []
        fields += messages
        if size > 5:
            fields.append(LayerField("fragment", f"{size - 5} bytes", "", at + 5, size - 5))
        out.append(Layer("TLS", f"TLS {_TYPES[kind]}, {length} bytes", at, size, fields))
        at += size
    if out and at < len(data):
        out.append(Layer("Payload", f"{len(data) - at} bytes", at, len(data) - at, []))
    return out or [Layer("Payload", f"{len(data) - at} bytes", at, len(data) - at, [])]
