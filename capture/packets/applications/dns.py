"""DNS (RFC 1035), over UDP and TCP, mDNS (RFC 6762) and LLMNR (RFC 4795).

Over TCP (RFC 7766) each message stands behind its length; all that begin in the segment are read. Of a message that the end
cuts, all questions and answers that are whole count.
Names are put together from the parts that compression pointers point to (RFC 1035, 4.1.4). A pointer must point before the
part that it ends, behind the header; a name has at most 255 bytes (RFC 1035, 2.3.4); and so that hostile messages do not keep
a dissector busy, all names of a payload together have at most `COST_PER_BYTE` times its length. What is beyond has no value.
"""

from __future__ import annotations

from collections.abc import Iterator

from capture.packets.applications.dns_wire import (
    AAAA,
    BEFORE_NAME,
    CLASS,
    COST,
    COST_PER_BYTE,
    HEADER,
    IN,
    LONGEST_LABEL,
    LONGEST_NAME,
    POINTER,
    A,
    ipv4_text,
    ipv6_text,
    name_text,
)
from capture.packets.fields import Field
from capture.packets.labels.dns import QTYPES, RCODES

FIELDS = (
    Field(
        "dns-qname",
        "text",
        "Names asked for: those of the questions, which a response repeats. Case as sent, without the final dot; the root is "
        "`<Root>`, a dot inside a label is written `\\.`.",
        'Row(dns-qname="example.com")',
        level="any",
        protocol="dns",
        wireshark="dns.qry.name",
    ),
    Field(
        "dns-qtype",
        "number",
        "Types asked for.",
        'Row(dns-qtype="AAAA")',
        level="any",
        protocol="dns",
        wireshark="dns.qry.type",
        labels=QTYPES,
        maximum=65535,
    ),
    Field(
        "dns-rcode",
        "number",
        "Response code, of responses only (the four bits of the header).",
        'Row(dns-rcode="NXDOMAIN")',
        level="any",
        protocol="dns",
        wireshark="dns.flags.rcode",
        labels=RCODES,
        maximum=15,
    ),
    Field(
        "dns-answer",
        "text",
        "What the answer section gives: addresses of A and AAAA records (of class IN), names of CNAME, NS, PTR, MX and SRV "
        "records, written as in `dns-qname`.",
        'Row(dns-answer="93.184.216.34")',
        level="any",
        protocol="dns",
        wireshark="dns.a dns.aaaa dns.cname dns.ns dns.ptr.domain_name dns.mx.mail_exchange dns.srv.target",
    ),
    Field(
        "dns-response",
        "choice",
        "Whether the message is a response.",
        'Row(dns-response="true")',
        level="any",
        protocol="dns",
        wireshark="dns.flags.response",
        choices=("false", "true"),
    ),
    Field(
        "dns-id",
        "number",
        "Transaction id.",
        'Row(dns-id="4660")',
        level="any",
        protocol="dns",
        wireshark="dns.id",
        maximum=65535,
    ),
)


Found = Iterator[tuple[str, bytes | int]]


def values(payload: bytes, transport: str, source: int, destination: int) -> Found:
    """(field, value) of all that `payload` has of FIELDS, in the order of the wire; the same pair may come again."""
    names = _Names(COST + COST_PER_BYTE * len(payload))
    if transport != "tcp":
        yield from _message(payload, names)
        return
    at = 0
    while at + 2 <= len(payload):
        end = at + 2 + int.from_bytes(payload[at : at + 2], "big")
        if end < at + 2 + HEADER:
            return
        yield from _message(payload[at + 2 : end], names)
        at = end


def _message(message: bytes, names: _Names) -> Found:
    if len(message) < HEADER:
        return
    identifier, flags, questions, answers = (int.from_bytes(message[at : at + 2], "big") for at in (0, 2, 4, 6))
    response = flags >> 15
    yield "dns-id", identifier
    yield "dns-response", response
    if response:
        yield "dns-rcode", flags & 0xF
    at = HEADER
    for _ in range(questions):
        name, at = names.read(message, at)
        if name is None or at + 4 > len(message):
            return
        yield "dns-qname", name_text(name)
        yield "dns-qtype", int.from_bytes(message[at : at + 2], "big")
        at += 4
    for _ in range(answers):
        at = _behind_name(message, at)
        if at + 10 > len(message):
            return
        kind, of_class = int.from_bytes(message[at : at + 2], "big"), int.from_bytes(message[at + 2 : at + 4], "big") & CLASS
        begin = at + 10
        at = begin + int.from_bytes(message[at + 8 : at + 10], "big")
        if at > len(message):
            return
        if kind == A and of_class == IN and at - begin == 4:
            yield "dns-answer", ipv4_text(message[begin:at])
        elif kind == AAAA and of_class == IN and at - begin == 16:
            yield "dns-answer", ipv6_text(message[begin:at])
        elif kind in BEFORE_NAME:
            name, end = names.read(message, begin + BEFORE_NAME[kind])
            if name is not None and end <= at:
                yield "dns-answer", name_text(name)


class _Names:
    """Reads names as long as they cost no more than `left`."""

    def __init__(self, left: int) -> None:
        self._left = left

    def read(self, message: bytes, at: int) -> tuple[bytes | None, int]:
        """The name at `at`, uncompressed, with its final zero, and the offset behind it. (None, _) if it is none."""
        name = b""
        begin, behind = at, -1
        while at < len(message):
            size = message[at]
            if size == 0:
                return name + b"\0", at + 1 if behind < 0 else behind
            if size >= POINTER:
                pointer = int.from_bytes(message[at : at + 2], "big") & 0x3FFF
                self._left -= 2
                if at + 2 > len(message) or not HEADER <= pointer < begin or self._left < 0:
                    break
                behind = at + 2 if behind < 0 else behind
                begin = at = pointer
            else:
                name += message[at : at + 1 + size]
                at += 1 + size
                self._left -= 1 + size
                if size > LONGEST_LABEL or at > len(message) or len(name) >= LONGEST_NAME or self._left < 0:
                    break
        return None, at


def _behind_name(message: bytes, at: int) -> int:
    """The offset behind the name at `at`, wherever its pointer points. Behind the message's end if it is none."""
    while at < len(message):
        size = message[at]
        if size == 0:
            return at + 1
        if size >= POINTER:
            return at + 2
        if size > LONGEST_LABEL:
            break
        at += 1 + size
    return len(message) + 1
