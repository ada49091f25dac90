"""The faults there are. Each leaves the product to itself: nothing but what a person would do to a machine is done again."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.faults.running import Running, kill

FULL_SECONDS = (0.5, 2.5)  # how long a disk stays full
AWAY_SECONDS = (0.0, 1.5)  # how long a Pilosa stays away


@dataclass(frozen=True)
class Kind:
    """words: for the table. share: how often, beside the others. do: False if there was nothing to do it to."""

    words: str
    share: int
    do: Callable[[Running, random.Random], bool]
    disk: bool = False
    pilosa: bool = False


def _a_worker(running: Running, rng: random.Random) -> bool:
    found = running.children("worker")
    return bool(found) and kill(rng.choice(found))


def _worker_group(running: Running, rng: random.Random) -> bool:
    first = running.service("worker")
    if first is None:
        return False
    group = [*running.children("worker"), first]
    return sum(kill(process) for process in group) > 0


def _postgres(running: Running, rng: random.Random) -> bool:
    first = running.service("postgres")
    return first is not None and kill(first)


def _postgres_session(running: Running, rng: random.Random) -> bool:
    """One of its own processes: it ends all sessions and recovers from its log."""
    found = running.children("postgres")
    return bool(found) and kill(rng.choice(found))


def _postgres_in_order(running: Running, rng: random.Random) -> bool:
    first = running.service("postgres")
    return first is not None and kill(first, signal.SIGINT)


def _broker(running: Running, rng: random.Random) -> bool:
    first = running.service("valkey")
    return first is not None and kill(first)


def _broker_flushed(running: Running, rng: random.Random) -> bool:
    try:
        running.flush_broker()
    except OSError:
        return False
    return True


def _disk_full(running: Running, rng: random.Random) -> bool:
    until = time.monotonic() + rng.uniform(*FULL_SECONDS)
    try:
        while time.monotonic() < until:
            running.disk.fill()  # again and again: what is deleted meanwhile makes room
            time.sleep(0.02)
    finally:
        running.disk.free()
    return True


def _everything(running: Running, rng: random.Random) -> bool:
    """Power goes, but for the page cache; somebody switches on again."""
    running.kill_all()
    running.start()
    return True


def _pilosa(running: Running, rng: random.Random) -> bool:
    seconds = rng.uniform(*AWAY_SECONDS)
    if running.pilosa is None:
        return False
    running.pilosa.kill()
    time.sleep(seconds)
    running.pilosa.start()
    return True


KINDS = (
    Kind("`kill -9` of a worker's process", 6, _a_worker),
    Kind("`kill -9` of the worker group", 3, _worker_group),
    Kind("`kill -9` of Postgres", 3, _postgres),
    Kind("`kill -9` of one of Postgres' processes", 2, _postgres_session),
    Kind("Postgres restarted", 2, _postgres_in_order),
    Kind("`kill -9` of the broker", 2, _broker),
    Kind("the broker flushed", 2, _broker_flushed),
    Kind("disk full", 2, _disk_full, disk=True),
    Kind("`kill -9` of everything, started again", 1, _everything),
    Kind("`kill -9` of Pilosa, started again", 6, _pilosa, pilosa=True),
)


def plan(seed: int, faults: int, disk: bool, pilosa: bool) -> list[Kind]:
    """So many faults in random order, each kind as often as its share says, as near as that comes; of few, each another one."""
    possible = [kind for kind in KINDS if (disk or not kind.disk) and (pilosa or not kind.pilosa)]
    whole = [kind for kind in possible for _ in range(kind.share)]
    rng = random.Random(f"{seed}")
    if faults <= len(possible):
        return rng.sample(possible, faults)
    found: list[Kind] = []
    while len(found) < faults:
        rng.shuffle(whole)
        found += whole
    return found[:faults]
