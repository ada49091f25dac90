"""Ring files that grow are indexed as they grow, and turn: with columns or without, on both backends; generations go whole."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from capture.models import CaptureFile, Job, JobState, LiveCapture, ScanState
from capture.packets.live.recorder import FileState
from capture.services import control, create, live, live_files, turning, work
from capture.services.options import parse_options
from indexing import store
from indexing.models import Batch, BatchState, PacketIndex
from proxy.ask import ask_text
from tests.capture.packets.sources.writing import enhanced, interface, option, section

HEAD = section() + interface(options=option(2, b"wire0") + option(9, b"\x09"))


def packet(number: int) -> bytes:
    """Ethernet, IPv4, UDP from 10.0.x.y, x.y the packet's number."""
    source = bytes([10, 0, number >> 8 & 255, number & 255])
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 28, number & 0xFFFF, 0, 64, 17, 0) + source + bytes([10, 9, 9, 9])
    return bytes.fromhex("020000000002020000000001") + b"\x08\x00" + ip + struct.pack(">HHHH", 9, 9, 8, 0)


class Ring:
    """A live job without its live worker: the test writes its files, and says so in its rows."""

    def __init__(self, index: str, **options: object) -> None:
        self.job = create._make_job("interface", "wire0", parse_options({"index": index, "fields": "picap", **options}), None)
        self.live = live.new(self.job, ["wire0"])
        Job.objects.filter(pk=self.job.pk).update(state=JobState.RUNNING)
        self.sequence = self.packets = self.in_file = self.size = 0

    @property
    def path(self) -> Path:
        return live_files.folder(self.job) / f"live-{self.sequence:06d}.pcapng"

    def begin(self) -> None:
        self.sequence += 1
        self.in_file = 0
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_bytes(HEAD)

    def write(self, count: int, open_: bool = True, torn: bytes = b"") -> None:
        """So many packets more; `torn` lies behind what is said to be whole."""
        with self.path.open("ab") as file:
            for _ in range(count):
                self.packets += 1
                self.in_file += 1
                data = packet(self.packets)
                file.write(enhanced(data, len(data), 1_700_000_000_000_000_000 + self.packets))
            size = file.tell()
            file.write(torn)
        before = self.packets - self.in_file
        live_files.keep(self.job, FileState(self.sequence, self.path, size, self.in_file, before, open_))
        CaptureFile.objects.filter(job=self.job).update(not_before=None)

    def file(self, count: int) -> None:
        """A whole file."""
        self.begin()
        self.write(count)
        work.until_idle()
        self.write(0, open_=False)
        work.until_idle()

    def end(self) -> Job:
        LiveCapture.objects.filter(pk=self.job.pk).update(open=False, ending="stopped")
        Job.objects.filter(pk=self.job.pk).update(state=JobState.STOPPING)
        work.until_idle()
        self.job.refresh_from_db()
        return self.job

    def indexed(self) -> int:
        return int(ask_text(self.job.index, f"Count(Row(job={self.job.pk}))").results[0].count)


def test_a_file_is_indexed_as_it_grows_and_numbered_on(index):
    ring = Ring(index)
    ring.begin()
    for so_far in (3, 8):
        ring.write(so_far - ring.packets, torn=b"\x06\x00\x00\x00\x48\x00")
        work.until_idle()
        assert ring.indexed() == so_far
        assert CaptureFile.objects.get(job=ring.job).scan_state == ScanState.WAITING
        ring.path.write_bytes(ring.path.read_bytes()[: CaptureFile.objects.get(job=ring.job).size])
    ring.write(1, open_=False)
    ring.file(5)
    job = ring.end()
    assert (job.state, job.packets_read, job.packets_indexed, ring.indexed()) == ("stopped", 14, 14, 14)
    found = Batch.objects.filter(job=job.pk, state=BatchState.VISIBLE, packets__gt=0).order_by("first_number")
    numbers = [number for one in found for number in range(one.first_number, one.last_number + 1)]
    assert numbers == list(range(1, 15))
    assert PacketIndex.objects.get(name=index).next_column <= 9 + 65536 + 5, "what the first file reserved came back"


def test_a_ring_turns_with_its_columns_and_generations_go_whole(index, monkeypatch):
    monkeypatch.setattr(turning, "GENERATION_COLUMNS", 40)
    monkeypatch.setattr(turning, "GENERATIONS_SECONDS", 0.0)
    monkeypatch.setattr("indexing.batches.RESERVED", 0)
    ring = Ring(index, ring_files=2)
    other = Ring(index)
    other.file(7)
    for _ in range(8):
        ring.file(20)
    job = ring.end()
    assert ring.indexed() == 40
    assert (job.packets_read, job.packets_indexed, job.gone["indexed"], job.gone["files"]) == (160, 40, 120, 6)
    assert len(list(live_files.folder(job).iterdir())) == 2
    assert not Batch.objects.filter(state=BatchState.HIDDEN).exists()
    top = ask_text(index, f"TopN(netsrc, Row(job={job.pk}))").results[0]
    assert {pair.key for pair in top.pairs} == {f"10.0.0.{number}" for number in range(121, 161)}
    assert other.indexed() == 7, "other jobs keep theirs"
    backend = store.backend()
    if backend.generational:
        used = set(Batch.objects.filter(job=job.pk).values_list("generation", flat=True))
        youngest = 1 + PacketIndex.objects.get(name=index).next_column // 40
        assert set(backend.generations(index)) <= used | {youngest}
        assert 0 not in used
    else:
        assert backend.generations(index) == []


def test_a_file_that_is_gone_gets_no_row_again(index):
    """The live worker says the same twice: it does not know whether Postgres took it down the first time."""
    ring = Ring(index, ring_files=1)
    ring.file(10)
    first = FileState(1, ring.path, ring.path.stat().st_size, 10, 0, False)
    ring.file(10)
    assert not CaptureFile.objects.filter(job=ring.job, sequence=1).exists()
    assert not live_files.keep(ring.job, first)
    assert not CaptureFile.objects.filter(job=ring.job, sequence=1).exists()
    assert ring.end().state == "stopped"


def test_a_ring_that_keeps_the_index(index):
    ring = Ring(index, ring_files=1, ring_keep_index=True)
    for _ in range(3):
        ring.file(10)
    job = ring.end()
    assert ring.indexed() == job.packets_indexed == 30
    assert (job.gone, len(list(live_files.folder(job).iterdir()))) != ({}, 3)
    assert job.gone["files"] == 2


def test_a_file_waits_for_the_index_before_it_goes(index, monkeypatch):
    """Indexing is behind: the ring is longer than ordered, and no packet is lost."""
    ring = Ring(index, ring_files=1)
    with monkeypatch.context() as patched:
        patched.setattr("indexing.batches.claim", lambda busy=None: None)
        for _ in range(3):
            ring.file(10)
        assert CaptureFile.objects.filter(job=ring.job).count() == 3
    work.until_idle()
    job = ring.end()
    assert CaptureFile.objects.filter(job=job).count() == 1
    assert (job.packets_indexed, job.gone["indexed"], job.packets_read) == (10, 20, 30)


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_what_a_killed_worker_left_is_brought_in_order(index, cut):
    ring = Ring(index)
    ring.begin()
    ring.write(5)
    work.until_idle()
    # Written and not said: two whole packets, and a torn one.
    ring.packets += 2
    more = b"".join(enhanced(packet(n), len(packet(n)), 1_700_000_000_000_000_000 + n) for n in (6, 7))
    with ring.path.open("ab") as file:
        file.write(more + enhanced(packet(8), 42)[:cut])
    # And a whole file that has no row: Postgres was away.
    ring.sequence += 1
    ring.path.write_bytes(HEAD + enhanced(packet(8), len(packet(8)), 1_700_000_000_000_000_008))
    LiveCapture.objects.filter(pk=ring.job.pk).update(captured=5, received=9, dropped_kernel=1, lease_until=None)
    Job.objects.filter(pk=ring.job.pk).update(state=JobState.STOPPING)
    assert live.close_orphans()
    work.until_idle()
    ring.job.refresh_from_db()
    row = LiveCapture.objects.get(pk=ring.job.pk)
    assert (ring.job.state, ring.indexed(), row.captured) == ("stopped", 8, 8)
    assert row.received == row.captured + row.dropped_kernel + row.unread
    numbers = Batch.objects.filter(job=ring.job.pk, packets__gt=0).values_list("first_number", "last_number")
    assert sorted(n for first, last in numbers for n in range(first, last + 1)) == list(range(1, 9))


def test_deleting_a_live_job_leaves_nothing(index):
    ring = Ring(index, ring_files=2)
    for _ in range(3):
        ring.file(4)
    ring.end()
    control.delete(ring.job)
    assert ring.indexed() == 0
    work.until_idle()
    assert not ring.job.folder.exists()
    assert not Batch.objects.filter(job=ring.job.pk).exists()
    assert not LiveCapture.objects.filter(pk=ring.job.pk).exists()
