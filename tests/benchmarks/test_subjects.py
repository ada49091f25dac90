"""Every row goes through all packets of its capture."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import pytest
from django.conf import settings

from benchmarks import captures, memory, references, scan, subjects

PACKET = bytes.fromhex("02000000000202000000000108004500001c00010000401100007f0000017f0000010009000900080000")


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "a.pcap"
    records = b"".join(struct.pack("<IIII", n, 0, len(PACKET), len(PACKET)) + PACKET for n in range(300))
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + records)
    return path


def test_batches_are_as_large_as_the_product_s() -> None:
    assert subjects.BATCH_PACKETS == scan.BATCH_PACKETS == settings.BATCH_PACKETS


def test_our_own_rows(capture: Path) -> None:
    assert {subject.name: subject.run() for subject in subjects.ours(capture, capture)} == {
        "scan": 300,
        "scan with a filter": 300,
        "scan, write locators": 300,
        "scan, read packets": 300,
        subjects.PICAP: 300,
        subjects.ALL: 300,
        subjects.WORKER_PICAP: 300,
        subjects.WORKER_ALL: 300,
        subjects.SCAPY: 300,
    }


def test_rows_of_others_run_their_own_programs(capture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    run = references.subprocess.run
    monkeypatch.setattr(
        references.subprocess, "run", lambda command, **options: ran.append(command[0]) or run(command, **options)
    )
    rows, missing = references.references(capture, 300, capture, capture, None)
    assert {row.run() for row in rows} == {300}
    here = [name for name in ("tshark", "capinfos", "tcpdump") if shutil.which(name)]
    assert ran == [name for name in here if name != "tshark"]  # tshark's lines are counted as they come
    assert len(rows) + len(missing) == 6 and "gopacket" in " ".join(missing)


def test_the_head_of_a_capture_is_a_capture(capture: Path, tmp_path: Path) -> None:
    (tmp_path / "heads").mkdir()
    assert (
        scan.scan(captures.head(capture, 120, tmp_path / "heads"))
        == 120
        == captures.packets_of(tmp_path / "heads" / "first-120.pcap")
    )


def test_memory_is_that_of_a_process_of_its_own(capture: Path) -> None:
    figures = memory.measured(capture)
    assert figures["packets"] == 300 and figures["bytes"] == capture.stat().st_size
    assert 0 < figures["before"] <= figures["peak"]
