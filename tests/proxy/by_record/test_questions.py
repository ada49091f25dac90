"""Time, FrameNumber, TimeRelative; frame.time, frame.number, frame.time_relative; `from`, `to`: held against the records."""

from __future__ import annotations

import random
import struct
from urllib.parse import urlencode

import pytest

from capture.packets.batch import NO_TIME
from capture.packets.sources import open_capture
from proxy.moments import written
from tests.jobs import run_job

CAPTURES = ["pcaps/protocols/zeek__wikipedia.pcap", "pcaps/protocols/dpkt__dns_icmp.pcap"]
SECOND = 1_000_000_000


@pytest.fixture
def jobs(index, shared):
    """(job, numbers and times of its packets) of two captures, one of them filtered; in batches of some packets."""
    found = []
    for name, bpf in zip(CAPTURES, ["", "udp"], strict=True):
        job = run_job(shared / name, index=index, bufsize=20, filter=bpf)
        with open_capture(shared / name) as source:
            records = [(int(one["number"]), int(one["time_ns"])) for some in source.scan(1000, bpf) for one in some.locator]
            first = next(int(some.locator["time_ns"][0]) for some in source.scan(1))
        assert len(records) == job.packets_indexed
        found.append((job.pk, first, records))
    assert len(found[1][2]) > 1
    return found


@pytest.fixture
def asked(client, index):
    def asked(q: str = "", **query: object) -> set[tuple[int, int]]:
        answer = client.get(f"/packets/?{urlencode({'index': index, 'q': q, 'limit': 10000, **query})}")
        assert answer.status_code == 200, answer.json()
        said = answer.json()
        packets = {(one["job"], one["number"]) for one in said["packets"]}
        assert said["count"] == len(packets)
        if q:  # the PQL that is shown means the same
            again = client.get(f"/packets/?{urlencode({'index': index, 'q': said['pql'], 'lang': 'pql', 'limit': 10000})}").json()
            assert {(one["job"], one["number"]) for one in again["packets"]} == packets
        return packets

    return asked


def test_times_to_the_nanosecond(jobs, asked):
    every = sorted(ns for _, _, records in jobs for _, ns in records)
    chosen = random.Random(7)
    for begins in ("at a packet", "behind it", "at a second"):
        low, high = sorted(chosen.choices(every, k=2))
        low += {"at a packet": 0, "behind it": 1, "at a second": -(low % SECOND)}[begins]
        high += {"at a packet": 0, "behind it": 1, "at a second": 5 * SECOND - high % SECOND}[begins]
        wanted = {(job, number) for job, _, records in jobs for number, ns in records if low <= ns < high}
        assert asked(f'Time(from="{written(low)}", to="{written(high)}")') == wanted
        assert asked(**{"from": written(low), "to": written(high)}) == wanted
        assert asked(f'frame.time >= "{written(low)}" && frame.time < "{written(high)}"') == wanted
        assert asked(f"frame.time_epoch in {{{low // SECOND}.{low % SECOND:09d}..{high // SECOND}.{high % SECOND:09d}}}") == {
            (job, number) for job, _, records in jobs for number, ns in records if low <= ns <= high
        }


def test_one_moment_and_all_others(jobs, asked):
    job, _, records = jobs[0]
    number, at = records[40]
    equal = {(one, n) for one, _, some in jobs for n, ns in some if ns == at}
    assert (job, number) in equal
    assert asked(f'frame.time == "{written(at)}"') == equal
    assert asked(f'frame.time != "{written(at)}"') == asked("frame") - equal


NUMBERS = [
    ("frame.number == 5", lambda n: n == 5),
    ("frame.number != 5", lambda n: n != 5),
    ("frame.number > 30", lambda n: n > 30),
    ("frame.number <= 3", lambda n: n <= 3),
    ("frame.number in {2, 19..41, 1000000}", lambda n: n == 2 or 19 <= n <= 41),
    ("!(frame.number in {2..4000000000})", lambda n: n < 2),
    ("FrameNumber(from=21, to=40)", lambda n: 21 <= n <= 40),
    ("FrameNumber(from=40, to=21)", lambda n: False),
    ("Not(FrameNumber(to=20))", lambda n: n > 20),
    ("FrameNumber()", lambda n: True),
]


def test_numbers_of_packets(jobs, asked):
    for q, holds in NUMBERS:
        assert asked(q) == {(job, number) for job, _, records in jobs for number, _ in records if holds(number)}, q


SINCE = [
    ("frame.time_relative >= 1", lambda ns: ns >= SECOND),
    ("frame.time_relative < 0.25", lambda ns: ns < SECOND // 4),
    ("frame.time_relative == 0", lambda ns: ns == 0),
    ("frame.time_relative != 0", lambda ns: ns != 0),
    (
        "frame.time_relative in {0.1..0.9, 2.000000001..3}",
        lambda ns: 10**8 <= ns <= 9 * 10**8 or 2 * SECOND < ns <= 3 * SECOND,
    ),
    ("frame.time_relative > -1", lambda ns: True),
    ('TimeRelative(from=0.5, to="1.25")', lambda ns: SECOND // 2 <= ns < 5 * SECOND // 4),
]


def test_times_since_the_capture_began(jobs, asked):
    for q, holds in SINCE:
        wanted = {(job, number) for job, first, records in jobs for number, ns in records if holds(ns - first)}
        assert asked(q) == wanted, q
    assert NO_TIME not in {ns for _, _, records in jobs for _, ns in records}


REFUSED = [
    ('Time(from="yesterday")', "from must be a time"),
    ("Time()", "takes from= and to="),
    ('Time(since="2020-01-01")', "takes from= and to="),
    ("FrameNumber(from=-1)", "from must be a number of a packet"),
    ('FrameNumber(from="5")', "from must be a number of a packet"),
    ('TimeRelative(to="soon")', "to must be seconds"),
    ("frame.number == 4294967296", ""),
    ("frame.time_relative == abc", "no number of seconds since the capture began"),
]


def test_what_is_refused(jobs, client, index):
    for q, said in REFUSED:
        answer = client.get(f"/packets/?{urlencode({'index': index, 'q': q})}")
        assert answer.status_code == 400
        assert said in answer.json()["detail"]
        assert answer.json()["position"] is not None


def test_a_range_that_is_no_time(client):
    answer = client.get("/packets/?to=noon")
    assert (answer.status_code, answer.json()["option"]) == (400, "to")
    assert "2012-04-02T02:28:30.5Z" in answer.json()["detail"]


def test_a_capture_that_begins_in_1970(index, asked, tmp_path):
    """A time of 0 is a time."""
    packet = bytes.fromhex("02000000000202000000000108004500001c00010000401100007f0000017f0000010009000900080000")
    records = [struct.pack("<IIII", second, 0, len(packet), len(packet)) + packet for second in (0, 1, 5)]
    path = tmp_path / "1970.pcap"
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + b"".join(records))
    job = run_job(path, index=index)
    assert asked("frame.time_relative < 2") == {(job.pk, 1), (job.pk, 2)}
    assert asked("frame.time_relative == 5") == {(job.pk, 3)}
    assert asked('frame.time < "1970-01-01 00:00:00.5"') == {(job.pk, 1)}
