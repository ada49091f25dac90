"""TLS records (RFC 8446, 5.1) for the layer tree. scapy's own TLS needs the `cryptography` package, which we do without."""

from __future__ import annotations

from capture.packets.layer import Layer, LayerField

_TYPES = {20: "change_cipher_spec", 21: "alert", 22: "handshake", 23: "application_data", 24: "heartbeat"}
_VERSIONS = {0x0300: "SSL 3.0", 0x0301: "TLS 1.0", 0x0302: "TLS 1.1", 0x0303: "TLS 1.2", 0x0304: "TLS 1.3"}
_MESSAGES = {
    0: "hello_request", 1: "client_hello", 2: "server_hello", 4: "new_session_ticket", 8: "encrypted_extensions",
    11: "certificate", 12: "server_key_exchange", 13: "certificate_request", 14: "server_hello_done",
    15: "certificate_verify", 16: "client_key_exchange", 20: "finished", 22: "certificate_status",
}  # fmt: skip


def tls_records(data: bytes, at: int) -> list[Layer]:
    """One layer a record from offset `at` on; the last one may be cut by the end of the segment."""
    out: list[Layer] = []
    while len(data) - at >= 5 and data[at] in _TYPES and data[at + 1] == 3:
        kind, version, length = (
            data[at],
            int.from_bytes(data[at + 1 : at + 3], "big"),
            int.from_bytes(data[at + 3 : at + 5], "big"),
        )
        size = min(5 + length, len(data) - at)
        fields = [
            LayerField("type", str(kind), _TYPES[kind], at, 1),
            LayerField("version", f"0x{version:04x}", _VERSIONS.get(version, ""), at + 1, 2),
            LayerField("length", str(length), "", at + 3, 2),
        ]
        message = data[at + 5] if kind == 22 and size > 5 else None
        if message in _MESSAGES:
            fields.append(LayerField("handshake type", str(message), _MESSAGES[message], at + 5, 1))
        if size > 5:
            fields.append(LayerField("fragment", f"{size - 5} bytes", "", at + 5, size - 5))
        out.append(Layer("TLS", f"TLS {_TYPES[kind]}, {length} bytes", at, size, fields))
        at += size
    if out and at < len(data):
        out.append(Layer("Payload", f"{len(data) - at} bytes", at, len(data) - at, []))
    return out or [Layer("Payload", f"{len(data) - at} bytes", at, len(data) - at, [])]
