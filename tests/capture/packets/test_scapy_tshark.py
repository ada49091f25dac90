"""Header fields that the stored truth lacks: packet by packet against the installed tshark, on captures that have them."""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Callable

import pytest

from benchmarks.accuracy.corpus import PCAPS
from capture.packets.dissect import dissect
from capture.packets.reading import read_batch
from capture.packets.sources import open_capture
from tests.capture.packets.making import per_packet

pytestmark = pytest.mark.needs("../shared", "tshark")

CAPTURES = (
    "formats/derived__dpkt__nb6-http__snap60.pcap",
    "linktypes/suricata__decode-sll2-01.pcap",
    "linktypes/ipfixprobe__mqtt.pcap",
    "protocols/arkime__m3ua_synthetic.pcap",
    "protocols/dpkt__nb6-http.pcap",
    "protocols/zeek__communityid__sctp.pcap",
    "tunnels/arkime__dot1ad.pcap",
    "tunnels/arkime__twovlan.pcap",
    "tunnels/zeek__ipv6-fragmented-dns.pcap",
    "tunnels/zeek__ipv6-http-atomic-frag.pcap",
    "tunnels/zeek__ipv4__fragmented-4.pcap",
)
CUT = "formats/derived__dpkt__nb6-http__snap60.pcap"

Row = dict[str, list[str]]
DIRECTIONS = {"0": "inbound", "1": "inbound", "2": "inbound", "4": "outbound"}
FLAGS = ("ip.flags.df", "DF"), ("ip.flags.mf", "MF"), ("ip.flags.rb", "RB")


def _numbers(row: Row, *names: str) -> set[str]:
    return {str(int(value, 0)) for name in names for value in row[name]}


def _fragment(row: Row) -> set[str]:
    offset, more = row["ip.frag_offset"] or row["ipv6.fraghdr.offset"], row["ip.flags.mf"] or row["ipv6.fraghdr.more"]
    if not offset or (row["ip.frag_offset"] and (offset[0], more[0]) == ("0", "0")):
        return set()
    if offset[0] == "0":
        return {"first" if more[0] == "1" else "atomic"}
    return {"middle" if more[0] == "1" else "last"}


# our field -> what tshark says
EXPECTED: dict[str, Callable[[Row], set[str]]] = {
    "dscp": lambda row: _numbers(row, "ip.dsfield.dscp", "ipv6.tclass.dscp"),
    "ip-flags": lambda row: {name for field, name in FLAGS if row[field] == ["1"]},
    "fragment": _fragment,
    "tcp-flagset": lambda row: {_flagset(int(flags, 16)) for flags in row["tcp.flags"]},
    "tcp-window": lambda row: _numbers(row, "tcp.window_size_value"),
    "tcp-option": lambda row: _numbers(row, "tcp.option_kind") - {"0", "1"},
    "tcp-mss": lambda row: _numbers(row, "tcp.options.mss_val"),
    "tcp-wscale": lambda row: _numbers(row, "tcp.options.wscale.shift"),
    "tcp-payload-length": lambda row: _numbers(row, "tcp.len"),
    "vlan-prio": lambda row: _numbers(row, "vlan.priority", "ieee8021ad.priority"),
    "arp-sender": lambda row: set(row["arp.src.proto_ipv4"]),
    "arp-target": lambda row: set(row["arp.dst.proto_ipv4"]),
    "sctp-chunk": lambda row: _numbers(row, "sctp.chunk_type"),
    "icmpv6-code": lambda row: _numbers(row, "icmpv6.code"),
    "direction": lambda row: {DIRECTIONS[kind] for kind in row["sll.pkttype"] if kind in DIRECTIONS},
    "community-id": lambda row: set(row["communityid"]),
}
FIELDS = (
    "ip.ttl", "ipv6.hlim", "ip.dsfield.dscp", "ipv6.tclass.dscp", "ip.flags.df", "ip.flags.mf", "ip.flags.rb",
    "ip.frag_offset", "ipv6.fraghdr.offset", "ipv6.fraghdr.more", "tcp.flags", "tcp.window_size_value", "tcp.option_kind",
    "tcp.options.mss_val", "tcp.options.wscale.shift", "tcp.len", "vlan.priority", "ieee8021ad.priority", "arp.src.proto_ipv4",
    "arp.dst.proto_ipv4", "sctp.chunk_type", "icmpv6.code", "communityid", "sll.pkttype",
)  # fmt: skip
# capture -> our fields that differ in some packets, and why
DIFFERENT = {
    CUT: {
        "tcp-window": "tshark reads it where not the whole header is there",
        "tcp-option": "tshark counts an option that is cut",
        "tcp-payload-length": "tshark counts where not the whole header is there",
    },
    "tunnels/zeek__ipv4__fragmented-4.pcap": {
        "community-id": "tshark names later fragments by addresses and protocol",
        "tcp-payload-length": "tshark says none in the first fragment of a datagram",
    },
}


def _flagset(flags: int) -> str:
    names = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "NS")
    return ",".join(name for bit, name in enumerate(names) if flags >> bit & 1) or "none"


@functools.cache
def rows(name: str) -> list[Row]:
    """What tshark says of each packet, each packet for itself."""
    command = ["tshark", "-n", "-r", str(PCAPS / name), "--enable-protocol", "communityid", "-T", "fields"]
    for option in ("tcp.desegment_tcp_streams", "ip.defragment", "ipv6.defragment", "tcp.analyze_sequence_numbers"):
        command += ["-o", f"{option}:FALSE"]
    for option in ("separator=|", "occurrence=a", "aggregator=,"):
        command += ["-E", option]
    for field in FIELDS:
        command += ["-e", field]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [
        {field: text.split(",") if text else [] for field, text in zip(FIELDS, line.split("|"), strict=True)}
        for line in said.splitlines()
    ]


@pytest.mark.parametrize("name", CAPTURES)
def test_each_packet_is_what_tshark_says(name: str) -> None:
    compared: set[str] = set()
    told = iter(rows(name))
    with open_capture(PCAPS / name) as source:
        for scanned in source.scan(50_000):
            found = dissect(read_batch(PCAPS / name, scanned.locator), list(EXPECTED), "scapy")
            columns = {field: per_packet(found, field, len(scanned.locator)) for field in EXPECTED}
            for i in range(len(scanned.locator)):
                row = next(told)
                if len(row["ip.ttl"]) + len(row["ipv6.hlim"]) > 1:
                    continue  # headers of tunnels or quotes: tshark's values are those of all
                for field, want in EXPECTED.items():
                    if field in DIFFERENT.get(name, {}):
                        continue
                    values = columns[field][i]
                    assert {str(value) for value in values} == want(row), (field, i)
                    if values:
                        compared.add(field)
    assert next(told, None) is None
    assert compared


def test_every_field_is_in_one_of_the_captures() -> None:
    seen: set[str] = set()
    for name in CAPTURES:
        for row in rows(name):
            seen.update(field for field, want in EXPECTED.items() if want(row))
    assert seen == set(EXPECTED)
