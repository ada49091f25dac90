"""More conversations than may be held: those that were quiet for longest are settled as at the end, counted and forgotten."""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("SCAPY_USE_LIBPCAP", "no")

import numpy as np
import pytest
from numpy.typing import NDArray

from capture.packets.conversations import applications, http, tcp, tls
from capture.packets.conversations import requests_rows as row
from capture.packets.conversations.applications import Records
from capture.packets.conversations.contract import NAMES, Found
from capture.packets.conversations.conversations import Conversations, of_whole_capture
from capture.packets.conversations.requests_state import Requests
from capture.packets.conversations.tcp_findings import COMPLETE_VALUE, MID_STREAM_VALUE, UNANSWERED_VALUE
from capture.packets.conversations.tcp_state import AT_ONCE, NODES_EACH
from tests.capture.packets.conversations.tcp_made import START, Talk, everything
from tests.capture.packets.making import batch_of

LEAST = 4 * AT_ONCE  # TCP conversations that are held, whatever is asked for
HANDSHAKE = NAMES.index("tcp-handshake")


def opened(count: int) -> NDArray[Any]:
    """Records of SYN, SYN-ACK and ACK of so many conversations: all SYNs first, then the rest, conversation by conversation, the
    last one first."""
    first = Talk().opened().records()
    records = np.concatenate([np.repeat(first[:1], count), np.tile(first[1:], count)])
    records["first_low"] = np.concatenate([np.arange(count), np.repeat(np.arange(count)[::-1], 2)])
    records["column"] = np.arange(len(records))
    records["time_ns"] = START + np.arange(len(records)) * 1000
    return records


def handshakes(parts: list[Found]) -> dict[int, int]:
    """Value by column; everything() sees to it that nothing comes twice."""
    found = [(column, value) for field, column, value in everything(parts) if field == HANDSHAKE]
    assert len(dict(found)) == len(found)
    return dict(found)


@pytest.mark.parametrize("cut", [None, 1000, AT_ONCE + 1])
def test_tcp_forgets_what_was_quiet_for_longest(cut: int | None) -> None:
    count = 3 * LEAST
    records = opened(count)
    state, parts = tcp.state(0, 1, most=1), []
    for piece in np.split(records, range(cut, len(records), cut) if cut else []):
        parts.append(state.take(piece))
        assert state.conversations() <= LEAST
    memory = state.memory()
    parts.append(state.end())
    said = handshakes(parts)
    # The SYNs of those that were forgotten are not answered; those of the last ones before the answers began are
    syns = [said[column] for column in range(count)]
    forgotten = syns.index(COMPLETE_VALUE)
    assert count - LEAST <= forgotten <= count - LEAST // 2
    assert set(syns[:forgotten]) == {UNANSWERED_VALUE} and set(syns[forgotten:]) == {COMPLETE_VALUE}
    # Their SYN-ACKs begin conversations that nobody saw the beginning of
    assert all(said[len(records) - 2 - 2 * k] == MID_STREAM_VALUE for k in range(forgotten))
    assert state.forgotten() == count + forgotten - state.conversations()
    unbound = tcp.state(0, 1)
    unbound.take(records)
    assert unbound.forgotten() == 0 and memory < unbound.memory() / 2


def test_tcp_bounds_the_segments_that_wait_for_an_ack() -> None:
    """A link whose answers take another way: of each side ten thousand are kept, of all together as many as is said."""
    talk = Talk()
    talk.c("PA", 0, 1, b"0123456789")
    count = 40
    records = np.repeat(talk.records(), count * 8000)
    records["first_low"] = np.repeat(np.arange(count), 8000)
    records["seq"] += np.tile(np.arange(8000), count).astype(np.uint32) * 10
    records["time_ns"] += np.arange(len(records)) * 1000
    records["column"] = np.arange(len(records))
    state = tcp.state(0, 1, most=1)
    parts = [state.take(records), state.end()]
    assert 0 < state.forgotten() < count and state.conversations() == count - state.forgotten()
    assert len(state.dump()["nodes"]) <= NODES_EACH * LEAST
    said = handshakes(parts)
    assert set(said.values()) == {MID_STREAM_VALUE} and len(said) == count


def test_what_was_forgotten_is_in_a_dump() -> None:
    state = tcp.state(0, 1, most=1)
    state.take(opened(2 * LEAST))
    again = tcp.state(0, 1, most=1)
    again.load(state.dump())
    assert again.forgotten() == state.forgotten() > 0
    requests = applications.state(0, 1, most=1)
    requests.take(asked(1000))
    fresh = applications.state(0, 1, most=1)
    fresh.load(requests.dump())
    assert fresh.forgotten() == requests.forgotten() > 0
    with pytest.raises(ValueError, match="forgotten"):
        fresh.load({**requests.dump(), "forgotten": np.zeros(1, np.int64)})


def rows(count: int, kind: int, value: int = 0, side: int = 0, first_column: int = 0) -> NDArray[np.uint64]:
    """Rows of so many conversations, one each."""
    words = np.zeros((count, row.WIDTH), np.uint64)
    words[:, row.COLUMN] = first_column + np.arange(count)
    words[:, row.TIME] = words[:, row.CLOCK] = START + 1000 * (first_column + np.arange(count, dtype=np.int64))
    words[:, row.KEY] = 17 * np.arange(count) + 1
    words[:, row.PLACE] = 1 << 32
    words[:, row.WHAT] = value << 16 | side << 8 | kind
    return words


def taken_as(words: NDArray[np.uint64]) -> Records:
    return Records(words, int(words[-1, row.CLOCK]))


def asked(count: int) -> Records:
    return taken_as(rows(count, row.DNS_QUERY))


MOST = 1024  # entries of a table: half of it is held at least


def two_rounds(first: NDArray[np.uint64], second: NDArray[np.uint64], cut: int) -> tuple[Requests, list[tuple[int, int, int]]]:
    """All of the first, then all of the second."""
    state = applications.state(0, 1, most=MOST)
    words = np.concatenate([first, second])
    parts = [state.take(taken_as(piece)) for piece in np.split(words, range(cut, len(words), cut))]
    for name in ("asked", "tls", "connections", "requests"):
        assert len(state.dump()[name]) <= MOST
    return state, everything([*parts, state.end()])


@pytest.mark.parametrize("cut", [100, 10_000])
def test_questions(cut: int) -> None:
    """Each is unanswered, or its answer has a time."""
    count = 5000
    state, said = two_rounds(rows(count, row.DNS_QUERY), rows(count, row.DNS_RESPONSE, first_column=count), cut)
    unanswered = [column for field, column, _ in said if NAMES[field] == "dns-unanswered"]
    times = [column for field, column, _ in said if NAMES[field] == "dns-rtt-us"]
    assert unanswered == list(range(len(unanswered))) and len(unanswered) == state.forgotten()
    assert times == list(range(count + len(unanswered), 2 * count))
    assert MOST // 2 <= len(times) <= MOST


@pytest.mark.parametrize("cut", [100, 10_000])
def test_handshakes(cut: int) -> None:
    count = 5000
    hellos = rows(count, row.TLS_RECORDS, tls.CLIENT_HELLO)
    data = tls.SERVER_HELLO | tls.DATA
    answers = [rows(count, row.TLS_RECORDS, data, side, first_column=(2 + side) * count) for side in (1, 0)]
    state, said = two_rounds(hellos, np.concatenate(answers), cut)
    ends = {column: value for field, column, value in said if NAMES[field] == "tls-outcome"}
    assert list(ends) == list(range(count))
    broken = state.forgotten()
    assert list(ends.values()) == [tls.BROKEN_OFF] * broken + [tls.COMPLETE] * (count - broken)
    assert MOST // 2 <= count - broken <= MOST


@pytest.mark.parametrize("cut", [100, 10_000])
def test_http_connections(cut: int) -> None:
    count = 5000
    requests = rows(count, row.HTTP_REQUEST)
    responses = rows(count, row.HTTP_RESPONSE, 200, side=1, first_column=count)
    _, said = two_rounds(requests, responses, cut)
    times = [column for field, column, _ in said if NAMES[field] == "http-response-us"]
    assert times == list(range(2 * count - len(times), 2 * count)) and MOST // 2 <= len(times) <= MOST
    codes = [column for field, column, value in said if NAMES[field] == "http-request-status" and value == 200]
    assert codes == [column - count for column in times]


@pytest.mark.parametrize("cut", [100, 10_000])
def test_http_requests_of_few_connections(cut: int) -> None:
    """Sent one behind the other before any is answered: the oldest are forgotten, and each response still finds its own."""
    count, connections = 5000, 7
    words = rows(count, row.HTTP_REQUEST)
    words[:, row.KEY] = np.arange(count) % connections
    place = np.arange(count, dtype=np.uint64) // connections
    # each is 100 bytes, and knows how far the responses, of 200 bytes, would be
    words[:, row.PLACE] = (place * 100 + 1) << np.uint64(32) | place * 200 + 1
    responses = words.copy()
    responses[:, row.COLUMN] += count
    responses[:, row.TIME] = responses[:, row.CLOCK] = words[:, row.TIME] + np.uint64(count * 1000)
    responses[:, row.PLACE] = (place * 200 + 1) << np.uint64(32)
    responses[:, row.WHAT] = 200 << 16 | 1 << 8 | row.HTTP_RESPONSE
    state, said = two_rounds(words, responses, cut)
    codes = [column for field, column, value in said if NAMES[field] == "http-request-status" and value == 200]
    assert codes == list(range(state.forgotten(), count)) and MOST // 2 <= len(codes) <= MOST
    times = {column: value for field, column, value in said if NAMES[field] == "http-response-us"}
    assert times == dict.fromkeys((column + count for column in codes), 5000)
    http.check(state._connections, state._requests)


def test_all_of_a_job_is_counted() -> None:
    """What its partitions and subjects forgot; the capture that is one batch has room for all of it."""
    syn = Talk().opened().packets[0]
    count = 5 * LEAST
    packets = []
    for k in range(count):
        packets.append(syn[:26] + (k + 1).to_bytes(4, "big") + syn[30:])
    batch = batch_of(*packets, times=[START + 1000 * k for k in range(count)])
    with Conversations(most=1) as known:
        parts = [known.take(batch, 0)]
        assert 0 < known.forgotten() == count - len(known)
        parts.append(known.end())
    assert handshakes(parts) == dict.fromkeys(range(count), UNANSWERED_VALUE)
    assert everything([of_whole_capture(batch, 0)]) == everything(parts)
