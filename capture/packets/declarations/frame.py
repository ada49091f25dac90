"""Fields of the record itself: lengths, interface, link type, layers met, errors. `job` is the pipeline's."""

from __future__ import annotations

from capture.packets.decode_errors import DECODE_ERRORS
from capture.packets.fields import Field
from capture.packets.linktypes import LINKTYPE_LABELS

LENGTH = Field(
    "length",
    "int",
    "Length of the packet on the wire, in bytes, whatever the snaplen kept of it.",
    "Row(length > 1000)",
    level="packet",
    protocol="frame",
    wireshark="frame.len",
    picap=True,
    maximum=2**32 - 1,
)

FIELDS = (
    Field(
        "captured-length",
        "int",
        "Bytes of the packet that the capture holds: less than `length` where the snaplen cut it.",
        "Count(Row(captured-length < 64))",
        level="packet",
        protocol="frame",
        wireshark="frame.cap_len",
        maximum=2**32 - 1,
    ),
    Field(
        "truncated",
        "choice",
        "The capture holds fewer bytes of the packet than there were on the wire (the snaplen cut it): not an error.",
        'Row(truncated="true")',
        level="packet",
        protocol="frame",
        choices=("true",),
    ),
    Field(
        "iface",
        "text",
        "Name of the interface that captured the packet, where the capture gives it one (pcapng, live jobs).",
        "TopN(iface, n=10)",
        level="packet",
        protocol="frame",
        wireshark="frame.interface_name",
    ),
    Field(
        "direction",
        "choice",
        "Direction of the packet as the capturing machine saw it: from a pcapng packet's flags, else from the Linux cooked "
        "header's packet type (to us, broadcast, multicast: inbound; sent by us: outbound). None where nothing says it.",
        'Row(direction="outbound")',
        level="packet",
        protocol="frame",
        wireshark="frame.p2p_dir",
        choices=("inbound", "outbound"),
    ),
    Field(
        "protocols",
        "text",
        "Every protocol met in the packet, in Wireshark's short names: `eth`, `vlan`, `ip`, `gre`, `tcp`, `tls` ...; `data` is a "
        "payload that nobody recognised. What an ICMP error quotes is not counted.",
        "TopN(protocols, n=20)",
        level="any",
        protocol="frame",
        wireshark="frame.protocols",
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
        "tag",
        "text",
        "What people have called the packet: `POST /packets/tags` tags all packets of a query. No capture has tags of its own.",
        'Row(tag="suspicious")',
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
)
