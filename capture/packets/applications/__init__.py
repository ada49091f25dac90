"""Application protocols: for each its fields, and the plain and obvious way to read them from a payload.

One file a protocol. `values` is what the scapy dissector uses, and the reference that the compiled loops of the fast dissector
must agree with. It is asked only for payloads that `capture.packets.recognise` has recognised as that protocol.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, cast

from capture.packets.applications import dhcp, dns, ftp, http, modbus, mqtt, ntp, quic, sip, smb, smtp, snmp, ssh, tls
from capture.packets.applications.payload import BY_PORT, PICAP
from capture.packets.fields import Field

__all__ = ["BY_PORT", "FIELDS", "PICAP", "READERS", "values"]


class Reader(Protocol):
    """A module of this package."""

    FIELDS: tuple[Field, ...]

    def values(self, payload: bytes, transport: str, source: int, destination: int) -> Iterable[tuple[str, bytes | int]]:
        """(field, value) of all that `payload` has. May be cut anywhere. Never raises."""


_MODULES = (dns, tls, quic, http, ssh, dhcp, sip, smtp, ftp, ntp, snmp, mqtt, modbus, smb)

FIELDS: tuple[Field, ...] = tuple(field for module in _MODULES for field in module.FIELDS)

# appproto -> what reads it
READERS: dict[str, Reader] = cast(
    "dict[str, Reader]",
    {
        "DNS": dns,
        "TLS": tls,
        "QUIC": quic,
        "HTTP": http,
        "SSDP": http,
        "SSH": ssh,
        "DHCPv4": dhcp,
        "SIP": sip,
        "SMTP": smtp,
        "FTP": ftp,
        "NTP": ntp,
        "SNMP": snmp,
        "MQTT": mqtt,
        "ModbusTCP": modbus,
        "SMB": smb,
    },
)


def values(application: str, payload: bytes, transport: str, source: int, destination: int) -> Iterator[tuple[str, bytes | int]]:
    """What a payload that was recognised as `application` has of the fields. Empty texts are no values."""
    reader = READERS.get(application)
    if reader is not None:
        for name, value in reader.values(payload, transport, source, destination):
            if value != b"":
                yield name, value
