"""Ring files whose writer was killed: cut to their last whole block, wherever they broke off."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from capture.packets.live.blocks import Counts, Description, interface_description, interface_statistics, section_header
from capture.packets.live.recovery import Recovered, recover
from capture.packets.live.shape import WALK_LENGTH
from capture.packets.live.walk import walk_blocks
from capture.packets.sources import open_capture
from tests.capture.packets.live.recording import SECONDS, frame, packets_of
from tests.netns import veth_pair
from tests.server import ROOT, clean_environment


def packet_block(data: bytes) -> bytes:
    length = 32 + len(data) + -len(data) % 4
    words = (6, length, 0, 0, 0, len(data), len(data))
    return b"".join(word.to_bytes(4, "little") for word in words) + data + bytes(-len(data) % 4) + length.to_bytes(4, "little")


HEAD = [section_header("picapweb"), interface_description(Description(b"vb", 1, 262144, "tcp"))]
STATISTICS = interface_statistics(0, 1 << 60, Counts(1, 2, 3, 4, 5))
BLOCKS = [*HEAD, packet_block(frame(1, 61)), STATISTICS, packet_block(b""), packet_block(frame(2, 70))]


def cuts() -> list[tuple[int, int, int]]:
    """(length, whole, packets) of every file that ends within BLOCKS."""
    ends = np.cumsum([0, *map(len, BLOCKS)]).tolist()
    packets = np.cumsum([0, *(block[0] == 6 and block[1:4] == bytes(3) for block in BLOCKS)]).tolist()
    found = []
    for length in range(ends[-1] + 1):
        whole = max(i for i, end in enumerate(ends) if end <= length)
        found.append((length, ends[whole], packets[whole]))
    return found


def test_files_that_break_off_anywhere(tmp_path: Path) -> None:
    path, data = tmp_path / "file", b"".join(BLOCKS)
    last_three = len(data) - sum(map(len, BLOCKS[-3:]))
    for length, whole, packets in [*cuts()[:last_three:11], *cuts()[last_three:]]:
        path.write_bytes(data[:length])
        found = recover(path)
        assert (found.size, found.packets, path.stat().st_size) == (whole, packets, whole)
        assert (found.words == "") is (length == whole)
        assert path.read_bytes() == data[:whole]
        assert recover(path) == Recovered(whole, packets, "")


def test_from_where_a_scan_is(tmp_path: Path) -> None:
    path, data = tmp_path / "file", b"".join(BLOCKS)
    path.write_bytes(data)
    with open_capture(path) as source:
        states = [{"offset": 0, "number": 0}, *(batch.state for batch in source.scan(1))]
    for state in states:
        for length, whole, packets in cuts()[::23]:  # shorter than the state says, too
            path.write_bytes(data[:length])
            found = recover(path, state)
            assert (found.size, found.packets) == (whole, packets)


@pytest.mark.parametrize("tail", [bytes(1), bytes(4096), b"\xff" * 100, packet_block(frame(1))[:-4] + bytes(4)])
def test_what_a_crash_of_the_machine_leaves_behind(tmp_path: Path, tail: bytes) -> None:
    """A file system may leave zeros, or what was there before, where data had not reached the disk."""
    path, data = tmp_path / "file", b"".join(BLOCKS)
    path.write_bytes(data + tail)
    found = recover(path)
    assert (found.size, found.packets) == (len(data), 3)
    assert f"{len(tail)} bytes at the end were cut off" in found.words
    assert path.stat().st_size == len(data)


@pytest.mark.parametrize("data", [b"\0", b"something else", b"\xd4\xc3\xb2\xa1" + bytes(60), HEAD[0][:-1]])
def test_what_is_no_file_of_ours_holds_nothing(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    found = recover(path)
    assert (found.size, found.packets) == (0, 0)
    assert found.words


def test_large_files_are_walked(tmp_path: Path) -> None:
    """Blocks that lie across windows of the file included, and some that are larger than one."""
    path = tmp_path / "file"
    block = packet_block(frame(1, 1001))
    large = packet_block(bytes(3 << 20))
    with path.open("wb") as file:
        file.write(b"".join(HEAD))
        for _ in range(10):
            file.write(block * 5000 + large)
        file.write(block[:-1])
    found = recover(path)
    assert (found.size, found.packets) == (sum(map(len, HEAD)) + 10 * (5000 * len(block) + len(large)), 50_010)


def test_a_walk_ends_behind_the_block_that_reaches_the_size() -> None:
    data = np.frombuffer(b"".join(BLOCKS), np.uint8).copy()
    ends = np.cumsum(list(map(len, BLOCKS))).tolist()
    walked = np.zeros(WALK_LENGTH, np.int64)
    for most in range(1, len(data) + 1):
        assert walk_blocks(data, 0, len(data), most, walked)
        assert walked[0] == next(end for end in ends if end >= most)


@pytest.mark.needs("root for network namespaces", "ip (iproute2)")
def test_after_a_kill_the_file_is_whole_as_far_as_it_goes(tmp_path: Path) -> None:
    """A recorder killed amid its work: what it had said was written is there, and the rest of the file is whole blocks."""
    program = f"""
import time, pathlib
from capture.packets.live.recorder import Recorder, RecorderOrder
recorder = Recorder(RecorderOrder((b"vb",), pathlib.Path({str(tmp_path)!r}), file_bytes=1 << 19))
recorder.start()
while True:
    found = recorder.snapshot()
    print(found.interfaces[0].state, found.captured, flush=True)
    time.sleep(0.005)
"""
    with veth_pair() as pair:
        child = pair.start(sys.executable, "-c", program, stdout=subprocess.PIPE, cwd=ROOT, env=clean_environment())
        assert child.stdout is not None
        while not child.stdout.readline().startswith(b"up"):
            pass
        with pair.sender("va") as sender:
            for number in range(6000):
                sender.send(frame(number, 60 + number % 1000))
            end = time.monotonic() + SECONDS
            while len(list(tmp_path.glob("live-*.pcapng"))) < 3:  # its threads may have had to wait for a core
                assert time.monotonic() < end
                time.sleep(0.002)
            for number in range(6000, 6200):
                sender.send(frame(number, 60 + number % 1000))
            os.kill(child.pid, signal.SIGKILL)
        told = [int(line.split()[1]) for line in child.stdout.read().splitlines() if line.count(b" ") == 1]
        child.wait()
    paths = sorted(tmp_path.glob("live-*.pcapng"))
    assert len(paths) > 2
    counted = sum(recover(path).packets for path in paths)
    packets = [one.data for path in paths for one in packets_of(path)]
    assert max(told) <= counted == len(packets)
    assert packets == [frame(number, 60 + number % 1000) for number in range(len(packets))]
