"""A worker that hears nothing though there are messages ends; one that works, or has nothing to hear, or no broker, does not."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from picapweb import deaf_worker
from picapweb.deaf_worker import DEAF_SECONDS, Watch

LOOKS = 100


@pytest.fixture(autouse=True)
def clock(monkeypatch) -> SimpleNamespace:
    """The watch's: each look is a tenth of what it takes to be deaf later, however long it takes on this machine."""
    made = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(deaf_worker, "time", SimpleNamespace(monotonic=lambda: made.now))
    monkeypatch.setattr(deaf_worker, "LOOK_SECONDS", 0.0)
    return made


@pytest.fixture
def ended(clock):
    """Whether a watch ends its worker, which looks so many times."""

    def ended(waiting, busy=lambda: False, heard: bool = False) -> bool:
        over = threading.Event()
        looks = iter(range(LOOKS))

        def look() -> bool:
            clock.now += DEAF_SECONDS / 10
            if next(looks, None) is None:
                watch.stop()
            if heard:
                watch.heard()
            return busy()

        watch = Watch(waiting, look, over.set)
        watch.start()
        watch.join(60)
        assert not watch.is_alive()
        return over.is_set()

    return ended


def test_messages_wait_and_none_comes(ended):
    assert ended(lambda: 5)


def test_there_is_nothing_to_hear(ended):
    assert not ended(lambda: 0)


def test_it_is_at_work(ended):
    assert not ended(lambda: 5, busy=lambda: True)


def test_messages_come(ended):
    assert not ended(lambda: 5, heard=True)


def test_the_broker_is_away(ended):
    def away() -> int:
        raise ConnectionError("away")

    assert not ended(away)


def test_it_must_last(ended):
    """A look at which all is well begins the time anew."""
    looks = iter(range(10_000))
    assert not ended(lambda: 0 if next(looks) % 8 == 0 else 5)
