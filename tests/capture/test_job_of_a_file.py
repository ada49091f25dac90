"""A capture file goes in; every packet of it is accounted for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from capture.models import JobState
from capture.services.describe import job_json
from indexing import batches
from tests.jobs import run_job

FILES = [
    "protocols/dpkt__nb6-http.pcap",
    "formats/derived__dpkt__nb6-http.pcap.gz",
    "formats/zeek__pcapng-multi-interface.pcapng",
]


def truth(shared: Path, name: str) -> dict:
    return json.loads((shared / "pcaps" / "truth" / f"{name}.json").read_text())


@pytest.mark.parametrize("name", FILES)
def test_every_packet_is_indexed(data, shared, name):
    job = run_job(shared / "pcaps" / name, bufsize=7)
    said, told = job_json(job), truth(shared, name)
    assert job.state == JobState.DONE
    assert said["packets"]["read"] == said["packets"]["indexed"] == told["packets"]
    assert said["bytes"] == {"captured": told["frame_cap_len_sum"], "wire": told["frame_len_sum"]}
    assert sum(last - first + 1 for first, last in said["columns"]) == told["packets"]
    assert said["progress"]["fraction"] == 1.0
    assert said["capture"]["read_error"] is None


def test_what_the_filter_drops_is_counted_and_gets_no_column(data, shared):
    told = json.loads((shared / "pcaps/truth/bpf.json").read_text())["files"]["protocols/zeek__wikipedia.pcap"]
    job = run_job(shared / "pcaps/protocols/zeek__wikipedia.pcap", filter="tcp", bufsize=5)
    said = job_json(job)["packets"]
    assert said["indexed"] == told["tcp"]
    assert said["read"] == told[""]
    assert said["filtered_out"] == told[""] - told["tcp"]
    assert batches.column_ranges(job.pk) == [[0, told["tcp"] - 1]]


def test_a_filter_that_nothing_passes_gives_a_done_job_without_columns(data, shared):
    job = run_job(shared / "pcaps/protocols/dpkt__nb6-http.pcap", filter="port 1")
    assert job.state == JobState.DONE
    assert job_json(job)["columns"] == []
    assert job.packets_filtered_out == job.packets_read > 0


def test_a_capture_without_packets_is_done(data, shared):
    job = run_job(shared / "pcaps/formats/arkime__empty.pcap")
    assert job.state == JobState.DONE
    assert job.packets_read == 0


@pytest.mark.parametrize("name", ["cut-in-record-header", "cut-in-record", "garbage-tail", "huge-length", "gzip-cut.pcap.gz"])
def test_a_file_that_breaks_off_is_done_and_says_where(data, shared, name):
    name = f"malformed/derived__dpkt__nb6-http__{name}" + ("" if name.endswith("gz") else ".pcap")
    job = run_job(shared / "pcaps" / name)
    said = job_json(job)
    assert job.state == JobState.DONE
    assert said["packets"]["indexed"] == said["packets"]["read"] == truth(shared, name)["packets"]
    assert said["capture"]["read_error"]


def test_max_packets_ends_the_scan(data, shared):
    job = run_job(shared / "pcaps/protocols/zeek__wikipedia.pcap", filter="tcp", max_packets=11, bufsize=4)
    said = job_json(job)["packets"]
    assert job.state == JobState.DONE
    assert said["indexed"] == 11
    assert said["read"] == said["indexed"] + said["filtered_out"]


def test_two_jobs_have_columns_of_their_own(data, shared):
    first = run_job(shared / "pcaps/protocols/dpkt__nb6-http.pcap")
    second = run_job(shared / "pcaps/protocols/dpkt__dns_icmp.pcap")
    assert batches.column_ranges(second.pk)[0][0] == batches.column_ranges(first.pk)[-1][1] + 1
