"""The layer tree within bounds: what it is otherwise, and what is said where a packet kills or hangs its dissector."""

from __future__ import annotations

import os
import signal
import struct
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from capture.packets import bounded_tree
from capture.packets.bounded_tree import Undissected
from capture.packets.layers import layer_tree
from tests.hostile.capture import HOSTILE, packets, udp
from tests.hostile.poison_layer import HANGS, KILLS, NAME, WELL, poisoned_path

ETHERNET = 1


def tree(data: bytes, seconds: float = 60.0) -> list:
    return bounded_tree.bounded_tree(data, ETHERNET, len(data), seconds)


@pytest.fixture
def server(monkeypatch, tmp_path: Path) -> Iterator[bounded_tree._Server]:
    """A process of this test's own, with a package that brings a layer which kills and hangs."""
    monkeypatch.setenv("PYTHONPATH", poisoned_path(tmp_path))
    one = bounded_tree._Server()
    monkeypatch.setattr(bounded_tree, "_server", one)
    yield one
    one.close()


def test_it_is_the_tree_that_it_is_otherwise():
    for text in list(HOSTILE.values())[:6]:
        for data in packets(text):
            assert tree(data) == layer_tree(data, ETHERNET, len(data))
    assert tree(b"") == []
    large = udp(5, 6, bytes(60_000))
    assert tree(large) == layer_tree(large, ETHERNET, len(large))


def test_several_at_once():
    every = [udp(5, 6, struct.pack(">I", number)) for number in range(40)]
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(tree, every))
    assert found == [layer_tree(data, ETHERNET, len(data)) for data in every]


def test_one_that_kills_and_one_that_hangs(server):
    with pytest.raises(Undissected, match=r"not done after 1 s \(PICAPWEB_PACKET_SECONDS\)"):
        tree(udp(5, HANGS, b"x"), 1.0)
    with pytest.raises(Undissected, match="ended by SIGKILL"):
        tree(udp(5, KILLS, b"x"))
    # The package's layer is there: it was it that hung. And all goes on.
    assert NAME in [layer.name for layer in tree(udp(5, WELL, b"x"))]


def dissecting(server: bounded_tree._Server) -> list[psutil.Process]:
    """The processes that make trees: each is the child of a child of the server's, and gone before its tree is told."""
    process = server._process
    try:
        return [one for child in psutil.Process(process.pid).children() for one in child.children()] if process else []
    except psutil.NoSuchProcess:
        return []


def test_one_that_hangs_does_not_keep_others(server):
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(tree, udp(5, HANGS, b"x"), 600.0)
        end = time.monotonic() + 120
        while not (hangs := dissecting(server)):  # else nothing might be at work yet beside the other
            assert time.monotonic() < end and not hanging.done()
            time.sleep(0.01)
        assert tree(udp(5, 6, b"x"))
        assert not hanging.done()
        for child in hangs:
            child.kill()
        with pytest.raises(Undissected, match="ended"):
            hanging.result()


def test_its_process_is_started_again(server):
    assert tree(udp(5, 6, b"x"))
    first = server._process
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    assert tree(udp(5, 6, b"x"))
    assert server._process.pid != first.pid


def test_its_process_ends_with_whoever_started_it(server):
    assert tree(udp(5, 6, b"x"))
    process = server._process
    server._control.close()  # as the kernel does it for one that has died
    assert process.wait(60) == 0


def test_where_it_cannot_be_started_that_is_said(monkeypatch, server):
    monkeypatch.setattr("sys.executable", "/nonesuch/python")
    with pytest.raises(Undissected, match="cannot be started: No such file"):
        tree(udp(5, 6, b"x"))
