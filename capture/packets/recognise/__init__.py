"""Application protocols by content: pure functions over the bytes of one payload, shared by all dissectors.

`recognise` asks first those that no other traffic looks like, on any port; then those whose first bytes are common, on their
own ports only. Names are gopacket's where it has one (DNS, TLS, NTP, SIP, DHCPv4, DHCPv6, ModbusTCP, RADIUS), else ours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from capture.packets.recognise import binary, dhcp, dns, http, ntp, quic, ssh, text, tls
from capture.packets.recognise.ports import SCTP_PORTS, TCP_PORTS, UDP_PORTS

Transport = Literal["tcp", "udp", "udplite", "sctp"]

_PORTS: dict[str, dict[int, str]] = {"tcp": TCP_PORTS, "udp": UDP_PORTS, "udplite": UDP_PORTS, "sctp": SCTP_PORTS}

Check = Callable[[bytes], bool]

# on any port, in this order
_TCP_ANYWHERE: tuple[tuple[str, Check], ...] = (
    ("TLS", tls.is_tls),
    ("HTTP2", binary.is_http2),
    ("SIP", text.is_sip),
    ("RTSP", text.is_rtsp),
    ("HTTP", http.is_http),
    ("SMB", binary.is_smb),
    ("BGP", binary.is_bgp),
    ("BitTorrent", binary.is_bittorrent),
    ("STUN", binary.is_stun),
    ("DNP3", binary.is_dnp3),
)
_UDP_ANYWHERE: tuple[tuple[str, Check], ...] = (
    ("SIP", text.is_sip),
    ("RTSP", text.is_rtsp),
    ("SSDP", http.is_http),
    ("STUN", binary.is_stun),
    ("DTLS", tls.is_dtls),
    ("QUIC", quic.is_quic),
    ("DHCPv4", dhcp.is_dhcpv4),
    ("SNMP", binary.is_snmp),
)
# on their own ports: the name that the port has, checked by content
_AT_PORT: dict[str, Check] = {
    "SMTP": text.is_smtp,
    "FTP": text.is_ftp,
    "POP3": text.is_pop3,
    "IMAP": text.is_imap,
    "IRC": text.is_irc,
    "LDAP": binary.is_ldap,
    "MQTT": binary.is_mqtt,
    "ModbusTCP": binary.is_modbus,
    "RADIUS": binary.is_radius,
    "TFTP": binary.is_tftp,
    "Telnet": binary.is_telnet,
    "Kerberos": binary.is_kerberos,
    "TPKT": binary.is_tpkt,
    "RDP": binary.is_tpkt,
    "NTP": ntp.is_ntp,
    "DHCPv4": dhcp.begins_like_dhcpv4,
    "DHCPv6": dhcp.is_dhcpv6,
    "NBNS": dns.is_dns,
}


def recognise(payload: bytes, transport: Transport, source: int, destination: int) -> str | None:
    """The protocol that the content of `payload` shows, None if nobody recognises it. `payload` may be cut. Never raises."""
    if not payload:
        return None
    port_name = name_of_port(transport, source, destination)
    check = _AT_PORT.get(port_name or "")
    if check is not None and check(payload):
        return port_name
    for name, anywhere in _TCP_ANYWHERE if transport == "tcp" else _UDP_ANYWHERE if transport != "sctp" else ():
        if anywhere(payload):
            return name
    if transport == "tcp":
        if ssh.is_ssh(payload) and (payload.startswith(b"SSH-") or port_name == "SSH"):
            return "SSH"
        return "DNS" if port_name == "DNS" and dns.is_dns_over_tcp(payload) else None
    if transport == "sctp" or not dns.is_dns(payload):
        return None
    # without a question there is little in a DNS message that could not stand in others: only on DNS's ports
    return "DNS" if port_name == "DNS" or dns.question_count(payload) else None


def name_of_port(transport: Transport, source: int, destination: int) -> str | None:
    """The protocol that a port of the packet is registered for: of two that are, the lower port's."""
    names = _PORTS[transport]
    return names.get(min(source, destination)) or names.get(max(source, destination))
