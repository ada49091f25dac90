"""tcp-handshake and tcp-irtt-us: how connections begin, and when a conversation is forgotten."""

from __future__ import annotations

import pytest

from capture.packets.conversations import tcp
from capture.packets.conversations.tcp_handshake import CLOSED_NS, OPEN_NS, WAIT_NS
from tests.capture.packets.conversations.tcp_made import SECOND, Talk, by_packet

COMPLETE, UNANSWERED, REFUSED, MID_STREAM, NOTHING = {"complete"}, {"unanswered"}, {"refused"}, {"mid-stream"}, set[str]()


def test_complete_on_syns_syn_acks_and_the_ack() -> None:
    talk = Talk()
    talk.c("S", 0)
    talk.c("S", 0, after=SECOND)
    talk.s("SA", 0, 1)
    talk.s("SA", 0, 1)
    talk.c("A", 1, 1)
    talk.c("PA", 1, 1, b"x")
    talk.s("SA", 0, 1)  # a late one
    said = talk.said()
    assert said["tcp-handshake"] == [COMPLETE] * 5 + [NOTHING, COMPLETE]
    assert said["tcp-irtt-us"] == [NOTHING] * 4 + [{3000}, NOTHING, NOTHING]  # from the last SYN


def test_data_may_complete_it() -> None:
    talk = Talk()
    talk.c("S", 0)
    talk.s("SA", 0, 1)
    talk.c("PA", 1, 1, b"x")
    assert talk.handshake() == [COMPLETE] * 3


def test_refused_and_tried_again() -> None:
    talk = Talk()
    talk.c("S", 0)
    talk.s("RA", 0, 1)
    talk.c("S", 0, after=SECOND)
    talk.s("RA", 0, 1)
    talk.c("S", 0, after=SECOND)
    talk.s("SA", 0, 1)
    talk.c("A", 1, 1)
    assert talk.handshake() == [REFUSED] * 4 + [COMPLETE] * 3


def test_the_rst_of_the_client_refuses_nothing() -> None:
    talk = Talk()
    talk.c("S", 0)
    talk.c("R", 1)
    assert talk.handshake() == [UNANSWERED, NOTHING]


def test_a_syn_scan_completes_nothing() -> None:
    talk = Talk()
    talk.c("S", 0)
    talk.s("SA", 0, 1)
    talk.c("R", 1)
    assert talk.handshake() == [NOTHING] * 3


@pytest.mark.parametrize(("late", "expected"), [(0, [COMPLETE] * 3), (1, [UNANSWERED, NOTHING, NOTHING])])
def test_an_answer_may_take_75_seconds(late: int, expected: list[set[str]]) -> None:
    talk = Talk()
    talk.c("S", 0)
    talk.s("SA", 0, 1, after=WAIT_NS + late)
    talk.c("A", 1, 1)
    assert talk.handshake() == expected


def test_unanswered_waits_for_its_time_and_says_so() -> None:
    talk = Talk()
    talk.c("S", 0)
    talk.c("S", 0, after=SECOND)
    state = tcp.state(0, 1)
    state.take(talk.records(100))
    assert state.waiting() == 100
    assert len(state.expire(talk.now + WAIT_NS).field) == 0
    settled = state.expire(talk.now + WAIT_NS + 1)
    assert settled.column.tolist() == [100, 101]
    assert state.waiting() is None
    assert by_packet([settled._replace(column=settled.column - 100)], 2)["tcp-handshake"] == [UNANSWERED] * 2
    assert len(state.end().field) == 0


def test_no_more_packets_leave_it_unanswered() -> None:
    talk = Talk()
    talk.c("S", 0)
    assert talk.handshake() == [UNANSWERED]


def test_where_only_the_client_was_seen_it_is_not_unanswered() -> None:
    talk = Talk()
    talk.c("S", 0)
    talk.c("A", 1, 1)
    assert talk.handshake() == [NOTHING] * 2


@pytest.mark.parametrize("flags", ["A", "PA", "FA", "R", "RA", "SA"])
def test_mid_stream_is_what_begins_without_a_syn(flags: str) -> None:
    """A SYN-ACK, too: its SYN was not seen."""
    talk = Talk()
    talk.s(flags, 0, 1)
    talk.c("A", 1, 1)
    talk.s("A", 1, 1)
    assert talk.handshake() == [MID_STREAM, NOTHING, NOTHING]


def test_a_new_number_ends_the_old_connection() -> None:
    talk = Talk()
    talk.c("S", 0)
    talk.base += 77
    talk.c("S", 0)
    talk.s("SA", 0, 1)
    talk.c("A", 1, 1)
    assert talk.handshake() == [UNANSWERED, COMPLETE, COMPLETE, COMPLETE]


def _end(talk: Talk, how: str) -> Talk:
    if how == "RST":
        talk.c("R", 1)
    elif how == "FINs":
        talk.c("FA", 1, 1)
        talk.s("FA", 1, 2)
        talk.c("A", 2, 2)
    return talk


@pytest.mark.parametrize(("how", "limit"), [("open", OPEN_NS), ("RST", CLOSED_NS), ("FINs", CLOSED_NS)])
def test_a_silent_conversation_is_forgotten(how: str, limit: int) -> None:
    """What comes later begins a new one, whether or not `expire` was called; what comes in time does not."""
    for late in (0, 1):
        for called in (False, True):
            talk = _end(Talk().opened(), how)
            state = tcp.state(0, 1)
            state.take(talk.records())
            before = len(talk.packets)
            last = talk.c("A", 1, 1, after=limit + late)
            if called:
                state.expire(talk.now)
                assert state.conversations() == 1 - late
            said = by_packet([state.take(talk.records()[before:]), state.end()], last + 1)
            assert said["tcp-handshake"][last] == (MID_STREAM if late else NOTHING)


def test_ports_used_again_long_after_the_end_are_a_new_conversation() -> None:
    talk = _end(Talk().opened(), "FINs")
    talk.base += 1000
    in_time = talk.c("S", 0, after=CLOSED_NS)
    talk.base += 1000
    late = talk.c("S", 0, after=CLOSED_NS + 1)
    said = talk.said()
    assert said["tcp-analysis"][in_time] == {"port-reuse"}
    assert said["tcp-analysis"][late] == NOTHING
    assert said["tcp-handshake"][in_time] == said["tcp-handshake"][late] == UNANSWERED


def test_time_that_runs_backwards_forgets_nothing() -> None:
    talk = Talk().opened()
    talk.c("A", 1, 1, after=-10 * OPEN_NS)
    talk.c("A", 1, 1, after=10 * OPEN_NS)
    assert talk.handshake() == [COMPLETE] * 3 + [NOTHING] * 2
