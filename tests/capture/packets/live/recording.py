"""A recorder in a namespace of the test's, and what is in the files that it wrote."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from capture.packets.live.recorder import End, InterfaceState, Recorder, RecorderOrder, Snapshot
from capture.packets.sources import open_capture
from tests.netns import Namespace

# A busy machine may let a thread wait for seconds: what is waited for comes, or the test fails late.
SECONDS = 30.0


@dataclass(frozen=True)
class Packet:
    data: bytes
    wire_length: int
    time_ns: int
    interface: str
    linktype: int


class Recording:
    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder

    @property
    def snapshot(self) -> Snapshot:
        return self.recorder.snapshot()

    @property
    def interface(self) -> InterfaceState:
        return self.snapshot.interfaces[0]

    @property
    def paths(self) -> list[Path]:
        return sorted(self.recorder.order.folder.glob("live-*.pcapng"))

    def until(self, is_so: Callable[[Snapshot], bool], seconds: float = SECONDS) -> Snapshot:
        """Waits until a snapshot is so."""
        end = time.monotonic() + seconds
        while not is_so(found := self.snapshot):
            assert time.monotonic() < end, found
            time.sleep(0.005)
        return found

    def until_up(self) -> None:
        self.until(lambda now: all(one.state == "up" for one in now.interfaces))

    def until_ended(self, seconds: float = SECONDS) -> End:
        end = time.monotonic() + seconds
        while (ended := self.recorder.ended) is None:
            assert time.monotonic() < end, self.snapshot
            time.sleep(0.002)
        return ended

    def stop(self) -> End:
        """Ends it."""
        self.recorder.stop()
        ended = self.until_ended()
        check(self.snapshot)
        assert self.recorder.join(SECONDS)
        return ended

    def packets(self) -> list[Packet]:
        """All that the files hold, in their order."""
        found = []
        for path in self.paths:
            found += packets_of(path)
        return found


@contextmanager
def recording(namespace: Namespace, folder: Path, *interfaces: bytes, **options: object) -> Iterator[Recording]:
    """A recorder at work; its interfaces are not waited for."""
    recorder = Recorder(RecorderOrder(interfaces=interfaces or (b"vb",), folder=folder, **options))  # type: ignore[arg-type]
    with namespace.inside():
        recorder.start()
        # Its keeper starts the readers: threads are in the namespace of the thread that starts them.
    try:
        yield Recording(recorder)
    finally:
        recorder.stop()
        assert recorder.join(SECONDS)


@contextmanager
def running(namespace: Namespace, folder: Path, *interfaces: bytes, **options: object) -> Iterator[Recording]:
    """A recorder whose interfaces are all up."""
    with recording(namespace, folder, *interfaces, **options) as made:
        made.until_up()
        yield made


def packets_of(path: Path) -> list[Packet]:
    data = path.read_bytes()
    found = []
    with open_capture(path) as source:
        for batch in source.scan(1 << 16):
            for one in batch.locator:
                start, length = int(one["offset"]), int(one["captured_length"])
                name = source.info.interfaces[int(one["interface"])].name
                found.append(
                    Packet(data[start : start + length], int(one["wire_length"]), int(one["time_ns"]), name, int(one["linktype"]))
                )
        assert source.read_error is None
    return found


def check(snapshot: Snapshot) -> None:
    """The counts add up, and the files are what is told of them."""
    for one in snapshot.interfaces:
        assert one.received == one.captured + one.dropped_kernel + one.unread
        assert min(one.received, one.captured, one.dropped_kernel, one.unread) >= 0
    assert snapshot.captured == sum(one.packets for one in snapshot.files)
    before = snapshot.files[0].packets_before if snapshot.files else 0
    for one in snapshot.files:
        assert one.packets_before == before
        before += one.packets
        if not one.open:
            assert one.path.stat().st_size == one.size
            assert len(packets_of(one.path)) == one.packets


def frame(number: int, length: int = 60, kind: bytes = b"\x88\xb5") -> bytes:
    """An Ethernet frame of `length` bytes, of a protocol for experiments unless `kind` says otherwise: each another."""
    head = b"\x02\0\0\0\0\2\x02\0\0\0\0\1" + kind + number.to_bytes(4, "big")
    return head + bytes((number + i) & 0xFF for i in range(length - len(head)))
