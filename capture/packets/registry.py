"""The list of fields: the only place where a field is declared. Order here is order everywhere (schema, docs, pages)."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from capture.packets.decode_errors import DECODE_ERRORS
from capture.packets.errors import PacketsError
from capture.packets.fields import Field
from capture.packets.linktypes import LINKTYPE_LABELS

TCP_FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "NS")


class UnknownField(PacketsError, LookupError):
    """No field has that name; the text names it and the nearest ones."""

    def __init__(self, name: str, nearest: list[str]) -> None:
        self.name = name
        self.nearest = nearest
        hint = f" (did you mean {' or '.join(nearest)}?)" if nearest else ""
        super().__init__(f"no such field: {name!r}{hint}")

    def __str__(self) -> str:
        return str(self.args[0])


_ALL = [
    Field(
        "length",
        "int",
        "Length of the packet on the wire, in bytes, whatever the snaplen kept of it.",
        "Row(length > 1000)",
        level="packet",
        protocol="frame",
        wireshark="frame.len",
        picap=True,
        maximum=2**32 - 1,
    ),
    Field(
        "netproto",
        "text",
        "Network protocol of the first IP header: `IPv4` or `IPv6`.",
        'Row(netproto="IPv6")',
        protocol="ip",
        wireshark="ip.version",
        picap=True,
    ),
    Field(
        "netsrc",
        "text",
        "Source address of the first IP header; IPv6 as in RFC 5952.",
        'Row(netsrc="10.0.0.1")',
        protocol="ip",
        wireshark="ip.src ipv6.src",
        picap=True,
    ),
    Field(
        "netdst",
        "text",
        "Destination address of the first IP header; IPv6 as in RFC 5952.",
        "TopN(netdst, n=10)",
        protocol="ip",
        wireshark="ip.dst ipv6.dst",
        picap=True,
    ),
    Field(
        "transproto",
        "text",
        "Transport directly behind the first IP header: `TCP`, `UDP`, `SCTP` or `UDPLite`. "
        "None in ICMP, tunnels and later fragments.",
        'Count(Row(transproto="UDP"))',
        protocol="transport",
        wireshark="ip.proto",
        picap=True,
    ),
    Field(
        "transsrc",
        "number",
        "Source port of the transport directly behind the first IP header.",
        'Row(transsrc="443")',
        protocol="transport",
        wireshark="tcp.srcport udp.srcport",
        picap=True,
        maximum=65535,
    ),
    Field(
        "transdst",
        "number",
        "Destination port of the transport directly behind the first IP header.",
        'TopN(transdst, Row(tcp="SYN"), n=10)',
        protocol="transport",
        wireshark="tcp.dstport udp.dstport",
        picap=True,
        maximum=65535,
    ),
    Field(
        "tcp",
        "choice",
        "Flags that are set in the TCP header directly behind the first IP header, one value each.",
        'Difference(Row(tcp="SYN"), Row(tcp="ACK"))',
        protocol="tcp",
        wireshark="tcp.flags",
        picap=True,
        choices=TCP_FLAGS,
    ),
    Field(
        "appproto",
        "text",
        "Application protocol: one value, of the deepest layer that its content shows. `Payload` where a transport carries bytes "
        "that nobody recognises, or that only the port names (see `appproto-port`); none where it carries no bytes.",
        "TopN(appproto, n=10)",
        level="any",
        protocol="application",
        wireshark="frame.protocols",
        picap=True,
    ),
    Field(
        "http-hostname",
        "text",
        "Host header of an HTTP request (SSDP too) as sent: case and port kept. On any port; each of several in a packet.",
        "TopN(http-hostname, n=3)",
        level="any",
        protocol="http",
        wireshark="http.host",
        picap=True,
    ),
    Field(
        "http-useragent",
        "text",
        "User-Agent header of an HTTP request (SSDP too) as sent.",
        "TopN(http-useragent, n=10)",
        level="any",
        protocol="http",
        wireshark="http.user_agent",
        picap=True,
    ),
    Field(
        "http-method",
        "text",
        "Method of an HTTP request (SSDP too) as sent.",
        'Row(http-method="POST")',
        level="any",
        protocol="http",
        wireshark="http.request.method",
        picap=True,
    ),
    Field(
        "appproto-port",
        "text",
        "Application protocol that only the port names: the payload itself shows no protocol (`appproto` is `Payload` then).",
        "TopN(appproto-port, n=10)",
        level="any",
        protocol="application",
    ),
    Field(
        "job",
        "number",
        "The job that brought the packet in; the number in `/jobs/{id}/`.",
        'Row(job="7")',
        level="packet",
        protocol="frame",
        always=True,
    ),
    Field(
        "linktype",
        "number",
        "Link type of the packet: LINKTYPE number; libpcap's name is its label and can be asked for as well.",
        'Row(linktype="EN10MB")',
        level="packet",
        protocol="frame",
        wireshark="frame.encap_type",
        always=True,
        labels=LINKTYPE_LABELS,
        maximum=65535,
    ),
    Field(
        "error",
        "choice",
        "Why a packet could not be decoded to its transport, as `layer: reason`. What came before is kept. "
        "A packet cut by the snaplen is no error.",
        "TopN(error, n=10)",
        level="packet",
        protocol="frame",
        wireshark="_ws.malformed",
        always=True,
        choices=DECODE_ERRORS,
    ),
    *(
        Field(
            f"time-{unit}",
            "time",
            f"The {unit} (UTC) in which the packet was captured, named by its first instant. None without a timestamp.",
            f'Row(time-{unit}="{example}")',
            level="packet",
            protocol="frame",
            wireshark="frame.time_epoch",
            always=True,
            seconds=seconds,
        )
        for unit, seconds, example in (
            ("second", 1, "2012-04-02T02:28:30Z"),
            ("minute", 60, "2012-04-02T02:28:00Z"),
            ("hour", 3600, "2012-04-02T02:00:00Z"),
            ("day", 86400, "2012-04-02T00:00:00Z"),
        )
    ),
]

FIELDS: dict[str, Field] = {f.name: f for f in _ALL}

PRESETS: dict[str, tuple[str, ...]] = {
    "all": tuple(FIELDS),
    "picap": tuple(name for name, f in FIELDS.items() if f.picap),
}


def select(names: Iterable[str]) -> list[Field]:
    """The fields that `names` (fields and presets) mean, in the registry's order, each once, with those that are always there.

    Raises UnknownField for a name that is neither.
    """
    wanted = {name for name, f in FIELDS.items() if f.always}
    for name in names:
        if name in PRESETS:
            wanted.update(PRESETS[name])
        elif name in FIELDS:
            wanted.add(name)
        else:
            raise UnknownField(name, difflib.get_close_matches(name, [*FIELDS, *PRESETS], n=3, cutoff=0.5))
    return [f for f in FIELDS.values() if f.name in wanted]
