"""Handshake messages of TLS for the layer tree: hellos field by field (RFC 8446, 4.1; RFC 5246, 7.4.1), others by type.

Shown is what stands in one record, up to where it is cut. scapy's own TLS keeps a session's state and shows no positions.
"""

from __future__ import annotations

from collections.abc import Iterator

from capture.packets.applications.tls_hello import CLIENT_HELLO, SERVER_HELLO, handshake, is_grease
from capture.packets.labels.tls import VERSIONS
from capture.packets.layer import LayerField

_MESSAGES = {
    0: "hello_request", 1: "client_hello", 2: "server_hello", 3: "hello_verify_request", 4: "new_session_ticket",
    5: "end_of_early_data", 6: "hello_retry_request", 8: "encrypted_extensions", 11: "certificate", 12: "server_key_exchange",
    13: "certificate_request", 14: "server_hello_done", 15: "certificate_verify", 16: "client_key_exchange", 20: "finished",
    21: "certificate_url", 22: "certificate_status", 23: "supplemental_data", 24: "key_update", 25: "compressed_certificate",
    67: "next_protocol",
}  # fmt: skip
_EXTENSIONS = {
    0: "server_name", 1: "max_fragment_length", 5: "status_request", 10: "supported_groups", 11: "ec_point_formats",
    13: "signature_algorithms", 14: "use_srtp", 15: "heartbeat", 16: "application_layer_protocol_negotiation",
    17: "status_request_v2", 18: "signed_certificate_timestamp", 19: "client_certificate_type", 20: "server_certificate_type",
    21: "padding", 22: "encrypt_then_mac", 23: "extended_main_secret", 24: "token_binding", 25: "cached_info",
    27: "compress_certificate", 28: "record_size_limit", 34: "delegated_credential", 35: "session_ticket",
    41: "pre_shared_key", 42: "early_data", 43: "supported_versions", 44: "cookie", 45: "psk_key_exchange_modes",
    47: "certificate_authorities", 48: "oid_filters", 49: "post_handshake_auth", 50: "signature_algorithms_cert",
    51: "key_share", 54: "connection_id", 57: "quic_transport_parameters", 13172: "next_protocol_negotiation",
    17513: "application_settings (old)", 17613: "application_settings", 64768: "ech_outer_extensions",
    65037: "encrypted_client_hello", 65281: "renegotiation_info",
}  # fmt: skip
_SERVER_NAME, _GROUPS, _POINT_FORMATS, _SIGNATURES, _ALPN, _VERSIONS = 0, 10, 11, 13, 16, 43
_LONGEST_SHOWN = 256


def handshake_fields(data: bytes, at: int, end: int, encrypted: bool) -> list[LayerField]:
    """Fields of the handshake messages in data[at:end], the contents of a record; none if they are encrypted.

    encrypted: a ChangeCipherSpec went before, so only a ClientHello can be in the clear.
    """
    kinds = [value for name, value in handshake(data[at:end], "t", changed=encrypted) if name == "tls-handshake"]
    fields: list[LayerField] = []
    for kind in kinds:
        length = int.from_bytes(data[at + 1 : at + 4], "big")
        after = min(at + 4 + length, end)
        assert isinstance(kind, int)
        fields.append(LayerField("handshake type", str(kind), _MESSAGES.get(kind, ""), at, 1))
        fields.append(LayerField("handshake length", str(length), "", at + 1, 3))
        if kind in (CLIENT_HELLO, SERVER_HELLO):
            fields += _hello(data[:after], at + 4, kind)
            for name, value in handshake(data[at:after], "t"):
                if name in ("tls-ja3", "tls-ja4") and isinstance(value, bytes):
                    fields.append(LayerField(name.removeprefix("tls-").upper(), value.decode(), "", at, 0))
        at = after
    return fields


def _hello(data: bytes, at: int, kind: int) -> Iterator[LayerField]:
    """The fields of the hello whose body begins at `at` and ends, or is cut, where `data` does."""
    if at + 34 > len(data):
        return
    version = _number(data, at)
    yield LayerField("legacy version", f"0x{version:04x}", VERSIONS.get(version, ""), at, 2)
    yield LayerField("random", data[at + 2 : at + 34].hex(), "", at + 2, 32)
    at += 34
    begin, at = _vector(data, at, 1)
    yield LayerField("session id", data[begin:at].hex(), "", begin, at - begin)
    if kind == CLIENT_HELLO:
        begin, at = _vector(data, at, 2)
        yield LayerField("cipher suites", _numbers(data, begin, at), "", begin, at - begin)
        begin, at = _vector(data, at, 1)
        yield LayerField("compression methods", data[begin:at].hex(), "", begin, at - begin)
    elif at + 3 <= len(data):
        yield LayerField("cipher suite", f"0x{_number(data, at):04x}", "", at, 2)
        yield LayerField("compression method", str(data[at + 2]), "", at + 2, 1)
        at += 3
    at, end = _vector(data, at, 2)
    while at + 4 <= end:
        extension = _number(data, at)
        name = "GREASE" if is_grease(extension) else _EXTENSIONS.get(extension, str(extension))
        begin, after = _vector(data[:end], at + 2, 2)
        yield LayerField(f"extension {name}", *_extension(data[:after], begin, extension, kind), at, after - at)
        at = after


def _extension(data: bytes, at: int, extension: int, kind: int) -> tuple[str, str]:
    """(value, meaning) of the contents of an extension, which end where `data` does."""
    begin, end = _vector(data, at, 1 if extension in (_POINT_FORMATS, _VERSIONS) else 2)
    if extension == _VERSIONS:
        begin, end = (begin, end) if kind == CLIENT_HELLO else (at, len(data))
        numbers = [_number(data, k) for k in range(begin, end - 1, 2)]
        return _numbers(data, begin, end), ", ".join("GREASE" if is_grease(n) else VERSIONS.get(n, "?") for n in numbers)
    if extension in (_GROUPS, _SIGNATURES):
        return _numbers(data, begin, end), ""
    if extension == _ALPN:
        names = []
        while begin < end:
            name, begin = _vector(data, begin, 1)
            names.append(_text(data[name:begin]))
        return ", ".join(names), ""
    if extension == _SERVER_NAME and kind == CLIENT_HELLO:
        names = []
        while begin + 3 <= end:
            name, begin = _vector(data, begin + 1, 2)
            names.append(_text(data[name:begin]))
        return ", ".join(names), ""
    return data[at : at + _LONGEST_SHOWN].hex(), ""


def _vector(data: bytes, at: int, width: int) -> tuple[int, int]:
    """[begin, end) of a vector whose length has `width` bytes; cut where `data` ends."""
    begin = min(at + width, len(data))
    return begin, min(begin + int.from_bytes(data[at : at + width], "big"), len(data))


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big")


def _numbers(data: bytes, begin: int, end: int) -> str:
    return " ".join(f"{_number(data, k):04x}" for k in range(begin, end - 1, 2))


def _text(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")
