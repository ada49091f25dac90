"""A process that dissects ranges of a batch, one after the other, and says what came of each. It may die or hang: its parent
sees which, and at what. It touches nothing but the stored capture: no database, no index.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import resource
import select
import signal
import struct
import time
from collections.abc import Callable, Sequence
from typing import Any

from capture.packets import bounded
from capture.packets.alone.parcel import pack, unpack
from capture.packets.errors import PacketsError

FOUND, FAILED, UNREADABLE = b"F", b"X", b"U"
_HEAD = struct.Struct("<cQ")
_PIECE = 1 << 20
_PR_SET_PDEATHSIG = 1

# A range of positions in the batch: from, to (not included).
Range = tuple[int, int]


class Died(Exception):
    """The child ended, hung, or could not do the range: the text says which, for the user."""


class Unreadable(PacketsError):
    """The stored capture cannot be read: that is no packet's fault."""


class Child:
    """A context manager; `answers` are taken in the order of the ranges.

    What another kind of work has instead of a batch: the settings that bound it, and how its results become bytes and back."""

    SECONDS, MEMORY = "PICAPWEB_BATCH_SECONDS", "PICAPWEB_BATCH_MEMORY"
    packed: Callable[[Any], bytes] = staticmethod(pack)
    unpacked: Callable[[bytes], Any] = staticmethod(unpack)

    def __init__(self, ranges: Sequence[Range], work: Callable[[Range], Any], memory: int) -> None:
        self._ranges, self._work, self._memory = ranges, work, memory
        self._pid = 0
        self._ended: int | None = None
        self._read = -1

    def __enter__(self) -> Child:
        self._read, write = os.pipe()
        parent = os.getpid()
        self._pid = os.fork()
        if self._pid == 0:
            try:
                os.close(self._read)
                self._be(write, parent)
            finally:
                os._exit(0)
        os.close(write)
        return self

    def __exit__(self, *_: object) -> None:
        if self._ended is None:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        os.close(self._read)

    def answer(self, seconds: float, wanted: Callable[[], bool]) -> Any:
        """Of the next range. Raises Died; Unreadable; TimeoutError if it is not wanted any more."""
        until = time.monotonic() + seconds
        kind, size = _HEAD.unpack(self._receive(_HEAD.size, until, seconds, wanted))
        said = self._receive(size, until, seconds, wanted)
        if kind == UNREADABLE:
            raise Unreadable(said.decode())
        if kind == FAILED:
            raise Died(said.decode())
        try:
            return self.unpacked(said)
        except (ValueError, OSError, KeyError) as error:
            raise Died(f"its dissector left {type(error).__name__}: {error}") from None

    def _receive(self, size: int, until: float, seconds: float, wanted: Callable[[], bool]) -> bytes:
        got = bytearray()
        while len(got) < size:
            left = until - time.monotonic()
            # Asked even when the time is over: who was stopped itself finds here what came meanwhile.
            if not select.select([self._read], [], [], max(0.0, min(left, 0.5)))[0]:
                if not wanted():
                    raise TimeoutError
                if left <= 0:
                    raise Died(f"its dissector was not done after {seconds:.3g} s ({self.SECONDS})")
                continue
            piece = os.read(self._read, min(_PIECE, size - len(got)))
            if not piece:
                raise Died(self._how_it_ended())
            got += piece
        return bytes(got)

    def _how_it_ended(self) -> str:
        _, status = os.waitpid(self._pid, 0)
        self._ended = code = os.waitstatus_to_exitcode(status)
        if code >= 0:
            return f"its dissector's process ended (exit code {code})"
        return f"its dissector's process was ended by {signal.Signals(-code).name}"

    def _be(self, write: int, parent: int) -> None:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            return
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, 0)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        faulthandler.disable()
        for one in self._ranges:
            try:
                with bounded.memory(self._memory):
                    kind, said = FOUND, self.packed(self._work(one))
            except (PacketsError, OSError) as error:
                kind, said = UNREADABLE, str(error).encode("utf-8", "replace")
            except MemoryError:
                setting = f" ({self.MEMORY})" if self.MEMORY else ""
                kind, said = FAILED, f"its dissector needed more than {self._memory:,} bytes{setting}".encode()
            except BaseException as error:
                kind, said = FAILED, f"its dissector failed: {type(error).__name__}: {error}".encode("utf-8", "replace")
            _send(write, _HEAD.pack(kind, len(said)) + said)


def _send(write: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(write, view) :]
