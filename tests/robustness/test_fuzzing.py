"""A seeded part of `script/fuzz`; and that the fuzzer finds what it is for."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from capture.packets.conversations import conversations, tcp
from tests.long import examples
from tests.robustness.fuzzing import run
from tests.robustness.fuzzing.run import Finding, fuzz, keep, made
from tests.robustness.fuzzing.targets import TARGETS, Target

MOST = {"captures": 60, "compressed": 60, "layers": 60, "conversations": 60}


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_nothing_is_found(target: Target):
    found: list[Finding] = []
    most = examples(MOST.get(target.name, 300), long=5000)
    assert fuzz(target, 1, lambda position: position >= most, found.append) == most
    assert not found, f"{found[0].why}\nposition {found[0].position}: {found[0].data[:500]!r}"


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_an_input_follows_from_its_seed_and_position(target: Target):
    some = [made(target, 5, position) for position in range(8)]
    assert some == [made(target, 5, position) for position in range(8)] != [made(target, 6, position) for position in range(8)]


def _bad(data: bytes) -> None:
    number = int(data)
    if number == 1:
        time.sleep(1)  # as on a machine that does something else: no finding
    if number == 3:
        os.kill(os.getpid(), signal.SIGSEGV)
    if number == 5:
        raise ZeroDivisionError("five")
    if number == 7:
        bytearray(2 << 30)
    while number == 9:
        pass


def test_what_raises_kills_devours_or_hangs_is_found_and_kept(monkeypatch, tmp_path: Path):
    monkeypatch.setattr(run, "HANGS", 0.5)
    numbers = iter(range(10**6))
    monkeypatch.setattr(run, "made", lambda target, seed, position: b"%d" % position)
    found: list[Finding] = []
    assert (
        fuzz(Target("numbers", lambda rng: b"%d" % next(numbers), _bad), 1, lambda position: position >= 12, found.append) == 12
    )
    assert [one.data for one in found] == [b"3", b"5", b"7", b"9"]
    for one, words in zip(found, ("ended its process", "ZeroDivisionError: five", "MemoryError", "hangs"), strict=True):
        assert words in one.why
    path = keep(found[1], tmp_path)
    assert (path.read_bytes(), "seed 1, position 5" in path.with_suffix(".txt").read_text()) == (b"5", True)


class _Forgets:
    """TCP, whose state lets go of what waits after each batch."""

    VERSION, FIELDS, records = tcp.VERSION, tcp.FIELDS, staticmethod(tcp.records)

    @staticmethod
    def state(partition, partitions, most):
        whole = tcp.state(partition, partitions, most)
        take = whole.take
        whole.take = lambda records: conversations.joined([take(records), whole.end()])
        return whole


class _Repeats:
    """TCP that says everything twice."""

    VERSION, FIELDS, records = tcp.VERSION, tcp.FIELDS, staticmethod(tcp.records)

    @staticmethod
    def state(partition, partitions, most):
        whole = tcp.state(partition, partitions, most)
        take = whole.take
        whole.take = lambda records: conversations.joined([take(records)] * 2)
        return whole


class _Raises:
    """Takes no batch of short packets alone."""

    VERSION, FIELDS, state = tcp.VERSION, tcp.FIELDS, staticmethod(tcp.state)

    @staticmethod
    def records(batch, first_column):
        if len(batch) and int(batch.locator["captured_length"].max()) < 60:
            raise IndexError("short")
        return tcp.records(batch, first_column)


@pytest.mark.parametrize(
    ("broken", "words"), [(_Forgets, "only whole"), (_Repeats, "a value twice"), (_Raises, "IndexError: short")]
)
def test_a_subject_of_the_second_pass_that_is_broken_is_found(monkeypatch, broken, words):
    monkeypatch.setitem(conversations.SUBJECTS, "tcp", broken)
    (target,) = (one for one in TARGETS if one.name == "conversations")
    found: list[Finding] = []
    fuzz(target, 1, lambda position: bool(found) or position >= 40, found.append)
    assert found and words in found[0].why, found
