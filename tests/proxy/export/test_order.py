"""order=capture is the order of columns; order=time that of time, then column, those without a time stamp first."""

from __future__ import annotations

import json

import pytest

from tests.jobs import run_job
from tests.proxy.export.conftest import frames

# Two captures that overlap in time, one of them with packets that are not in order.
CAPTURES = ("pcaps/formats/derived__dpkt__nb6-http__as-pcapng.pcapng", "pcaps/formats/derived__dpkt__nb6-http__nanosecond.pcap")
UNTIMED = "pcaps/formats/pcapngtest__le__basic__test016.pcapng"


@pytest.fixture
def jobs(index, shared):
    return [run_job(shared / name, index=index, bufsize=9) for name in CAPTURES]


def numbers(body: bytes) -> list[tuple[int, int]]:
    return [(said["job"], said["number"]) for said in map(json.loads, body.splitlines())]


def test_by_column(export, index, jobs):
    wanted = [(job.pk, number) for job in jobs for number in range(1, job.packets_indexed + 1)]
    assert numbers(export(index=index, format="jsonl").body) == wanted


@pytest.mark.needs("tshark")
def test_by_time_the_bytes_are_those_of_the_packets(export, index, jobs, shared, tmp_path):
    told = [row for name in CAPTURES for row in frames(shared / name)]
    told.sort(key=lambda row: row[0])  # stable: of one moment, by column
    path = tmp_path / "carved.pcap"
    path.write_bytes(export(index=index, format="pcap", order="time").body)
    got = frames(path)
    assert [row[:3] + row[5:] for row in got] == [row[:3] + row[5:] for row in told]
    pairs = numbers(export(index=index, format="jsonl", order="time").body)
    assert len(pairs) == len(set(pairs)) == len(told)


def test_as_the_packets_list_has_it(client, export, index, jobs, shared):
    run_job(shared / UNTIMED, index=index)
    for order in ("capture", "time"):
        listed = client.get(f"/packets/?index={index}&limit=1000&order={order}").json()["packets"]
        assert [json.loads(line) for line in export(index=index, format="jsonl", order=order).body.splitlines()] == listed


def test_too_many_to_sort(export, index, jobs, monkeypatch):
    monkeypatch.setattr("proxy.export.plan.LARGEST_SORT", 100)
    refused = export(index=index, format="pcap", order="time")
    assert (refused.status, refused.problem["option"]) == (400, "order")
    assert export(index=index, format="pcap").status == 200
