"""The applications that are recognised: the value of `appproto`, and Wireshark's short names for `protocols`.

Compiled loops name a kind by its position in KINDS (from 1; 0 is a payload that nobody recognises). It is stored nowhere.
"""

from __future__ import annotations

# (appproto, short names of Wireshark's frame.protocols)
KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("TLS", ("tls",)),
    ("HTTP2", ("http2",)),
    ("SIP", ("sip",)),
    ("RTSP", ("rtsp",)),
    ("HTTP", ("http",)),
    ("SMB", ("nbss", "smb")),
    ("BGP", ("bgp",)),
    ("BitTorrent", ("bittorrent",)),
    ("STUN", ("stun",)),
    ("DNP3", ("dnp3",)),
    ("SSDP", ("ssdp",)),
    ("DTLS", ("dtls",)),
    ("QUIC", ("quic",)),
    ("DHCPv4", ("dhcp",)),
    ("SNMP", ("snmp",)),
    ("SMTP", ("smtp",)),
    ("FTP", ("ftp",)),
    ("POP3", ("pop",)),
    ("IMAP", ("imap",)),
    ("IRC", ("irc",)),
    ("LDAP", ("ldap",)),
    ("MQTT", ("mqtt",)),
    ("ModbusTCP", ("mbtcp", "modbus")),
    ("RADIUS", ("radius",)),
    ("TFTP", ("tftp",)),
    ("Telnet", ("telnet",)),
    ("Kerberos", ("kerberos",)),
    ("TPKT", ("tpkt",)),
    ("RDP", ("tpkt", "rdp")),
    ("NTP", ("ntp",)),
    ("DHCPv6", ("dhcpv6",)),
    ("NBNS", ("nbns",)),
    ("SSH", ("ssh",)),
    ("DNS", ("dns",)),
    ("DNS", ("mdns",)),
    ("DNS", ("llmnr",)),
    ("SMB", ("nbss", "smb2")),
)

MDNS_PORT, LLMNR_PORT = 5353, 5355


def short_names(application: str, payload: bytes, source: int, destination: int) -> tuple[str, ...]:
    """Wireshark's short names of a recognised payload. DNS is told apart by port, SMB by its mark."""
    if application == "DNS" and MDNS_PORT in (source, destination):
        return ("mdns",)
    if application == "DNS" and LLMNR_PORT in (source, destination):
        return ("llmnr",)
    if application == "SMB" and payload[4:5] != b"\xff":
        return ("nbss", "smb2")
    return next(names for known, names in KINDS if known == application)
