"""A worker that hears nothing though there are messages ends; one that works, or has nothing to hear, or no broker, does not."""

from __future__ import annotations

import threading
import time

import pytest

from picapweb import deaf_worker
from picapweb.deaf_worker import Watch


@pytest.fixture(autouse=True)
def _quickly(monkeypatch):
    monkeypatch.setattr(deaf_worker, "DEAF_SECONDS", 0.2)
    monkeypatch.setattr(deaf_worker, "LOOK_SECONDS", 0.01)


def ended(waiting, busy=lambda: False, heard: bool = False) -> bool:
    over = threading.Event()
    watch = Watch(waiting, busy, over.set)
    watch.start()
    until = time.monotonic() + 1.0
    while time.monotonic() < until and not over.is_set():
        if heard:
            watch.heard()
        time.sleep(0.01)
    watch.stop()
    watch.join()
    return over.is_set()


def test_messages_wait_and_none_comes():
    assert ended(lambda: 5)


def test_there_is_nothing_to_hear():
    assert not ended(lambda: 0)


def test_it_is_at_work():
    assert not ended(lambda: 5, busy=lambda: True)


def test_messages_come():
    assert not ended(lambda: 5, heard=True)


def test_the_broker_is_away():
    def away() -> int:
        raise ConnectionError("away")

    assert not ended(away)


def test_it_must_last():
    """A look at which all is well begins the time anew."""
    looks = iter(range(10_000))
    assert not ended(lambda: 0 if next(looks) % 8 == 0 else 5)
