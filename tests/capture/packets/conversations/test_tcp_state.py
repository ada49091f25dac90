"""What the state of TCP promises: batches, partitions, dumps and `expire` change nothing of what is found."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from capture.packets.conversations import tcp
from capture.packets.conversations.tcp_handshake import CLOSED_NS, OPEN_NS, WAIT_NS
from capture.packets.conversations.tcp_records import _records
from capture.packets.conversations.tcp_state import AT_ONCE
from capture.packets.reading import read_batch
from capture.packets.sources import open_capture
from tests.capture.packets.conversations.tcp_compared import plain
from tests.capture.packets.conversations.tcp_made import START, Talk, everything, taken
from tests.capture.packets.conversations.tcp_random import conversations
from tests.capture.packets.conversations.tcp_random import write as write_pcap
from tests.capture.packets.conversations.tcp_tshark_captures import CAPTURES
from tests.capture.packets.making import batch_of
from tests.components import SHARED
from tests.long import examples

# Pauses that end handshakes and conversations, and such that just do not
PAUSES = (0, WAIT_NS, WAIT_NS + 1, CLOSED_NS, CLOSED_NS + 1, OPEN_NS, OPEN_NS + 1)


def made(seed: int) -> NDArray[Any]:
    """Records of some conversations, with long pauses in which nobody sends."""
    packets, times = conversations(seed, 12, 30)
    records = tcp.records(batch_of(*packets, times=times), 7)
    chance = random.Random(seed)
    jumps = np.zeros(len(records), np.int64)
    for _ in range(6):
        jumps[chance.randrange(len(records))] += chance.choice(PAUSES)
    records["time_ns"] += np.cumsum(jumps)
    return records


@settings(max_examples=examples(60, long=1000), deadline=None)
@given(st.integers(0, 10**6), st.data())
def test_cuts_dumps_and_expire_change_nothing(seed: int, data: st.DataObject) -> None:
    records = made(seed)
    whole = everything(taken(tcp.state(0, 1), records, []))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(records)), max_size=8)))
    state, parts = tcp.state(0, 1), []
    for piece in np.split(records, cuts):
        if data.draw(st.booleans()):
            dumped = state.dump()
            state = tcp.state(0, 1)
            state.load(dumped)
        if len(piece) and data.draw(st.booleans()):  # what comes is not before its time
            low = int(piece["time_ns"].min())
            parts.append(state.expire(data.draw(st.sampled_from((low, low - WAIT_NS, low - 1, START)))))
        parts.append(state.take(piece))
    parts.append(state.end())
    assert everything(parts) == whole


@settings(max_examples=examples(30, long=300), deadline=None)
@given(st.integers(0, 10**6), st.sampled_from((2, 4, 7)))
def test_partitions_have_together_what_one_has(seed: int, partitions: int) -> None:
    records = made(seed)
    whole = everything(taken(tcp.state(0, 1), records, []))
    parts = [part for k in range(partitions) for part in taken(tcp.state(k, partitions), records, [len(records) // 3])]
    assert everything(parts) == whole


@settings(max_examples=examples(20, long=200), deadline=None)
@given(st.integers(0, 10**6))
def test_waiting_is_the_least_column_that_still_gets_a_value(seed: int) -> None:
    """And once a column is below it, nothing more is said of it."""
    records = made(seed)
    state = tcp.state(0, 1)
    parts = []
    least = []
    for piece in np.split(records, range(20, len(records), 20)):
        parts.append(state.take(piece))
        waiting = state.waiting()
        least.append(int(piece["column"][-1]) + 1 if waiting is None else waiting)
    parts.append(state.end())
    assert state.waiting() is None
    for k, before in enumerate(least):
        later = np.concatenate([part.column for part in parts[k + 1 :]])
        assert not len(later) or int(later.min()) >= before


def test_more_than_are_taken_at_once_and_a_table_that_grows_and_shrinks() -> None:
    """Twenty thousand conversations; the rows of those that are over are used again."""
    records = np.repeat(Talk().opened().records()[:1], 5 * AT_ONCE)
    records["column"] = np.arange(len(records))
    records["first_low"] = np.arange(len(records))
    records["time_ns"] += np.arange(len(records))
    state = tcp.state(0, 1)
    assert len(state.take(records).field) == 0
    assert state.conversations() == len(records)
    large = state.memory()
    last = int(records["time_ns"][-1])
    assert state.waiting() == 0
    settled = state.expire(last + WAIT_NS)  # all but the last
    assert len(settled.field) == len(records) - 1
    assert state.waiting() == len(records) - 1
    assert state.conversations() == len(records)
    assert len(state.expire(last + CLOSED_NS + 1).field) == 1
    assert state.conversations() == 0
    assert state.memory() < large / 100
    assert state.waiting() is None


def test_segments_that_wait_leave_with_their_conversation() -> None:
    talk = Talk().opened()
    for k in range(50):
        talk.c("PA", 1 + 10 * k, 1, b"0123456789")
    state = tcp.state(0, 1)
    state.take(talk.records())
    assert len(state.dump()["nodes"]) == 50
    state.expire(talk.now + OPEN_NS + 1)
    assert len(state.dump()["nodes"]) == state.conversations() == 0


@pytest.mark.parametrize("name", ["heads", "openings", "sides", "nodes", "version"])
def test_what_is_no_dump_is_refused(name: str) -> None:
    talk = Talk().opened()
    talk.c("PA", 1, 1, b"x")
    state = tcp.state(0, 1)
    state.take(talk.records())
    dumped = state.dump()
    fresh = tcp.state(0, 1)
    with pytest.raises(KeyError):
        fresh.load({key: value for key, value in dumped.items() if key != name})
    with pytest.raises(ValueError, match="a state of TCP"):
        fresh.load({**dumped, name: np.zeros(3, np.int16)})
    with pytest.raises(ValueError, match="a state of TCP"):
        fresh.load({**dumped, name: dumped[name][:-1]})
    fresh.load(dumped)
    assert fresh.conversations() == 1
    assert {key: value.tobytes() for key, value in fresh.dump().items()} == {
        key: value.tobytes() for key, value in dumped.items()
    }


def test_there_is_no_such_partition() -> None:
    with pytest.raises(ValueError, match="no partition 4 of 4"):
        tcp.state(4, 4)


@pytest.mark.needs("../shared")
@pytest.mark.parametrize("name", CAPTURES)
def test_the_short_cut_is_the_walk(name: str, tmp_path: Any) -> None:
    """Plain Ethernet frames are read without the general walk: both give the same records."""
    path = plain(SHARED / "pcaps" / name, tmp_path)
    with open_capture(path) as source:
        for scanned in source.scan(1 << 16):
            batch = read_batch(path, scanned.locator)
            assert _records(batch, 3, True).tobytes() == _records(batch, 3, False).tobytes()


def test_a_written_capture_gives_the_records_of_its_packets(tmp_path: Any) -> None:
    packets, times = conversations(5, 10, 20)
    write_pcap(tmp_path / "a.pcap", packets, times)
    with open_capture(tmp_path / "a.pcap") as source:
        (scanned,) = source.scan(1 << 16)
        records = tcp.records(read_batch(tmp_path / "a.pcap", scanned.locator), 0)
    assert records.tobytes() == tcp.records(batch_of(*packets, times=times), 0).tobytes()
    assert len(records) == len(packets)
