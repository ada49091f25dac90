"""Which small batches become one: each packet is rewritten a few times only, and few batches are left."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexing.merge_plan import GROWTH, MERGED_PACKETS, MOST_BATCHES, MOST_READ, SMALL_PACKETS, Small, chains, run_of

KIN, MADE = ("capture", 1), ("fast 1", "{}")


def small(*packets: int, **more: object) -> list[Small]:
    """Neighbours with these numbers of packets; behind the last one comes a batch that is at work."""
    found, column = [], 0
    for sequence, count in enumerate(packets):
        found.append(Small(sequence, sequence, column, count, count, KIN, MADE, sequence + 1))
        column += count
    if found:
        found[-1] = replace(found[-1], next_waits=True)
    return found


def run(batches: list[Small], settled: bool = False) -> list[int]:
    """Ids of the first run."""
    for chain in chains(batches, lambda: settled):
        if found := run_of(chain):
            return [one.id for one in found]
    return []


def youngest(batches: list[Small]) -> list[Small]:
    return [*batches[:-1], replace(batches[-1], next_sequence=None, next_waits=False)]


def changed(batches: list[Small], at: int, **values: object) -> list[Small]:
    return [replace(one, **values) if i == at else one for i, one in enumerate(batches)]


def test_sixteen_of_a_kind_become_one_and_fifteen_do_not():
    assert run(small(*[100] * 15)) == []
    assert run(small(*[100] * 16)) == list(range(16))


def test_a_large_one_waits_for_more():
    assert run(small(1600, *[100] * 15)) == []
    assert run(small(1600, *[100] * 16)) == list(range(1, 17))
    assert run(small(1600, 1600, 1600, 1600, *[100] * 12)) == list(range(16))


def test_a_backlog_becomes_large_batches_at_once():
    assert run(small(*[100] * 1000)) == list(range(MOST_BATCHES))
    assert run(small(*[10_000] * 50)) == list(range(13))
    assert run(small(*[40_000] * 5)) == [0, 1, 2]


@pytest.mark.parametrize(
    "difference",
    [
        {"kin": ("another capture", 1)},
        {"made": ("fast 2", "{}")},
        {"first_column": 5000},
        {"sequence": 100},
    ],
)
def test_only_neighbours_of_a_kind(difference):
    batches = small(*[100] * 30)
    if "first_column" in difference:
        batches[15:] = [replace(one, first_column=one.first_column + 5) for one in batches[15:]]
    elif "sequence" in difference:
        batches[15:] = [replace(one, sequence=one.sequence + 5, next_sequence=one.sequence + 6) for one in batches[15:]]
    else:
        batches[15:] = [replace(one, **difference) for one in batches[15:]]
    # What is before the break is closed, what is behind it has fifteen.
    assert run(batches) == list(range(15))
    assert run(batches[15:]) == []


def test_a_batch_at_work_in_between_is_waited_for():
    batches = small(*[100] * 30)
    batches[15:] = [replace(one, sequence=one.sequence + 1, next_sequence=one.sequence + 2) for one in batches[15:]]
    assert run(changed(batches, 14, next_waits=True)) == []
    assert run(batches) == list(range(15)), "but not one that failed"


def test_batches_without_packets_join_whatever_their_columns():
    batches = small(100, 0, 0, *[100] * 14)
    batches[1:3] = [replace(one, first_column=999, made=("fast", "{}")) for one in batches[1:3]]
    assert run(batches) == list(range(17))
    assert run(small(*[0] * 16)) == list(range(16))
    assert run(changed(changed(small(*[0] * 16), 3, read=MOST_READ), 5, read=1)) == [0, 1, 2, 3, 4]


def test_the_youngest_of_a_job_is_left_alone():
    assert run(youngest(small(*[100] * 16))) == []
    assert run(youngest(small(*[100] * 16)), settled=True) == list(range(15))
    assert run(youngest(small(*[100] * 17))) == list(range(16))
    assert run(youngest(small(100)), settled=True) == []
    other = changed(youngest(small(*[100] * 6)), 5, kin=("another capture", 1))
    assert run(other) == list(range(5)), "its neighbours can only wait for it where it may join them"


class Job:
    """A job's batches, as they come in and become fewer."""

    def __init__(self) -> None:
        self.batches: list[Small] = []
        self.rewritten: dict[int, int] = {}  # by the number of the batch that came in
        self.holds: dict[int, list[int]] = {}  # batch -> those that came in and are in it
        self.came = self.column = 0

    def add(self, packets: int) -> None:
        self.batches.append(Small(self.came, self.came, self.column, packets, packets, KIN, MADE, None))
        self.holds[self.came], self.rewritten[self.came] = [self.came], 0
        self.came += 1
        self.column += packets

    def small(self) -> list[Small]:
        nexts = [one.sequence for one in self.batches[1:]] + [None]
        linked = [replace(one, next_sequence=after) for one, after in zip(self.batches, nexts, strict=True)]
        return [one for one in linked if one.packets < SMALL_PACKETS]

    def merge(self, settled: bool) -> None:
        """Until nothing is left to merge."""
        while ids := run(self.small(), settled):
            chosen = [one for one in self.batches if one.id in ids]
            packets = sum(one.packets for one in chosen)
            assert len(chosen) > 1 and packets <= MERGED_PACKETS
            first = next((one for one in chosen if one.packets), chosen[0])
            one = replace(first, sequence=chosen[0].sequence, packets=packets, read=packets)
            at = self.batches.index(chosen[0])
            self.batches[at : at + len(chosen)] = [one]
            self.holds[one.id] = [came for part in chosen for came in self.holds.pop(part.id)]
            for came in self.holds[one.id]:
                self.rewritten[came] += 1


A_FEW = math.ceil(math.log(MERGED_PACKETS, GROWTH))


@given(
    st.lists(st.one_of(st.integers(0, 5), st.integers(1, 3000), st.integers(1, 70_000)), min_size=1, max_size=300),
    st.integers(1, 40),
)
def test_a_packet_is_rewritten_a_few_times_and_no_small_neighbours_are_left(sizes, at_once):
    """Batches come in, `at_once` between two looks of a merger; in the end no more come."""
    job = Job()
    for number, size in enumerate(sizes, 1):
        job.add(size)
        if number % at_once == 0:
            job.merge(settled=False)
    assert max((job.rewritten[i] for i, size in enumerate(sizes) if size), default=0) <= A_FEW
    job.merge(settled=True)
    assert max((job.rewritten[i] for i, size in enumerate(sizes) if size), default=0) <= A_FEW + 2
    assert sorted(came for some in job.holds.values() for came in some) == list(range(len(sizes)))
    kept = job.batches[:-1]
    assert all(one.packets + other.packets > SMALL_PACKETS for one, other in pairwise(kept))


@pytest.mark.parametrize(("packets", "most"), [(1, 60), (100, 80), (3000, 200), (40_000, 420)])
def test_an_hour_or_less_of_batches_leaves_few(packets, most):
    job = Job()
    for _ in range(3600 if packets < 10_000 else 1200):
        job.add(packets)
        job.merge(settled=False)
    assert len(job.batches) <= most
    assert max(job.rewritten.values()) <= A_FEW
