"""TLS records, SSL 2.0 hellos, DTLS records: see capture.packets.recognise.tls."""

from __future__ import annotations

from capture.packets.compiling import borrowing
from capture.packets.fast.recognise.octets import u16


@borrowing()
def is_tls_record(data, at, end):  # type: ignore[no-untyped-def]
    """For payloads whose first byte is 20 to 24."""
    if end - at < 5 or data[at + 1] != 3 or data[at + 2] > 4:
        return False
    length = u16(data, at + 3)
    if length == 0 or length > 2**14 + 2048:
        return False
    return end - at < 6 or data[at] != 20 or length == 1


@borrowing()
def is_ssl2_hello(data, at, end):  # type: ignore[no-untyped-def]
    """For payloads whose first byte has its highest bit set."""
    if end - at < 11 or data[at + 2] != 1:
        return False
    known = (data[at + 3] == 0 and data[at + 4] == 2) or (data[at + 3] == 3 and data[at + 4] <= 4)
    if not known:
        return False
    ciphers = u16(data, at + 5)
    return ciphers % 3 == 0 and u16(data, at) & 0x7FFF == 9 + ciphers + u16(data, at + 7) + u16(data, at + 9)


@borrowing()
def is_dtls(data, at, end):  # type: ignore[no-untyped-def]
    """For payloads whose first byte is 20 to 25."""
    if end - at < 13:
        return False
    version = u16(data, at + 1)
    return (version == 0xFEFF or version == 0xFEFD or version == 0x0100) and 0 < u16(data, at + 11) <= end - at - 13
