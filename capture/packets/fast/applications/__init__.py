"""Application protocols in compiled loops, one file a protocol: what `capture.packets.applications` reads, for whole batches.

Each module has SLOTS and `extract` (signature EXTRACT of capture.packets.fast.out). It is called with the packets whose payload
was recognised as its protocol, and gives exactly the values that the plain reader gives.
"""

from __future__ import annotations

import importlib
from typing import Any

# appproto -> module; imported when first needed, for each brings its compiled code from the cache
MODULES: dict[str, str] = {
    "DNS": "dns",
    "HTTP": "http",
    "SSDP": "http",
    "DHCPv4": "dhcp",
    "SIP": "sip",
    "SMTP": "smtp",
    "FTP": "ftp",
    "SNMP": "snmp",
    "MQTT": "mqtt",
    "ModbusTCP": "modbus",
    "SMB": "smb",
    "NTP": "ntp",
    "QUIC": "quic",
    "SSH": "ssh",
    "TLS": "tls",
}


def module(application: str) -> Any:
    """The module that reads an application's payloads, None where there is none."""
    name = MODULES.get(application)
    return importlib.import_module(f"{__name__}.{name}") if name else None
