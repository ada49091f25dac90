"""Plain counting, packet by packet, over what the scapy dissector finds: what the analysis endpoints are held against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from capture.packets.batch import NO_TIME, PacketBatch
from capture.packets.conversations.contract import NAMES
from capture.packets.conversations.conversations import of_whole_capture
from capture.packets.dissect import dissect
from capture.packets.reading import read_batch
from capture.packets.registry import FIELDS
from capture.packets.sources import open_capture
from tests.capture.packets.making import per_packet

# Several jobs; DNS and HTTP of several values a packet, tunnels, two VLAN tags, and packets without a time stamp.
CAPTURES = (
    "protocols/zeek__wikipedia.pcap",
    "protocols/dpkt__nb6-http.pcap",
    "protocols/dpkt__dns_icmp.pcap",
    "protocols/ipfixprobe__sip.pcap",
    "protocols/ipfixprobe__ntp.pcap",
    "protocols/arkime__curl-enabled-tls13.pcap",
    "tunnels/arkime__twovlan.pcap",
    "tunnels/nfstream__6in4tunnel.pcap",
    "tunnels/tcpdump__various_gre.pcap",
    "formats/pcapngtest__be__advanced__test100.pcapng",
)


@dataclass(frozen=True)
class Packet:
    """capture: its place in CAPTURES. time: ns, None without a stamp. fields: by name, the texts of its values."""

    capture: int
    time: int | None
    length: int
    fields: dict[str, frozenset[str]]

    def has(self, field: str, value: str) -> bool:
        return value in self.fields.get(field, ())


def packets_of(capture: int, path: Path) -> list[Packet]:
    """The packets of a capture file, in its order."""
    out = []
    for scanned in open_capture(path).scan(100_000):
        locator = scanned.locator
        batch = read_batch(path, locator)
        found = dissect(batch, ["all"], "scapy")
        values = {name: per_packet(found, name, len(locator)) for name in found.fields} | of_conversations(batch)
        for i, record in enumerate(locator):
            fields = {name: frozenset(map(str, of[i])) for name, of in values.items() if of[i]}
            time = None if record["time_ns"] == NO_TIME else int(record["time_ns"])
            out.append(Packet(capture, time, int(record["wire_length"]), fields))
    return out


def of_conversations(batch: PacketBatch) -> dict[str, list[set[str]]]:
    """Values of set fields that the second pass finds in a capture of one batch, by packet."""
    values: dict[str, list[set[str]]] = {}
    found = of_whole_capture(batch, 0)
    for number, packet, value in zip(found.field.tolist(), found.column.tolist(), found.value.tolist(), strict=True):
        field = FIELDS[NAMES[number]]
        if field.kind == "set":
            texts = values.setdefault(field.name, [set() for _ in range(len(batch))])
            texts[packet].add(field.choices[value] if field.choices else str(value))
    return values


def by_value(packets: Iterable[Packet], field: str, size: Callable[[Packet], int] = lambda packet: 1) -> Counter[str]:
    """How many packets have each value of a field, or the sum of something over them."""
    counts: Counter[str] = Counter()
    for packet in packets:
        for value in packet.fields.get(field, ()):
            counts[value] += size(packet)
    return counts


def bytes_by_value(packets: Iterable[Packet], field: str) -> Counter[str]:
    return by_value(packets, field, lambda packet: packet.length)


def distinct_by_value(packets: Iterable[Packet], field: str, other: str) -> dict[str, int]:
    """How many values of another field the packets of each value have."""
    seen: dict[str, set[str]] = {}
    for packet in packets:
        for value in packet.fields.get(field, ()):
            seen.setdefault(value, set()).update(packet.fields.get(other, ()))
    return {value: len(its) for value, its in seen.items()}


def by_bin(packets: Iterable[Packet], width: int, size: Callable[[Packet], int] = lambda packet: 1) -> Counter[int]:
    """Packets, or the sum of something over them, by the bin's begin in ns."""
    counts: Counter[int] = Counter()
    for packet in packets:
        if packet.time is not None:
            counts[packet.time // width * width] += size(packet)
    return counts
