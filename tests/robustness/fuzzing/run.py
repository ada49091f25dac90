"""Inputs of one target, one after the other, in a child process: one that ends it or hangs is a finding like any other."""

from __future__ import annotations

import faulthandler
import mmap
import os
import random
import resource
import signal
import struct
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

from capture.packets import bounded
from capture.packets.fast import warm
from capture.packets.layers import layer_tree
from tests.robustness.fuzzing.targets import Target

HANGS = 20.0  # seconds of a processor: no input of 64 KiB takes so long, and who gets none on a busy machine does not hang
STUCK = 120.0  # seconds by the clock, of who waits for something
MEMORY = 1 << 30
_LONGEST = 16_000  # bytes kept of what an exception says
_HEAD = struct.Struct("<QQ")


@dataclass(frozen=True)
class Finding:
    """target, seed, position: what it follows from. why: what happened."""

    target: str
    seed: int
    position: int
    data: bytes
    why: str


def made(target: Target, seed: int, position: int) -> bytes:
    """An input follows from these three alone."""
    return target.make(random.Random(f"{target.name} {seed} {position}"))


def fuzz(target: Target, seed: int, until: Callable[[int], bool], told: Callable[[Finding], None]) -> int:
    """Tries inputs from position 0 on until `until(how many)`; how many were tried."""
    position = 0
    while not until(position):
        position, finding = _chunk(target, seed, position, until)
        if finding is not None:
            told(finding)
            position += 1
    return position


def _chunk(target: Target, seed: int, first: int, until: Callable[[int], bool]) -> tuple[int, Finding | None]:
    """A child's life: it ends with a finding, or when the time is over. (position that it came to, finding)"""
    board = mmap.mmap(-1, _HEAD.size + _LONGEST)  # position, length of what it says, what it says
    board[: _HEAD.size] = _HEAD.pack(first, 0)
    # What readers and makers of inputs load when they are first used: once, here, and not in each child.
    _load()
    made(target, seed, first)
    child = os.fork()
    if child == 0:
        try:
            _be(target, seed, first, until, board)
        finally:
            os._exit(0)
    seen, since, used = first, time.monotonic(), 0.0
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        position, _ = _HEAD.unpack_from(board)
        if position != seen:
            seen, since, used = position, time.monotonic(), _used(child)
        elif _used(child) - used > HANGS or time.monotonic() - since > STUCK:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return seen, _found(target, seed, seen, f"hangs: more than {HANGS:.0f} s")
        time.sleep(0.02)
    position, length = _HEAD.unpack_from(board)
    if length:
        return position, _found(target, seed, position, board[_HEAD.size : _HEAD.size + length].decode("utf-8", "replace"))
    if until(position):
        return position, None
    return position, _found(target, seed, position, "ended its process")


def _used(child: int) -> float:
    """Seconds of a processor that a child of ours has had; it may have ended, and is not waited for yet."""
    times = psutil.Process(child).cpu_times()
    return float(times.user + times.system)


@cache
def _load() -> None:
    warm.warm()
    layer_tree(bytes(60), 1, 60)


def _found(target: Target, seed: int, position: int, why: str) -> Finding:
    return Finding(target.name, seed, position, made(target, seed, position), why)


def _be(target: Target, seed: int, first: int, until: Callable[[int], bool], board: mmap.mmap) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    faulthandler.disable()
    position = first
    while not until(position):
        board[: _HEAD.size] = _HEAD.pack(position, 0)
        data = made(target, seed, position)
        try:
            with bounded.memory(MEMORY):
                target.run(data)
        except BaseException:
            said = traceback.format_exc()[-_LONGEST // 2 :].encode("utf-8", "replace")[:_LONGEST]
            board[_HEAD.size : _HEAD.size + len(said)] = said
            board[: _HEAD.size] = _HEAD.pack(position, len(said))
            return
        position += 1
    board[: _HEAD.size] = _HEAD.pack(position, 0)


def keep(finding: Finding, folder: Path) -> Path:
    """Writes the input, and beside it what happened; the input's path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{finding.target}-{finding.seed}-{finding.position}"
    path.write_bytes(finding.data)
    path.with_suffix(".txt").write_text(
        f"target {finding.target}, seed {finding.seed}, position {finding.position}\n{finding.why}\n"
    )
    return path
