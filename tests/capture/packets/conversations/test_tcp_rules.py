"""Each finding of tcp-analysis on conversations made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from capture.packets.conversations import tcp
from tests.capture.packets.conversations.tcp_made import MILLISECOND, SECOND, Talk, by_packet
from tests.capture.packets.making import batch_of

DATA = b"x" * 100


def only(analysis: list[set[str | int]], **expected: object) -> None:
    """Nothing is said of packets but those of `expected`: p3="dup-ack"."""
    found = {f"p{k}": ",".join(sorted(map(str, names))) for k, names in enumerate(analysis) if names}
    assert found == expected


def test_a_quiet_conversation_has_none() -> None:
    talk = Talk().opened()
    talk.c("PA", 1, 1, DATA)
    talk.s("A", 1, 101)
    talk.s("PA", 1, 101, DATA)
    talk.c("A", 101, 101)
    talk.c("FA", 101, 101)
    talk.s("FA", 101, 102)
    talk.c("A", 102, 102)
    only(talk.analysis())


def test_retransmission_behind_the_time_of_reordering() -> None:
    talk = Talk().opened()
    talk.c("PA", 1, 1, DATA)
    again = talk.c("PA", 1, 1, DATA, after=200 * MILLISECOND)
    assert again == 4
    only(talk.analysis(), p4="retransmission")


def test_a_syn_and_a_fin_sent_again_are_retransmissions() -> None:
    talk = Talk()
    talk.c("S", 0)
    talk.c("S", 0, after=SECOND)
    talk.s("SA", 0, 1)
    talk.c("A", 1, 1)
    talk.c("FA", 1, 1)
    talk.c("FA", 1, 1, after=SECOND)
    only(talk.analysis(), p1="retransmission", p5="retransmission")


def test_lost_segment_and_out_of_order() -> None:
    talk = Talk().opened()
    talk.c("PA", 101, 1, DATA)  # the one before comes behind it
    talk.c("PA", 1, 1, DATA, after=MILLISECOND)
    only(talk.analysis(), p3="lost-segment", p4="out-of-order")


def test_how_late_a_segment_may_come_is_the_initial_round_trip() -> None:
    """2 ms here; where the handshake was not seen, 3 ms."""
    for opened, late, expected in ((True, 1, "out-of-order"), (True, 2, "retransmission"), (False, 2, "out-of-order")):
        talk = Talk()
        if opened:
            talk.opened()
        else:
            talk.c("A", 1, 1)
        at = talk.c("PA", 101, 1, DATA)
        talk.c("PA", 1, 1, DATA, after=late * MILLISECOND)
        assert talk.analysis()[at + 1] == {expected}


def test_duplicate_acks_and_the_fast_retransmission() -> None:
    talk = Talk().opened()
    talk.c("PA", 1, 1, DATA)
    talk.c("PA", 201, 1, DATA)
    talk.s("A", 1, 101)
    for _ in range(3):
        talk.s("A", 1, 101)
    talk.c("PA", 101, 1, DATA, after=19 * MILLISECOND)
    only(talk.analysis(), p4="lost-segment", p6="dup-ack", p7="dup-ack", p8="dup-ack", p9="fast-retransmission")


SLOW, FAST = "retransmission", "fast-retransmission"


@pytest.mark.parametrize(("repeats", "after", "expected"), [(1, 19, SLOW), (3, 20, SLOW), (2, 19, FAST)])
def test_what_makes_a_retransmission_fast(repeats: int, after: int, expected: str) -> None:
    talk = Talk().opened()
    talk.c("PA", 1, 1, DATA)
    talk.c("PA", 201, 1, DATA)
    talk.s("A", 1, 101)
    for _ in range(repeats):
        talk.s("A", 1, 101)
    last = talk.c("PA", 101, 1, DATA, after=after * MILLISECOND)
    assert talk.analysis()[last] == {expected}


def test_spurious_retransmission_of_what_was_acknowledged() -> None:
    talk = Talk().opened()
    talk.c("PA", 1, 1, DATA)
    talk.s("A", 1, 101)
    talk.c("PA", 1, 1, DATA)
    only(talk.analysis(), p5="spurious-retransmission")


def test_acked_unseen_is_said_once() -> None:
    talk = Talk().opened()
    talk.s("A", 1, 101)
    talk.s("A", 1, 201)
    talk.s("PA", 1, 201, DATA)
    only(talk.analysis(), p3="acked-unseen")


def test_window_full_with_and_without_scale() -> None:
    plain = Talk()
    plain.c("S", 0)
    plain.s("SA", 0, 1, window=100)
    plain.c("A", 1, 1)
    plain.s("A", 1, 1, window=100)
    plain.c("PA", 1, 1, DATA)
    assert plain.analysis()[4] == {"window-full"}
    scaled = Talk()
    scaled.c("S", 0, scale=2)
    scaled.s("SA", 0, 1, scale=2, window=25)
    scaled.c("A", 1, 1)
    scaled.s("A", 1, 1, window=25)
    full = scaled.c("PA", 1, 1, DATA)
    assert scaled.analysis()[full] == {"window-full"}


def test_the_window_of_a_syn_is_not_scaled() -> None:
    talk = Talk()
    talk.c("S", 0, scale=2)
    talk.s("SA", 0, 1, scale=2, window=100)  # not 400
    talk.c("A", 1, 1)
    full = talk.c("PA", 1, 1, DATA)
    assert talk.analysis()[full] == {"window-full"}


def test_scale_counts_only_if_both_have_it() -> None:
    talk = Talk()
    talk.c("S", 0, scale=2)
    talk.s("SA", 0, 1, window=100)
    talk.c("A", 1, 1)
    talk.s("A", 1, 1, window=100)
    full = talk.c("PA", 1, 1, DATA)
    assert talk.analysis()[full] == {"window-full"}


def test_window_update() -> None:
    talk = Talk().opened()
    talk.s("A", 1, 1, window=2000)
    only(talk.analysis(), p3="window-update")


def test_zero_window_its_probe_and_the_answer() -> None:
    talk = Talk().opened()
    talk.c("PA", 1, 1, DATA)
    talk.s("A", 1, 101, window=0)
    talk.c("A", 101, 1, b"x")
    talk.s("A", 1, 101, window=0)
    talk.s("A", 1, 101, window=1000)
    only(
        talk.analysis(), p4="zero-window", p5="zero-window-probe", p6="zero-window,zero-window-probe-ack", p7="window-update"
    )  # fmt: skip


def test_keep_alive_and_its_answer() -> None:
    talk = Talk().opened()
    talk.c("PA", 1, 1, DATA)
    talk.s("A", 1, 101)
    talk.c("A", 100, 1, after=60 * SECOND)
    talk.s("A", 1, 101)
    talk.c("A", 100, 1, b"x", after=60 * SECOND)
    talk.s("A", 1, 101)
    only(talk.analysis(), p5="keep-alive", p6="keep-alive-ack", p7="keep-alive", p8="keep-alive-ack")


def test_port_reuse_begins_anew() -> None:
    talk = Talk().opened()
    talk.c("R", 1)
    talk.base, talk.server_base = 900_000, 800_000
    talk.opened()
    only(talk.analysis(), p4="port-reuse")
    assert talk.handshake()[4:] == [{"complete"}] * 3


def test_a_syn_ack_with_another_number_is_port_reuse_too() -> None:
    talk = Talk()
    talk.c("S", 0)
    talk.s("SA", 0, 1)
    talk.server_base = 700_000
    talk.s("SA", 0, 1)
    assert "port-reuse" in talk.analysis()[2]


def test_sequence_numbers_wrap() -> None:
    talk = Talk(base=2**32 - 51, server_base=2**32 - 2)
    talk.opened()
    talk.c("PA", 1, 1, DATA)  # over the edge
    talk.s("A", 1, 101)
    talk.c("PA", 101, 1, DATA)
    talk.c("PA", 1, 1, DATA)
    talk.c("PA", 301, 1, DATA)
    talk.s("A", 1, 201)
    said = talk.said()
    only(said["tcp-analysis"], p6="spurious-retransmission", p7="lost-segment")
    assert said["tcp-rtt-us"][4] == {1000}
    assert said["tcp-rtt-us"][8] == {3000}


def test_round_trips_are_of_the_first_time_a_segment_was_sent() -> None:
    talk = Talk().opened()
    talk.c("PA", 1, 1, DATA)
    talk.c("PA", 101, 1, DATA)
    talk.s("A", 1, 51)  # a part of a segment is none
    talk.s("A", 1, 201, after=7_654_321)  # the first of the two is covered, the second exactly
    talk.c("PA", 201, 1, DATA)
    talk.c("PA", 201, 1, DATA, after=SECOND)
    talk.s("A", 1, 301)
    rounds = talk.said()["tcp-rtt-us"]
    assert rounds[5] == set()
    assert rounds[6] == {1000 + 7654}
    assert rounds[9] == {1_001_000}


def test_round_trips_of_segments_sent_out_of_order() -> None:
    talk = Talk().opened()
    talk.c("PA", 101, 1, DATA)
    talk.c("PA", 1, 1, DATA)
    talk.s("A", 1, 101)
    talk.s("A", 1, 201)
    assert talk.said()["tcp-rtt-us"][5:] == [{1000}, {3000}]


def test_ten_thousand_segments_may_wait() -> None:
    talk = Talk().opened()
    records = np.repeat(talk.records()[-1:], 10_050)
    records["length"] = 1
    records["seq"] += np.arange(10_050, dtype=np.uint32)
    records["column"] += np.arange(10_050, dtype=np.uint64)
    state = tcp.state(0, 1)
    state.take(talk.records()[:2])
    state.take(records)
    assert len(state.dump()["nodes"]) == 10_000


def test_segments_without_time_say_no_round_trip() -> None:
    talk = Talk().opened()
    talk.c("PA", 1, 1, DATA)
    talk.s("A", 1, 101)
    state = tcp.state(0, 1)
    said = by_packet([state.take(tcp.records(batch_of(*talk.packets), 0)), state.end()], 5)
    assert said["tcp-rtt-us"] == [set()] * 5
    assert said["tcp-irtt-us"] == [set()] * 5
    assert said["tcp-handshake"] == [{"complete"}, {"complete"}, {"complete"}, set(), set()]
