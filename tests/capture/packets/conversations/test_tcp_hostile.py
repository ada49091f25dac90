"""Whatever bytes packets hold, records and state take them; and whatever records say, the state takes those."""

from __future__ import annotations

import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from capture.packets.batch import NO_TIME, PacketBatch
from capture.packets.conversations import tcp
from capture.packets.conversations.tcp_segments import SEGMENT
from tests.capture.packets.conversations.tcp_made import everything, taken
from tests.capture.packets.conversations.tcp_random import conversations
from tests.capture.packets.making import batch_of
from tests.long import examples

LINKTYPES = (0, 1, 6, 9, 12, 101, 104, 105, 113, 127, 228, 229, 239, 276, 9999)


@settings(max_examples=examples(100, long=3000), deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(LINKTYPES))
def test_any_bytes(seed: int, linktype: int) -> None:
    chance = random.Random(seed)
    packets, times = conversations(seed, 3, 10)
    spoilt = []
    for packet in packets:
        raw = bytearray(packet[chance.choice((0, 0, 14)) :])
        for _ in range(chance.randrange(4)):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        spoilt.append(bytes(raw[: chance.randrange(len(raw) + 1)] if chance.random() < 0.3 else raw))
    times = [chance.choice((one, NO_TIME, 0, -(2**63) + 1, 2**63 - 1)) for one in times]
    batch = batch_of(*spoilt, linktype=linktype, times=times)
    records = tcp.records(batch, 0)
    assert (np.diff(records["column"].astype(np.int64)) > 0).all()
    assert everything(taken(tcp.state(0, 1), records, [5])) == everything(taken(tcp.state(0, 1), records, []))


@settings(max_examples=examples(60, long=2000), deadline=None)
@given(st.binary(min_size=SEGMENT.itemsize, max_size=SEGMENT.itemsize * 40), st.integers(0, 2**32))
def test_any_records(raw: bytes, seed: int) -> None:
    """A few keys only, so that they are conversations; all else as it comes."""
    records = np.frombuffer(raw[: len(raw) // SEGMENT.itemsize * SEGMENT.itemsize], SEGMENT).copy()
    records["column"] = np.arange(len(records))
    records["time_ns"] = records["time_ns"] % 2**62
    for name in ("first_high", "second_high", "first_low", "second_low", "vlans"):
        records[name] = 1
    records["ports"] = np.random.default_rng(seed).integers(0, 3, len(records))
    records["marks"] &= 31
    records["shift"] = np.where(records["shift"] > 14, 255, records["shift"])
    half = len(records) // 2
    assert everything(taken(tcp.state(0, 1), records, [half])) == everything(taken(tcp.state(0, 1), records, []))


def test_a_batch_whose_bytes_may_not_be_written() -> None:
    packets, times = conversations(1, 2, 5)
    batch = batch_of(*packets, times=times)
    batch.data.flags.writeable = False
    frozen = PacketBatch(batch.data, batch.start, batch.locator)
    assert len(tcp.records(frozen, 0)) == len(packets)
