"""Binary protocols told by a few bytes: STUN, SNMP, MQTT, SMB, LDAP, RDP, Modbus, DNP3, BGP, RADIUS, TFTP, HTTP/2, BitTorrent."""

from __future__ import annotations


def _u16(payload: bytes, at: int) -> int:
    return int.from_bytes(payload[at : at + 2], "big")


def is_stun(payload: bytes) -> bool:
    """RFC 8489: two zero bits, length a multiple of 4, the magic cookie."""
    return len(payload) >= 20 and payload[0] < 0x40 and payload[4:8] == b"\x21\x12\xa4\x42" and _u16(payload, 2) % 4 == 0


def is_http2(payload: bytes) -> bool:
    """RFC 9113: the client's connection preface."""
    return payload.startswith(b"PRI * HTTP/2.0\r\n")


def is_bittorrent(payload: bytes) -> bool:
    """BEP 3: the handshake."""
    return payload.startswith(b"\x13BitTorrent protocol")


def is_snmp(payload: bytes) -> bool:
    """RFC 1157, 1901, 1910, 3412: a BER sequence that begins with version 0 to 3 and its next element."""
    if len(payload) < 8 or payload[0] != 0x30:
        return False
    at = 2 + (payload[1] & 0x7F if payload[1] & 0x80 else 0)
    if at > 6 or payload[at : at + 2] != b"\x02\x01" or payload[at + 2 : at + 3] not in (b"\0", b"\1", b"\2", b"\3"):
        return False
    return payload[at + 3 : at + 4] == (b"\x30" if payload[at + 2] == 3 else b"\x04")


def is_ldap(payload: bytes) -> bool:
    """RFC 4511: a BER sequence of message id and an application tag. Asked on LDAP's ports only."""
    if len(payload) < 7 or payload[0] != 0x30:
        return False
    at = 2 + (payload[1] & 0x7F if payload[1] & 0x80 else 0)
    if at > 6 or payload[at : at + 1] != b"\x02":
        return False
    at += 2 + payload[at + 1] if at + 1 < len(payload) else len(payload)
    return at < len(payload) and payload[at] & 0xC0 == 0x40


def is_mqtt(payload: bytes) -> bool:
    """OASIS MQTT: a control packet whose remaining length fits. Asked on MQTT's ports only."""
    if len(payload) < 2 or not 1 <= payload[0] >> 4 <= 15:
        return False
    length = shift = 0
    for at in range(1, min(5, len(payload))):
        length |= (payload[at] & 0x7F) << shift
        shift += 7
        if not payload[at] & 0x80:
            return at + 1 + length <= len(payload) or payload[0] >> 4 == 3
    return False


def is_smb(payload: bytes) -> bool:
    """MS-SMB, MS-SMB2: the protocol's mark, behind the four bytes of direct TCP or NetBIOS session service."""
    return payload[4:8] in (b"\xffSMB", b"\xfeSMB", b"\xfdSMB") and payload[:1] == b"\0"


def is_tpkt(payload: bytes) -> bool:
    """RFC 1006: version 3, reserved 0, length that fits."""
    return len(payload) >= 7 and payload[:2] == b"\3\0" and 7 <= _u16(payload, 2) <= max(len(payload), 8192)


def is_modbus(payload: bytes) -> bool:
    """Modbus TCP: protocol id 0, length that fits. Asked on its port only."""
    return len(payload) >= 8 and payload[2:4] == b"\0\0" and 2 <= _u16(payload, 4) <= 254 and _u16(payload, 4) + 6 <= len(payload)


def is_dnp3(payload: bytes) -> bool:
    """IEEE 1815: start bytes and a length."""
    return len(payload) >= 10 and payload[:2] == b"\x05\x64" and payload[2] >= 5


def is_bgp(payload: bytes) -> bool:
    """RFC 4271: sixteen ones, length, type 1 to 5."""
    return payload[:16] == b"\xff" * 16 and len(payload) >= 19 and 19 <= _u16(payload, 16) <= 4096 and 1 <= payload[18] <= 5


def is_radius(payload: bytes) -> bool:
    """RFC 2865: code and a length that fits. Asked on its ports only."""
    return len(payload) >= 20 and 1 <= payload[0] <= 52 and 20 <= _u16(payload, 2) <= len(payload)


def is_tftp(payload: bytes) -> bool:
    """RFC 1350: opcode 1 to 6 and, in requests, text. Asked on its port only."""
    return len(payload) >= 4 and payload[0] == 0 and 1 <= payload[1] <= 6


def is_telnet(payload: bytes) -> bool:
    """RFC 854: an option command at the beginning. Asked on its port only."""
    return len(payload) >= 3 and payload[0] == 0xFF and 0xF0 <= payload[1] <= 0xFE


def is_kerberos(payload: bytes) -> bool:
    """RFC 4120: an application tag of a Kerberos message (behind four bytes of length over TCP). Asked on its port only."""
    body = payload[4:] if payload[:2] == b"\0\0" else payload
    return len(body) > 8 and body[0] & 0xE0 == 0x60 and body[0] & 0x1F in (10, 11, 12, 13, 14, 15, 20, 21, 22, 30)
