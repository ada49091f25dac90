"""What is done to the parts: each fault has a beginning, lasts, and ends; what recovers does so by itself."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from benchmarks.faults.running import Running, kill

STOPPED_SECONDS, FULL_SECONDS, JUMPED_SECONDS = 60.0, 20.0, 20.0
JUMP_SECONDS = 3600


@dataclass(frozen=True)
class Fault:
    """needs: "", or what must be there: "disk", "pilosa", "clock". lasts: a context manager, left when the fault is over."""

    words: str
    lasts: Callable[[Running], object]
    needs: str = ""


def _family(running: Running, service: str) -> list[psutil.Process]:
    first = running.service(service)
    if first is None:
        raise RuntimeError(f"no {service} runs")
    return [first, *running.children(service)]


def _killed(service: str) -> Callable[[Running], object]:
    @contextmanager
    def lasts(running: Running) -> Iterator[None]:
        for process in reversed(_family(running, service)):
            kill(process)
        yield

    return lasts


def _stopped(service: str) -> Callable[[Running], object]:
    @contextmanager
    def lasts(running: Running) -> Iterator[None]:
        found = _family(running, service)
        for process in found:
            kill(process, signal.SIGSTOP)
        try:
            time.sleep(STOPPED_SECONDS)
            yield
        finally:
            for process in found:
                kill(process, signal.SIGCONT)

    return lasts


@contextmanager
def _pilosa_killed(running: Running) -> Iterator[None]:
    assert running.pilosa is not None
    running.pilosa.kill()
    time.sleep(5)
    running.pilosa.start()
    yield


@contextmanager
def _pilosa_stopped(running: Running) -> Iterator[None]:
    assert running.pilosa is not None
    running.pilosa.signal(signal.SIGSTOP)
    try:
        time.sleep(STOPPED_SECONDS)
        yield
    finally:
        running.pilosa.signal(signal.SIGCONT)


@contextmanager
def _disk_full(running: Running) -> Iterator[None]:
    until = time.monotonic() + FULL_SECONDS
    try:
        while time.monotonic() < until:
            running.disk.fill()  # again and again: what is deleted meanwhile makes room
            time.sleep(0.05)
        yield
    finally:
        running.disk.free()


def _jump(seconds: int) -> Callable[[Running], object]:
    @contextmanager
    def lasts(running: Running) -> Iterator[None]:
        assert running.clock is not None
        running.clock.jump(seconds)
        try:
            time.sleep(JUMPED_SECONDS)
            yield
        finally:
            running.clock.jump(0)

    return lasts


SERVICES = (
    ("web", "the web processes"),
    ("worker", "the workers"),
    ("live worker", "the live worker"),
    ("postgres", "Postgres"),
    ("valkey", "the broker"),
)
FAULTS = (
    *(Fault(f"`kill -9` of {words}", _killed(service)) for service, words in SERVICES),
    *(Fault(f"{words} stopped for {STOPPED_SECONDS:.0f} s", _stopped(service)) for service, words in SERVICES),
    Fault("`kill -9` of Pilosa, started again after 5 s", _pilosa_killed, "pilosa"),
    Fault(f"Pilosa stopped for {STOPPED_SECONDS:.0f} s", _pilosa_stopped, "pilosa"),
    Fault(f"disk full for {FULL_SECONDS:.0f} s", _disk_full, "disk"),
    Fault(f"the clock an hour ahead for {JUMPED_SECONDS:.0f} s, and back", _jump(JUMP_SECONDS), "clock"),
    Fault(f"the clock an hour behind for {JUMPED_SECONDS:.0f} s, and on", _jump(-JUMP_SECONDS), "clock"),
)
