"""DHCP for IPv4 (RFC 2131, RFC 2132): options behind BOOTP's fixed fields and the magic cookie.

The overload option (52) says that the fields `file` (1), `sname` (2) or both (3) hold options, too. A message without the cookie
(BOOTP, RFC 951) has no options; of one that is cut, those count that are whole.
"""

from __future__ import annotations

from collections.abc import Iterator

from capture.packets.fields import Field
from capture.packets.labels.dhcp import TYPES

FIELDS = (
    Field(
        "dhcp-hostname",
        "text",
        "Host name option (12) as sent.",
        "TopN(dhcp-hostname, n=10)",
        level="any",
        protocol="dhcp",
        wireshark="dhcp.option.hostname",
    ),
    Field(
        "dhcp-type",
        "number",
        "Message type option (53).",
        'Row(dhcp-type="Discover")',
        level="any",
        protocol="dhcp",
        wireshark="dhcp.option.dhcp",
        labels=TYPES,
        maximum=255,
    ),
)

_COOKIE = b"\x63\x82\x53\x63"


def values(payload: bytes, transport: str, source: int, destination: int) -> Iterator[tuple[str, bytes | int]]:
    """(field, value) of all that `payload` has of FIELDS, in the order of the wire; the same pair may come again."""
    if payload[236:240] != _COOKIE:
        return
    overload = 0
    for code, value in _options(payload[240:]):
        yield from _fields(code, value)
        if code == 52 and len(value) == 1:
            overload = value[0]
    for held, field in ((1, payload[108:236]), (2, payload[44:108])):  # file, then sname: the order of RFC 2131, 4.1
        if overload & held and overload <= 3:
            for code, value in _options(field):
                yield from _fields(code, value)


def _options(field: bytes) -> Iterator[tuple[int, bytes]]:
    """Options up to the end option, or up to the first one that is cut."""
    at = 0
    while at < len(field) and field[at] != 255:
        if field[at] == 0:
            at += 1
            continue
        end = at + 2 + field[at + 1] if at + 1 < len(field) else len(field) + 1
        if end > len(field):
            return
        yield field[at], field[at + 2 : end]
        at = end


def _fields(code: int, value: bytes) -> Iterator[tuple[str, bytes | int]]:
    if code == 12:
        yield "dhcp-hostname", value.rstrip(b"\0")  # RFC 2132, 2: receivers must be prepared for trailing NULs
    elif code == 53 and len(value) == 1:
        yield "dhcp-type", value[0]
