"""DNS (RFC 1035), over UDP and TCP, mDNS (RFC 6762) and LLMNR (RFC 4795)."""

from __future__ import annotations

from collections.abc import Iterator

from capture.packets.fields import Field
from capture.packets.labels.dns import QTYPES, RCODES

FIELDS = (
    Field(
        "dns-qname",
        "text",
        "Names asked for, in questions and in the answers that repeat them: case as sent, without the final dot; the root "
        "is `<Root>`, a dot inside a label is written `\\.`.",
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
        "What the answer section gives: addresses of A and AAAA records, names of CNAME, NS, PTR, MX and SRV records.",
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


def values(payload: bytes, transport: str, source: int, destination: int) -> Iterator[tuple[str, bytes | int]]:
    """(field, value) of all that `payload` has of FIELDS, in the order of the wire; the same pair may come again."""
    yield from ()
