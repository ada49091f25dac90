"""A field's values as both dissectors find them: in how many packets of a shared capture each is, to be held against tshark's.

tshark's figures in the tests are made so, and counted by value over packets:
    tshark -o tcp.desegment_tcp_streams:FALSE -o ip.defragment:FALSE -r CAPTURE -T fields -e FIELD
"""

from __future__ import annotations

import functools

from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether

from capture.packets.batch import PacketBatch
from capture.packets.dissect import DISSECTORS, dissect
from capture.packets.reading import read_batch
from capture.packets.sources import open_capture
from tests.capture.packets.making import batch_of, counts, per_packet
from tests.components import SHARED
from tests.conftest import needs


def packets_with(field: str, capture: str, bpf: str = "") -> dict[str, int]:
    """value -> packets, in the first 20,000 packets of `capture` (a path below the shared captures) that pass `bpf`."""
    needs("../shared")
    each = [dict(counts(dissect(_batch(capture, bpf), [field], dissector), field)) for dissector in DISSECTORS]
    assert all(found == each[0] for found in each), dict(zip(DISSECTORS, each, strict=True))
    return each[0]


@functools.cache
def _batch(capture: str, bpf: str) -> PacketBatch:
    path = SHARED / "pcaps" / capture
    with open_capture(path) as source:
        return read_batch(path, next(source.scan(20_000, bpf)).locator)


def values_in(field: str, payloads: list[bytes], transport: str, source: int, destination: int) -> list[set[str | int]]:
    """The values of `field` in packets of Ethernet, IPv4 and TCP or UDP that carry `payloads`: recognised first, then read."""
    header = (TCP if transport == "tcp" else UDP)(sport=source, dport=destination)
    batch = batch_of(*(bytes(Ether() / IP() / header / payload) for payload in payloads))
    each = [per_packet(dissect(batch, [field], dissector), field, len(payloads)) for dissector in DISSECTORS]
    assert all(found == each[0] for found in each), dict(zip(DISSECTORS, each, strict=True))
    return each[0]
