# ruff: noqa: E501
"""Benchmarks of live captures: their arithmetic, their programs, and that a wire of theirs carries what it is given."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.live import private, programs, rate, sections
from benchmarks.live.counters import adding_up
from benchmarks.live.delays import NS, Poll, Wholeness, delays, quantiles, wholeness
from benchmarks.live.frames import Frames
from benchmarks.live.latency import Case, Latency
from benchmarks.live.pace import MOST_BEHIND, Pace
from benchmarks.live.programs import Counted, Program
from benchmarks.live.rate import Result, Run, climb
from benchmarks.live.wire import Sent
from tests.conftest import needs


def pcap(path: Path, packets: list[bytes]) -> Path:
    records = b"".join(struct.pack("<IIII", 1, 0, len(packet), len(packet)) + packet for packet in packets)
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1) + records)
    return path


class OneWire:
    packets, bytes = 4, 1600


def test_a_packet_is_in_the_answers_when_the_first_one_counts_as_many() -> None:
    times = np.array([100, 200, 300, 400, 500], np.int64)
    polls = [Poll(0, 90, 0), Poll(150, 160, 1), Poll(290, 310, 3), Poll(320, 330, 2), Poll(900, 1000, 5)]
    assert delays(times, polls).tolist() == [60, 110, 10, 600, 500]
    with pytest.raises(ValueError, match="5 packets were captured, and the answers count no more than 3"):
        delays(times, polls[:-1])


def test_no_packets_have_no_delays() -> None:
    assert delays(np.zeros(0, np.int64), []).tolist() == []


def test_quantiles_are_in_seconds() -> None:
    assert quantiles(np.arange(101) * NS) == (50.0, 99.0, 100.0)


def test_a_second_is_whole_when_all_its_packets_were_counted() -> None:
    times = np.array([1, 2, NS, NS + 5, 2 * NS, 7 * NS], np.int64)
    assert wholeness(times, {0: 2, 1: 1, 2: 1, 3: 0}) == Wholeness(3, 2, 1)


def test_a_sender_owes_by_the_clock_and_forgets_what_it_cannot_make_good() -> None:
    pace = Pace(1000, 10.0)
    assert pace.due(10.005) == 5
    pace.went(3)
    assert pace.due(10.005) == 2
    most = int(1000 * MOST_BEHIND)
    assert pace.due(11.0) == most
    pace.went(most)
    assert pace.due(11.0) in (0, 1)
    assert pace.due(11.01) in (9, 10, 11)


def test_frames_are_what_a_link_carries(tmp_path: Path) -> None:
    packets = [b"a" * 13, b"b" * 14, b"c" * 1514, b"d" * 1515, b"e" * 60]
    frames = Frames(pcap(tmp_path / "a.pcap", packets), 1500)
    assert [frames.packet(number) for number in range(len(frames))] == [packets[1], packets[2], packets[4]]
    assert frames.bytes == 14 + 1514 + 60
    with pytest.raises(ValueError, match="no packet that can be sent"):
        Frames(pcap(tmp_path / "b.pcap", [b"short"]), 1500)


def program() -> Program:
    return Program("it", "does", lambda interface, folder: [], "", "")


def runs(most: float, drops_from: float):
    """A machine that sends at most so many, and a program that drops from a rate on."""

    def run(asked: float) -> Run:
        reached = min(asked or most, most)
        lost = 100 if reached >= drops_from else 0
        return Run(Sent(int(reached), 1.0), Counted(lost, int(reached) - lost))

    return run


@pytest.mark.parametrize(
    ("most", "drops_from", "clean", "dropped_at"),
    [
        (500_000, 250_000, 200_000, 250_000),  # loses at a step
        (220_000, 1e9, 220_000, None),  # never loses: what the sender reached
        (220_000, 220_000, 200_000, 220_000),  # loses at a step that was not reached
        (20_000, 1, 0, 20_000),  # loses at once
    ],
)
def test_a_round_goes_up_until_packets_are_lost(most: float, drops_from: float, clean: float, dropped_at: float | None) -> None:
    result = Result(program())
    climb(result, runs(most, drops_from), lambda _: None)
    assert (result.sustained, result.dropped_at) == (clean, [dropped_at])
    assert [top.sent.packets for top in result.tops] == [most]


def test_the_section_says_where_each_begins_to_drop() -> None:
    one, other = Result(program()), Result(program())
    for most in (500_000, 300_000, 700_000):
        climb(one, runs(most, 1e9), lambda _: None)
        climb(other, runs(most, 100_000), lambda _: None)
    text = sections.rate([one, other], ["a program is not installed"], OneWire(), 3, 5)  # type: ignore[arg-type]
    assert "| **500 k** (300 k - 700 k) | no rate that could be sent | 500 k | 0 |" in text
    assert "| **50 k** (50 k - 50 k) | 100 k | 500 k | 0.02 % |" in text
    assert "400 bytes on average" in text and "Not measured: a program is not installed." in text


def test_the_section_on_delays_has_a_row_for_each_case() -> None:
    sent = Sent(100_000, 10.0)
    one = Latency(
        Case(10_000, "all"),
        sent,
        99_990,
        10,
        99_980,
        0.5,
        1.5,
        1.75,
        0.3,
        1.25,
        Wholeness(9, 8, 3),
        1.2,
        5000,
        0.007,
        1.25,
        0.4,
        0.9,
    )
    text = sections.latency([one], OneWire(), 10)  # type: ignore[arg-type]
    assert (
        "| all | 10 k | 10 k | 20 of 100,000 | 0.50 s | **1.50 s** | 1.75 s | 1.25 s | 8 of 9 | 1.2 s | 5,000 | 1.25 | 0.4 s, 0.9 s |"
        in text
    )
    assert "A poll took 7 ms" in text


def live_job(**changed: int) -> dict:
    counters = {"received": 10, "captured": 8, "bytes_captured": 800, "unread": 0}
    one = {**counters, "dropped_kernel": 2, "dropped_interface": 0}
    live = {**counters, "dropped_by_kernel": 2, "dropped_by_interface": 0, "interfaces": [one]}
    packets = {"read": 8, "indexed": 5, "removed": 3, "filtered_out": 0, "failed": 0}
    packets |= {name: value for name, value in changed.items() if name in packets}
    live |= {name: value for name, value in changed.items() if name in live}
    return {"packets": packets, "live": live}


def test_counters_are_held_against_each_other() -> None:
    assert all(right for _, right in adding_up(live_job()))
    for name in ("received", "captured", "unread", "read", "indexed", "removed", "bytes_captured"):
        assert not all(right for _, right in adding_up(live_job(**{name: 99}))), name


def test_what_programs_print_is_understood() -> None:
    printed = {
        programs.OURS: ('{"ready": "nice"}', '{"received": 9, "dropped": 7, "captured": 2}'),
        programs.DUMPCAP: (
            "File: a.pcapng",
            "Packets received/dropped on interface 'near': 9/7 (pcap:7/dumpcap:0/flushed:0/ps_ifdrop:0) (56%)",
        ),
        programs.TCPDUMP: (
            "tcpdump: listening on near, link-type EN10MB",
            "9 packets received by filter\n7 packets dropped by kernel",
        ),
    }
    found, missing = programs.programs()
    assert len(found) + 2 * len(missing) == 6
    for one in found:
        begins, ends = printed[one.name.split(",")[0]]
        assert re.search(one.ready, begins), one.name
        assert re.findall(one.numbers, ends) == ["7"], one.name


WIRED = """
import sys
from pathlib import Path
from benchmarks.live import programs, rate
from benchmarks.live.wire import Wire
programs.QUIET_SECONDS = 4.0  # a program that gets no processor for long is no loser of packets
with Wire(Path(sys.argv[1])) as wire:
    for program in programs.programs()[0]:
        sent = 0
        while sent <= 500:  # a sender that got no processor makes good for nothing
            run = rate.once(program, wire, Path(sys.argv[2]), seconds=0.5, rate=2000)
            sent = run.sent.packets
            print(sent, run.lost, run.counted.dropped, run.counted.written)
"""


def test_each_program_has_every_packet_of_a_slow_wire(tmp_path: Path) -> None:
    needs("root for network namespaces")
    assert private.missing() == []
    capture = pcap(tmp_path / "a.pcap", [bytes(range(60)), bytes(100)])
    (tmp_path / "out").mkdir()
    done = subprocess.run(
        private.command(sys.executable, "-c", WIRED, str(capture), str(tmp_path / "out")), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    rows = [[int(number) for number in line.split()] for line in done.stdout.splitlines()]
    assert sum(sent > 500 for sent, *_ in rows) == len(programs.programs()[0])
    for sent, lost, dropped, written in rows:
        assert (lost, dropped) == (0, 0) and sent == written
    assert list((tmp_path / "out").iterdir()) == []
    assert sorted(rate.STEPS) == list(rate.STEPS)
