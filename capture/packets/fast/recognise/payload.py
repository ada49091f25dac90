"""What one payload is: the order of checks of capture.packets.recognise, by first byte where that makes no difference."""

from __future__ import annotations

import numpy as np

from capture.packets.compiling import borrowing, inlined
from capture.packets.fast.out import SCTP, TCP
from capture.packets.fast.recognise.at_port import kind_at_port
from capture.packets.fast.recognise.binary import is_bgp, is_bittorrent, is_dnp3, is_http2, is_smb, is_snmp, is_stun
from capture.packets.fast.recognise.dhcp import is_dhcpv4
from capture.packets.fast.recognise.dns import is_dns, is_dns_over_tcp
from capture.packets.fast.recognise.http import HTTP, SIP, is_token, text_kind
from capture.packets.fast.recognise.kinds import kind
from capture.packets.fast.recognise.octets import u16
from capture.packets.fast.recognise.ports import CHECKED, port
from capture.packets.fast.recognise.quic import is_quic
from capture.packets.fast.recognise.ssh import is_identification, is_key_exchange
from capture.packets.fast.recognise.tls import is_dtls, is_ssl2_hello, is_tls_record
from capture.packets.recognise.names import LLMNR_PORT, MDNS_PORT

_TLS, _HTTP2, _SIP, _RTSP, _HTTP = kind("TLS"), kind("HTTP2"), kind("SIP"), kind("RTSP"), kind("HTTP")
_SMB, _SMB2, _BGP, _BITTORRENT = kind("SMB", "smb"), kind("SMB", "smb2"), kind("BGP"), kind("BitTorrent")
_STUN, _DNP3, _SSDP, _DTLS, _QUIC = kind("STUN"), kind("DNP3"), kind("SSDP"), kind("DTLS"), kind("QUIC")
_DHCPV4, _SNMP, _SSH = kind("DHCPv4"), kind("SNMP"), kind("SSH")
_DNS, _MDNS, _LLMNR = kind("DNS", "dns"), kind("DNS", "mdns"), kind("DNS", "llmnr")
_CHECKED, _PORT_DNS, _PORT_SSH = len(CHECKED), port("DNS"), port("SSH")


@inlined()
def port_of(ports, transport, source, destination):  # type: ignore[no-untyped-def]
    """The number of name_of_port: of two ports that have a name, the lower one's; 0 if none has. ports: PORTS."""
    if transport > SCTP:
        return np.uint8(0)
    low, high = ports[transport, min(source, destination)], ports[transport, max(source, destination)]
    return low if low else high


@borrowing()
def kind_of(data, at, end, transport, source, destination, by_port):  # type: ignore[no-untyped-def]
    """What recognise() says of the payload data[at:end]: 1 + position in KINDS, 0 for nothing. by_port: its `port_of`."""
    if at >= end:
        return 0
    if 0 < by_port <= _CHECKED:
        known = kind_at_port(data, at, end, by_port)
        if known:
            return known
    if transport == TCP:
        known = _over_tcp(data, at, end)
        if known:
            return known
        if by_port == _PORT_SSH and is_key_exchange(data, at, end):
            return _SSH
        return _DNS if by_port == _PORT_DNS and is_dns_over_tcp(data, at, end) else 0
    if transport == SCTP or transport == 0:
        return 0
    known = _over_udp(data, at, end)
    if known:
        return known
    # without a question there is little in a DNS message that could not stand in others: only on DNS's ports
    if is_dns(data, at, end) and (by_port == _PORT_DNS or u16(data, at + 4)):
        if source == MDNS_PORT or destination == MDNS_PORT:
            return _MDNS
        return _LLMNR if source == LLMNR_PORT or destination == LLMNR_PORT else _DNS
    return 0


@borrowing()
def _over_tcp(data, at, end):  # type: ignore[no-untyped-def]
    """What is looked for on any port."""
    first = data[at]
    if first >= 0x80:
        if is_ssl2_hello(data, at, end):
            return _TLS
        return _BGP if first == 0xFF and is_bgp(data, at, end) else 0
    if 20 <= first <= 24 and is_tls_record(data, at, end):
        return _TLS
    if is_token(first):
        known = _text_over_tcp(data, at, end)
        if known:
            return known
    if first >= 0x40:
        return 0
    if first == 0 and is_smb(data, at, end):
        return _SMB if data[at + 4] == 0xFF else _SMB2
    if first == 19 and is_bittorrent(data, at, end):
        return _BITTORRENT
    if is_stun(data, at, end):
        return _STUN
    return _DNP3 if first == 5 and is_dnp3(data, at, end) else 0


@borrowing()
def _text_over_tcp(data, at, end):  # type: ignore[no-untyped-def]
    """For payloads whose first byte may begin a method."""
    first = data[at]
    if first == 0x50 and is_http2(data, at, end):
        return _HTTP2
    known = text_kind(data, at, end)
    if known == HTTP:
        return _HTTP
    if known:
        return _SIP if known == SIP else _RTSP
    return _SSH if first == 0x53 and is_identification(data, at, end) else 0


@borrowing()
def _over_udp(data, at, end):  # type: ignore[no-untyped-def]
    """What is looked for on any port, but for DNS, whose first bytes say nothing."""
    first = data[at]
    if is_token(first):
        known = text_kind(data, at, end)
        if known == HTTP:
            return _SSDP
        if known:
            return _SIP if known == SIP else _RTSP
    if first < 0x40:
        if is_stun(data, at, end):
            return _STUN
        if 20 <= first <= 25 and is_dtls(data, at, end):
            return _DTLS
    if (first & 0x80 or first & 0x09 == 0x09) and is_quic(data, at, end):
        return _QUIC
    if 1 <= first <= 2 and is_dhcpv4(data, at, end):
        return _DHCPV4
    return _SNMP if first == 0x30 and is_snmp(data, at, end) else 0
