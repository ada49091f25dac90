"""Payloads on registered ports: those whose first bytes are too common to be looked for anywhere else."""

from __future__ import annotations

from capture.packets.compiling import borrowing
from capture.packets.fast.recognise.binary import is_kerberos, is_ldap, is_modbus, is_mqtt, is_radius, is_telnet, is_tftp, is_tpkt
from capture.packets.fast.recognise.dhcp import begins_like_dhcpv4, is_dhcpv6
from capture.packets.fast.recognise.dns import is_dns
from capture.packets.fast.recognise.kinds import kind
from capture.packets.fast.recognise.ntp import is_ntp
from capture.packets.fast.recognise.ports import port
from capture.packets.fast.recognise.text import is_ftp, is_imap, is_irc, is_pop3, is_smtp

_SMTP, _SMTP_PORT = kind("SMTP"), port("SMTP")
_FTP, _FTP_PORT = kind("FTP"), port("FTP")
_POP3, _POP3_PORT = kind("POP3"), port("POP3")
_IMAP, _IMAP_PORT = kind("IMAP"), port("IMAP")
_IRC, _IRC_PORT = kind("IRC"), port("IRC")
_LDAP, _LDAP_PORT = kind("LDAP"), port("LDAP")
_MQTT, _MQTT_PORT = kind("MQTT"), port("MQTT")
_MODBUSTCP, _MODBUSTCP_PORT = kind("ModbusTCP"), port("ModbusTCP")
_RADIUS, _RADIUS_PORT = kind("RADIUS"), port("RADIUS")
_TFTP, _TFTP_PORT = kind("TFTP"), port("TFTP")
_TELNET, _TELNET_PORT = kind("Telnet"), port("Telnet")
_KERBEROS, _KERBEROS_PORT = kind("Kerberos"), port("Kerberos")
_TPKT, _TPKT_PORT = kind("TPKT"), port("TPKT")
_RDP, _RDP_PORT = kind("RDP"), port("RDP")
_NTP, _NTP_PORT = kind("NTP"), port("NTP")
_DHCPV4, _DHCPV4_PORT = kind("DHCPv4"), port("DHCPv4")
_DHCPV6, _DHCPV6_PORT = kind("DHCPv6"), port("DHCPv6")
_NBNS, _NBNS_PORT = kind("NBNS"), port("NBNS")


@borrowing()
def kind_at_port(data, at, end, by_port):  # type: ignore[no-untyped-def]
    """The kind that the name of the port promises, if the content shows it; else 0."""
    if by_port == _SMTP_PORT:
        return _SMTP if is_smtp(data, at, end) else 0
    if by_port == _FTP_PORT:
        return _FTP if is_ftp(data, at, end) else 0
    if by_port == _POP3_PORT:
        return _POP3 if is_pop3(data, at, end) else 0
    if by_port == _IMAP_PORT:
        return _IMAP if is_imap(data, at, end) else 0
    if by_port == _IRC_PORT:
        return _IRC if is_irc(data, at, end) else 0
    if by_port == _LDAP_PORT:
        return _LDAP if is_ldap(data, at, end) else 0
    if by_port == _MQTT_PORT:
        return _MQTT if is_mqtt(data, at, end) else 0
    if by_port == _MODBUSTCP_PORT:
        return _MODBUSTCP if is_modbus(data, at, end) else 0
    if by_port == _RADIUS_PORT:
        return _RADIUS if is_radius(data, at, end) else 0
    if by_port == _TFTP_PORT:
        return _TFTP if is_tftp(data, at, end) else 0
    if by_port == _TELNET_PORT:
        return _TELNET if is_telnet(data, at, end) else 0
    if by_port == _KERBEROS_PORT:
        return _KERBEROS if is_kerberos(data, at, end) else 0
    if by_port == _TPKT_PORT:
        return _TPKT if is_tpkt(data, at, end) else 0
    if by_port == _RDP_PORT:
        return _RDP if is_tpkt(data, at, end) else 0
    if by_port == _NTP_PORT:
        return _NTP if is_ntp(data, at, end) else 0
    if by_port == _DHCPV4_PORT:
        return _DHCPV4 if begins_like_dhcpv4(data, at, end) else 0
    if by_port == _DHCPV6_PORT:
        return _DHCPV6 if is_dhcpv6(data, at, end) else 0
    if by_port == _NBNS_PORT:
        return _NBNS if is_dns(data, at, end) else 0
    return 0
