"""What the scapy dissector finds in the shared captures, counted as tshark's truth counts."""

from __future__ import annotations

import functools
import gzip
import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from capture.packets.columns import Dissected, IntValues
from capture.packets.dissect import dissect
from capture.packets.reading import read_batch
from capture.packets.sources import open_capture
from tests.capture.packets.making import counts, per_packet
from tests.components import SHARED

PCAPS = SHARED / "pcaps"
MIX = "large/derived__merged-home-and-web-mix.pcap"
# what tshark reads otherwise than packet by packet, for reasons of the file format: the sources' tests are about those
NOT_COMPARED = {
    "linktypes/libpcap__dsa.pcap": "tshark 4.0 does not know the link type",
    "malformed/nfstream__fuzz-2021-06-07-c6c72a0a56.pcap": "record header with an impossible wire length",
    "malformed/suricata__bug-6875-01__fuzz.pcap": "record header with an impossible captured length",
    "malformed/derived__dpkt__nb6-http__gzip-cut.pcap.gz": "compressed stream cut in the middle",
    "malformed/libpcap__pcapng-invalid-vers-1.pcapng": "not read by us",
    "malformed/derived__not-a-capture.pcap": "no capture",
    "malformed/derived__short-file-header.pcap": "no capture",
    "malformed/derived__zero-bytes.pcap": "no capture",
}
# captures of tens of thousands of packets: the mixture stands for them
LARGE = [MIX]


@dataclass
class Figures:
    """What we found in a capture, counted as tshark's truth counts."""

    packets: int = 0
    length: int = 0
    undecodable: int = 0
    values: dict[str, Counter[str]] = field(default_factory=dict)


COMPARED = (
    "netproto", "netsrc", "netdst", "transsrc", "transdst", "tcp", "http-hostname", "http-useragent", "http-method",
    "appproto", "appproto-port", "error", "transproto", "protocols", "eth-src", "eth-dst", "ethertype", "vlan", "vlan-svc",
    "mpls-label", "arp-op", "ip-version", "ip-proto", "ttl", "icmp-type", "icmp-code", "icmpv6-type", "fragment",
)  # fmt: skip
# what the truth counts at all levels: the name here -> the fields that have it together
ANYWHERE = {
    "any source": ("netsrc", "inner-netsrc", "quoted-netsrc"),
    "any destination": ("netdst", "inner-netdst", "quoted-netdst"),
    "any port": ("transdst", "inner-transdst", "quoted-transdst"),
}


@functools.cache
def figures(name: str) -> Figures:
    """Of capture `name` of the shared ones."""
    path = PCAPS / name
    out = Figures(values={name: Counter() for name in (*COMPARED, *ANYWHERE)})
    with tempfile.TemporaryDirectory() as folder:
        if path.suffix == ".gz":
            plain = Path(folder) / path.stem
            plain.write_bytes(gzip.decompress(path.read_bytes()))
            path = plain
        with open_capture(path) as source:
            for scanned in source.scan(50_000):
                found = dissect(read_batch(path, scanned.locator), ["all"], "scapy")
                out.packets += scanned.read
                out.undecodable += found.undecodable
                length = found.fields.get("length")
                if isinstance(length, IntValues):
                    out.length += int(length.value.sum())
                for field_name in COMPARED:
                    out.values[field_name] += counts(found, field_name)
                for together, names in ANYWHERE.items():
                    out.values[together] += _union(found, names, len(scanned.locator))
    return out


def _union(found: Dissected, names: tuple[str, ...], packets: int) -> Counter[str]:
    """In how many packets a value is in any of the fields `names`."""
    columns = [per_packet(found, name, packets) for name in names if name in found.fields]
    return Counter(str(value) for each in zip(*columns, strict=True) for value in set().union(*each))


def truth(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((PCAPS / "truth" / f"{name}.json").read_text())
    return read


def captures() -> Iterator[str]:
    for path in sorted((PCAPS / "truth").glob("*/*.json")):
        name = f"{path.parent.name}/{path.stem}"
        if name not in NOT_COMPARED and (not name.startswith("large/") or name in LARGE):
            yield name
