"""A capture in which every text that a stranger can write holds what would hurt if it were not escaped.

Made here, byte by byte: scapy would tidy some of it up. Each packet's texts hold another one of HOSTILE.
"""

from __future__ import annotations

import struct
from pathlib import Path

# Each names itself, so that a test can look whether it came out whole.
HOSTILE: dict[str, bytes] = {
    "script": b"<script>alert('hostile')</script>",
    "image": b"<img src=x onerror=alert('hostile')>",
    "attribute": b"\" autofocus onfocus=\"alert('hostile')",
    "quote": b"' onmouseover='alert(1)' x='",
    "url": b"javascript:alert('hostile')",
    "data-url": b"data:text/html,<script>alert('hostile')</script>",
    "end-of-comment": b"--><svg/onload=alert('hostile')>",
    "end-of-title": b"</title></textarea></style></script><svg onload=alert('hostile')>",
    "template": b"{{7*7}}{% debug %}${7*7}#{7*7}",
    "formula": b'=HYPERLINK("http://evil.example","x")',
    "at": b"@SUM(1+1)*cmd|' /C calc'!A0",
    "bidi": "evil\u202egpj.exe\u2066\u2069".encode(),
    "zero-width": "a\u200bb\ufeffc\u00add".encode(),
    "control": b"a\x01\x07\x08\x1b[2J\x1b]0;owned\x07\x7f\xc2\x9bb",
    "nul": b"a\x00b",
    "not-utf-8": b"\xff\xfe\xc3\x28\xed\xa0\x80",
    "lines": b"one\x0b\x0c\xe2\x80\xa8two\xe2\x80\xa9three",
    "backslash": b"\\x3cscript\\x3e\\u003c\\",
    "long": b"<b>" + b"A" * 3000,
}
CONTENT_TYPE = "application/octet-stream"


def block(kind: int, body: bytes) -> bytes:
    size = 12 + len(body)
    return struct.pack("<II", kind, size) + body + struct.pack("<I", size)


def option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def ipv4(protocol: int, body: bytes, source: int = 1, target: int = 2) -> bytes:
    addresses = bytes((10, 0, 0, source, 10, 0, 0, target))
    return bytes(12) + b"\x08\0" + struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, protocol, 0) + addresses + body


def tcp(port: int, payload: bytes, source: int = 40000) -> bytes:
    return ipv4(6, struct.pack(">HHIIBBHHH", source, port, 1, 1, 0x50, 0x18, 1000, 0, 0) + payload)


def udp(source: int, target: int, payload: bytes) -> bytes:
    return ipv4(17, struct.pack(">HHHH", source, target, 8 + len(payload), 0) + payload)


def dns(name: bytes, *, answer: bytes = b"") -> bytes:
    labels = [name[at : at + 60] for at in range(0, min(len(name), 180), 60)]
    question = b"".join(bytes((len(label),)) + label for label in labels) + b"\0" + struct.pack(">HH", 16, 1)
    head = struct.pack(">HHHHHH", 7, 0x8180 if answer else 0x0100, 1, 1 if answer else 0, 0, 0)
    if not answer:
        return udp(5353, 53, head + question)
    said = b"".join(bytes((len(label),)) + label for label in [answer[:60]]) + b"\0"
    return udp(53, 5353, head + question + b"\xc0\x0c" + struct.pack(">HHIH", 5, 1, 60, len(said)) + said)


def client_hello(name: bytes, protocol: bytes) -> bytes:
    server_name = b"\0" + struct.pack(">H", len(name)) + name
    server_name = struct.pack(">H", len(server_name)) + server_name
    alpn = bytes((len(protocol[:200]),)) + protocol[:200]
    alpn = struct.pack(">H", len(alpn)) + alpn
    extensions = struct.pack(">HH", 0, len(server_name)) + server_name + struct.pack(">HH", 16, len(alpn)) + alpn
    body = b"\x03\x03" + bytes(32) + b"\0" + struct.pack(">H", 2) + b"\x13\x01" + b"\x01\0"
    body += struct.pack(">H", len(extensions)) + extensions
    hello = b"\x01" + struct.pack(">I", len(body))[1:] + body
    return tcp(443, b"\x16\x03\x01" + struct.pack(">H", len(hello)) + hello)


def dhcp(host: bytes) -> bytes:
    head = struct.pack(">BBBBIHH", 1, 1, 6, 0, 9, 0, 0) + bytes(16) + bytes(16) + bytes(192) + b"\x63\x82\x53\x63"
    return udp(68, 67, head + b"\x35\x01\x01" + bytes((12, len(host[:200]))) + host[:200] + b"\xff")


def packets(text: bytes) -> list[bytes]:
    """One of each protocol whose texts are indexed or shown."""
    line = text.replace(b"\r", b"").replace(b"\n", b"")
    request = b"GET /" + line + b"?q=" + line + b" HTTP/1.1\r\nHost: " + line + b"\r\nUser-Agent: " + line
    response = b"HTTP/1.1 200 " + line + b"\r\nServer: " + line + b"\r\nContent-Type: " + line + b"\r\n\r\n" + text
    return [
        tcp(80, request + b"\r\nCookie: " + line + b"\r\n\r\n"),
        tcp(40000, response, source=80),
        dns(text),
        dns(text, answer=text),
        client_hello(text, text),
        tcp(22, b"SSH-2.0-" + line[:200] + b"\r\n"),
        dhcp(text),
        udp(5060, 5060, b"INVITE sip:" + line + b" SIP/2.0\r\nVia: " + line + b"\r\n\r\n"),
        tcp(25, b"EHLO " + line + b"\r\n"),
        tcp(21, b"USER " + line + b"\r\n"),
    ]


def made(path: Path) -> int:
    """Writes it; how many packets are in it."""
    every = list(HOSTILE.values())
    all_in_one = b" ".join(every[:-1])
    end = option(0, b"")
    out = [
        block(
            0x0A0D0D0A,
            struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)
            + b"".join(option(code, all_in_one) for code in (1, 2, 3, 4))  # comment, hardware, system, program
            + end,
        )
    ]
    for text in every:  # name, description, filter, system, hardware
        options = b"".join(option(code, b"\0" * (code == 11) + text[:500]) for code in (2, 3, 11, 12, 15))
        out.append(block(1, struct.pack("<HHI", 1, 0, 0) + options + end))
    count = 0
    for number, text in enumerate(every):
        for data in packets(text):
            count += 1
            when = 1_772_442_000_000_000 + count * 250_000
            body = struct.pack("<IIIII", number, when >> 32, when & 0xFFFFFFFF, len(data), len(data)) + data
            out.append(block(6, body + b"\0" * (-len(data) % 4) + option(1, text[:500]) + end))
    path.write_bytes(b"".join(out))
    return count
