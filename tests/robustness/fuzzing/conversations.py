"""The second pass over a damaged capture: whole, and in batches as jobs take them, and both say the same."""

from __future__ import annotations

import random
import struct
import zlib
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture.packets.batch import LOCATOR_DTYPE, NO_TIME
from capture.packets.conversations.contract import LATE, NAMES, Found
from capture.packets.conversations.conversations import Conversations, joined, of_whole_capture
from capture.packets.errors import NotACapture
from capture.packets.reading import read_batch
from capture.packets.registry import FIELDS
from capture.packets.sources import open_capture
from tests.capture.packets.conversations import tcp_random
from tests.capture.packets.conversations.test_requests_properties import traffic

PACKETS = 2000  # of a capture, at most
FIRST = 1 << 20  # column of a capture's first packet
_LARGEST_SEED = 20_000  # bytes

Triples = list[tuple[int, int, int]]


@cache
def seeds() -> tuple[bytes, ...]:
    """Captures with much between few: TCP by chance, and questions and answers of applications."""
    made = [_pcap(*tcp_random.conversations(seed, 3, 40)) for seed in range(8)]
    for seed in range(8):
        packets = traffic(random.Random(seed), 120)
        made.append(_pcap([one.packet for one in packets], [round((one.seconds or 0) * 1e9) for one in packets]))
    return tuple(one[:_LARGEST_SEED] for one in made)


def _pcap(packets: list[bytes], times: list[int]) -> bytes:
    """Nanoseconds, Ethernet."""
    parts = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1)]
    for packet, time_ns in zip(packets, times, strict=True):
        parts += [struct.pack("<IIII", *divmod(time_ns, 10**9), len(packet), len(packet)), packet]
    return b"".join(parts)


def damaged_packets(rng: random.Random) -> bytes:
    """One of them whose packets are moved, doubled, lost, cut or changed, and stay packets: what a damaged file seldom has."""
    data = rng.choice(seeds())
    at = 24
    records: list[tuple[int, int, bytearray]] = []
    while at + 16 <= len(data):
        seconds, nanoseconds, length, _ = struct.unpack_from("<IIII", data, at)
        records.append((seconds, nanoseconds, bytearray(data[at + 16 : at + 16 + length])))
        at += 16 + length
    for _ in range(rng.choice((0, 1, 3, 10, 40))):
        at = rng.randrange(len(records))
        seconds, nanoseconds, packet = records[at]
        kind = rng.randrange(7)
        if kind == 0:
            records.insert(rng.randrange(len(records)), (seconds, nanoseconds, packet[:]))
        elif kind == 1:
            records.insert(rng.randrange(len(records)), records.pop(at))
        elif kind == 2 and len(records) > 2:
            del records[at]
        elif kind == 3 and packet:
            del packet[rng.randrange(len(packet)) :]
        elif kind == 4:
            seconds = rng.choice((0, 1, seconds ^ 1 << rng.randrange(32), 0xFFFFFFFF, 1_700_000_100))
            records[at] = (seconds, nanoseconds, packet)
        elif len(packet) > 34:  # a header behind Ethernet, or what it carries
            start = rng.choice((14, 34, 34, 34, 54))
            for _ in range(rng.choice((1, 1, 4))):
                place = rng.randrange(start, start + 20)
                if place < len(packet):
                    packet[place] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
    return _pcap([bytes(packet) for _, _, packet in records], [one[0] * 10**9 + one[1] for one in records])


def compare(path: Path) -> None:
    """Asserts that what is found keeps the contract, and is the same in batches cut by chance (as the bytes have it)."""
    try:
        with open_capture(path) as source:
            locator = np.concatenate([np.zeros(0, LOCATOR_DTYPE), *(one.locator for one in source.scan(500))])[:PACKETS]
    except NotACapture:
        return
    whole = _triples(of_whole_capture(read_batch(path, locator), FIRST))
    _check(whole, len(locator))
    parts = _in_batches(random.Random(zlib.crc32(path.read_bytes())), path, locator)
    assert parts == whole, f"only whole: {_words(whole, parts)}; only in batches: {_words(parts, whole)}"


def _in_batches(rng: random.Random, path: Path, locator: NDArray[Any]) -> Triples:
    """As a job does: batches one after the other, some behind a checkpoint, and sometimes it is said until when all came."""
    cuts = sorted(rng.randrange(len(locator) + 1) for _ in range(rng.choice((1, 3, 10))))
    partitions = rng.choice((1, 4))
    known = Conversations(partitions)
    try:
        found = []
        for first, behind in pairwise((0, *cuts, len(locator))):
            before = known.waiting()
            found.append(known.take(read_batch(path, locator[first:behind]), FIRST + first))
            earlier = found[-1].column < FIRST + first
            assert LATE.issuperset(NAMES[field] for field in found[-1].field[earlier].tolist()), "too late a value"
            least = int(found[-1].column.min()) if len(found[-1].column) else None
            assert least is None or least >= (FIRST + first if before is None else before), "a value that nothing waited for"
            times = locator["time_ns"][behind:]
            times = times[times != NO_TIME]
            if len(times) and rng.random() < 0.5:
                before = known.waiting()
                found.append(known.expire(int(times.min())))
                assert not len(found[-1].column) or (before is not None and int(found[-1].column.min()) >= before)
            if rng.random() < 0.3:
                again = Conversations(partitions)
                again.load(known.dump())
                assert (again.waiting(), len(again)) == (known.waiting(), len(known))
                known.close()
                known = again
        found.append(known.end())
        assert known.waiting() is None
    finally:
        known.close()
    return _triples(joined(found))


def _triples(found: Found) -> Triples:
    return sorted(zip(found.field.tolist(), found.column.tolist(), found.value.tolist(), strict=True))


def _check(found: Triples, packets: int) -> None:
    """What contract.Found says of values."""
    assert len(set(found)) == len(found), "a value twice"
    assert all(FIRST <= column < FIRST + packets for _, column, _ in found), "a column that there is not"
    whole = [(field, column) for field, column, _ in found if FIELDS[NAMES[field]].encoding == "int"]
    assert len(set(whole)) == len(whole), "two values of an int field"
    for field, _, value in found:
        described = FIELDS[NAMES[field]]
        most = len(described.choices) - 1 if described.encoding == "choice" else described.maximum
        assert 0 <= value <= (2**62 if most is None else most), f"{described.name}: {value}"


def _words(some: Triples, others: Triples) -> str:
    left = sorted(set(some) - set(others))
    return ", ".join(f"{NAMES[field]} of packet {column - FIRST}: {value}" for field, column, value in left[:5]) or "nothing"
