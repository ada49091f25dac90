"""Damaged packets through a whole job: each is indexed, none fails."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from capture.models import JobState
from capture.services.describe import job_json
from tests.jobs import run_job
from tests.robustness.mutations import mutations
from tests.robustness.packets import corpus_packets


@pytest.mark.needs("../shared")
def test_no_damaged_packet_fails_and_all_are_indexed(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "damaged.pcap"
    packets = [packet for packet in mutations(11, 800, corpus_packets()) if packet.linktype == 1]
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for second, packet in enumerate(packets):
            file.write(struct.pack("<IIII", second, 0, len(packet.data), max(packet.wire, len(packet.data))) + packet.data)
    job = run_job(path, bufsize=100, fields=["all"])
    said = job_json(job)["packets"]
    assert job.state == JobState.DONE, job.error
    assert said["read"] == said["indexed"] == len(packets) > 400
    assert said["failed"] == said["filtered_out"] == 0
    assert said["undecodable"] > 0


@pytest.mark.needs("../shared")
def test_a_filter_over_damaged_packets_accounts_for_all(data: Path, shared: Path) -> None:
    for name in ("ndpi__fuzz-2006-09-29-28586.pcap", "derived__dpkt__nb6-http__garbage-tail.pcap"):
        said = job_json(run_job(shared / "pcaps" / "malformed" / name, filter="tcp", bufsize=9))["packets"]
        assert said["read"] == said["indexed"] + said["filtered_out"] and said["filtered_out"] > 0 and said["failed"] == 0
