"""Captures whose connections lost, repeated and mixed up segments: real ones, and real ones that are made worse."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from pathlib import Path

# With what tshark finds in them: out of order and lost; sent again; acknowledged and never seen; none of these
REAL = (
    "protocols/nfstream__viber.pcap",
    "protocols/suricata__rdp-protocol__RDP-003.pcap",
    "protocols/zeek__http__bro.org.pcap",
    "protocols/zeek__http__concurrent-range-requests.pcap",
)
HEAD, RECORD = 24, 16


def records(path: Path) -> tuple[bytes, list[bytes]]:
    """File header and records (with their headers) of a little-endian classic pcap."""
    data, at, found = path.read_bytes(), HEAD, []
    assert data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1")
    while at < len(data):
        (length,) = struct.unpack_from("<I", data, at + 8)
        found.append(data[at : at + RECORD + length])
        at += RECORD + length
    return data[:HEAD], found


def packets(path: Path) -> Iterator[tuple[bytes, int, int, int]]:
    """Bytes, link type, length on the wire and time in ns of each packet."""
    head, found = records(path)
    (linktype,) = struct.unpack_from("<I", head, 20)
    tick = 1 if head[:1] == b"\x4d" else 1000
    for record in found:
        second, part, _, wire = struct.unpack_from("<IIII", record)
        yield record[RECORD:], linktype, wire, second * 10**9 + part * tick


def is_syn(body: bytes) -> bool:
    """Of lengths and bytes of an Ethernet packet, IPv4 without options."""
    return len(body) > 55 and body[8 + 12 : 8 + 14] == b"\x08\x00" and body[8 + 23] == 6 and bool(body[8 + 47] & 2)


def worse(path: Path, out: Path, seed: int) -> Path:
    """A copy with packets left out, sent again, cut short and in another order; times go on as they were."""
    head, found = records(path)
    times = [record[:8] for record in found]
    dice = random.Random(seed)
    # SYNs stay where they are, and nothing comes before its time: there tshark 4.0 counts anew, and says some bytes twice
    bodies = [record[8:] for record in found if is_syn(record[8:]) or dice.random() > 0.04]
    for _ in range(len(bodies) // 12):
        at = dice.randrange(len(bodies) - 3)
        bodies.insert(dice.randrange(at + 1, len(bodies)), bodies[at])
        at = dice.randrange(len(bodies) - 3)
        if not any(map(is_syn, bodies[at : at + 4])):
            bodies.insert(at + dice.randrange(1, 4), bodies.pop(at))
    while len(times) < len(bodies):
        times.append(times[-1])
    out.write_bytes(head + b"".join(time + body for time, body in zip(times, bodies, strict=False)))
    return out
