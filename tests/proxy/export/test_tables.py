"""CSV, JSON lines and Parquet have what /packets/ says of each packet."""

from __future__ import annotations

import csv
import io
import json

import pyarrow.parquet as pq
import pytest

from capture.packets.registry import FIELDS
from capture.packets.values import row_of_text
from proxy.export import table
from tests.jobs import run_job

CAPTURE = "pcaps/protocols/zeek__wikipedia.pcap"
NUMBERS = "tcp-rtt-us,dns-rtt-us,tcp-payload-length"
NAMES = f"netsrc,tcp,transdst,time-minute,http-useragent,dns-qname,tls-alpn,linktype,length,job,{NUMBERS}"


@pytest.fixture
def job(index, shared, monkeypatch):
    monkeypatch.setattr(table, "BLOCK", 50)
    monkeypatch.setattr(table, "MASKED_BLOCK", 70)
    return run_job(shared / CAPTURE, index=index, bufsize=40)


@pytest.fixture
def listed(client, index, job):
    packets = client.get(f"/packets/?index={index}&limit=1000&fields={NAMES}").json()["packets"]
    assert len(packets) == job.packets_indexed
    return packets


def test_json_lines(export, index, listed):
    lines = export(index=index, format="jsonl", fields=NAMES).body.split(b"\n")
    assert lines.pop() == b""
    assert [json.loads(line) for line in lines] == listed


def test_csv(export, index, listed):
    text = export(index=index, format="csv", fields=NAMES).body.decode()
    head, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    names = [name for name in NAMES.split(",") if name not in ("length", "job")]
    assert head == ["column", "job", "number", "time", "length", "captured_length", *names]
    assert text.count("\r\n") == len(rows) + 1
    for row, packet in zip(rows, listed, strict=True):
        base = [packet[name] for name in head[:6]]
        assert row[:6] == [str(value) for value in base]
        assert row[6:] == ["|".join(packet["fields"].get(name, [])) for name in names]
    assert any("|" in cell for row in rows for cell in row[6:])  # packets with several values were among them


def test_parquet(export, index, listed):
    found = pq.read_table(io.BytesIO(export(index=index, format="parquet", fields=NAMES).body))
    typed = ("time", "tcp", "transdst", "tcp-rtt-us", "time-minute", "length")
    assert {name: str(found.schema.field(name).type) for name in typed} == {
        "time": "timestamp[ns, tz=UTC]",
        "tcp": "list<element: string>",
        "transdst": "list<element: int64>",
        "tcp-rtt-us": "list<element: int64>",
        "time-minute": "list<element: timestamp[ms, tz=UTC]>",
        "length": "int64",
    }
    times = found["time"].cast("int64").to_pylist()
    for i, (row, packet) in enumerate(zip(found.drop(["time"]).to_pylist(), listed, strict=True)):
        assert times[i] == int(packet["time_ns"])
        for name in ("column", "job", "number", "length", "captured_length"):
            assert row[name] == packet[name]
        for name in ("netsrc", "tcp", "http-useragent", "dns-qname", "tls-alpn"):
            assert row[name] == packet["fields"].get(name, [])
        for name in ("transdst", *NUMBERS.split(",")):
            assert [str(number) for number in row[name]] == packet["fields"].get(name, [])
        minutes = [row_of_text(FIELDS["time-minute"], text) * 60 for text in packet["fields"]["time-minute"]]
        assert [int(time.timestamp()) for time in row["time-minute"]] == minutes


def test_the_usual_fields_are_those_of_the_table(client, export, index, job):
    listed = client.get(f"/packets/?index={index}&limit=1000").json()["packets"]
    assert [json.loads(line) for line in export(index=index, format="jsonl").body.splitlines()] == listed


def test_all_fields(client, export, index, job):
    names = [name for name in FIELDS if name != "captured-length"]
    listed = client.get(f"/packets/?index={index}&limit=20&fields={','.join(names)}").json()["packets"]
    found = [json.loads(line) for line in export(index=index, format="jsonl", fields="all").body.splitlines()[:20]]
    lengths = [packet["fields"].pop("captured-length") for packet in found]
    assert lengths == [[str(packet["captured_length"])] for packet in listed]
    assert found == listed


def test_packets_without_a_time_stamp(export, index, shared):
    run_job(shared / "pcaps/formats/pcapngtest__le__basic__test016.pcapng", index=index)
    lines = [json.loads(line) for line in export(index=index, format="jsonl").body.splitlines()]
    untimed = [line["time"] is None for line in lines]
    assert any(untimed)
    assert [line["time_ns"] is None for line in lines] == untimed
    rows = list(csv.DictReader(io.StringIO(export(index=index, format="csv").body.decode(), newline="")))
    assert [row["time"] == "" for row in rows] == untimed
    found = pq.read_table(io.BytesIO(export(index=index, format="parquet").body))
    assert [time is None for time in found["time"].to_pylist()] == untimed
