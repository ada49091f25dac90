"""Names of ports as tables that compiled loops look into: see capture.packets.recognise.ports."""

from __future__ import annotations

import numpy as np

from capture.packets.fast.out import SCTP, TCP, UDP, UDPLITE
from capture.packets.recognise.ports import SCTP_PORTS, TCP_PORTS, UDP_PORTS

# Names whose ports have a check of their own (capture.packets.fast.recognise.at_port). They come first: one comparison tells.
CHECKED = (
    "SMTP", "FTP", "POP3", "IMAP", "IRC", "LDAP", "MQTT", "ModbusTCP", "RADIUS", "TFTP", "Telnet", "Kerberos", "TPKT", "RDP",
    "NTP", "DHCPv4", "DHCPv6", "NBNS",
)  # fmt: skip

# What compiled loops say of a port is 1 + the position of its name in here, 0 for none.
PORT_NAMES: tuple[str, ...] = CHECKED + tuple(
    sorted({*TCP_PORTS.values(), *UDP_PORTS.values(), *SCTP_PORTS.values()}.difference(CHECKED))
)


def port(name: str) -> int:
    """The number of a name of PORT_NAMES."""
    return 1 + PORT_NAMES.index(name)


def _table() -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    table = np.zeros((SCTP + 1, 65536), np.uint8)
    for transport, ports in ((TCP, TCP_PORTS), (UDP, UDP_PORTS), (UDPLITE, UDP_PORTS), (SCTP, SCTP_PORTS)):
        for number, name in ports.items():
            table[transport, number] = port(name)
    return table


# uint8 (5, 65536): by transport and port, the number of the port's name. An argument, not a constant, of compiled loops: they
# would keep copies in their code.
PORTS = _table()
