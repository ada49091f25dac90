"""SIP (RFC 3261, 7 and 20): requests by their method, responses by the method in CSeq.

A segment may hold several messages, one behind the other by Content-Length (18.3); a datagram holds one. Header lines count when
their end is in the payload; names in any case, Content-Length also as `l`. Folded lines are not joined.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from capture.packets.fields import Field

FIELDS = (
    Field(
        "sip-method",
        "text",
        "Method of a request; of a response the method in its CSeq header.",
        'Row(sip-method="INVITE")',
        level="any",
        protocol="sip",
        wireshark="sip.Method sip.CSeq.method",
    ),
)

# RFC 3261, 7.5: CRLFs before the start line are ignored
_START = re.compile(rb"[\r\n]*(?:([A-Z]{2,20}) \S+ SIP/2\.0\r?\n|SIP/2\.0 [0-9]{3} [^\n]*\n)")
_LINE = re.compile(rb"([^\n]*?)\r?\n")
_CSEQ = re.compile(rb"[ \t]*[0-9]+[ \t]+([A-Za-z0-9.!%*_+`'~-]+)")  # 25.1: a method is a token
_LENGTH = re.compile(rb"[ \t]*([0-9]{1,9})[ \t]*")


def values(payload: bytes, transport: str, source: int, destination: int) -> Iterator[tuple[str, bytes | int]]:
    """(field, value) of all that `payload` has of FIELDS, in the order of the wire; the same pair may come again."""
    at = 0
    while start := _START.match(payload, at):
        if start[1]:
            yield "sip-method", start[1]
        of_response, length = not start[1], None
        at = start.end()
        while (line := _LINE.match(payload, at)) and line[1]:
            at = line.end()
            name, _, value = line[1].partition(b":")
            name = name.rstrip(b" \t").lower()
            if name == b"cseq" and of_response and (method := _CSEQ.match(value)):
                yield "sip-method", method[1]
            elif name in (b"content-length", b"l") and length is None and (digits := _LENGTH.fullmatch(value)):
                length = int(digits[1])
        if line is None or length is None or transport != "tcp":
            return  # cut; or the body goes to the end of the stream or datagram
        at = line.end() + length
