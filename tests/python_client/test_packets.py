"""Counts, pages of packets, one packet, fields; as tables, with exact times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pandas as pd
import pyarrow as pa
import pytest

from picapweb_client import Client, Job, NotFound
from tests.python_client.made import FIRST_NS, SERVER, STEP_NS, packets_made


def test_counts_in_both_languages(client: Client, job: Job):
    assert client.count(jobs=job) == 40
    assert client.count("udp.dstport == 53", jobs=job.id) == 10
    assert client.count('Row(transdst="443")', jobs=[job]) == 30
    about = client.about("udp.dstport == 53", jobs=job)
    assert (about.lang, about.count) == ("display", 10)
    assert about.bytes == sum(len(one) for one in packets_made()[::4])
    assert about.pql and client.count(about.pql, lang="pql") == 10
    with pytest.raises(ValueError, match="empty"):
        client.count(jobs=[])
    with pytest.raises(TypeError, match="there is no keyword 'job'"):
        client.count(job=job)  # type: ignore[call-arg]


def test_times_are_exact_whatever_their_type(client: Client, job: Job):
    # The eleventh packet on (inclusive), up to the twenty-first (exclusive)
    low, high = FIRST_NS + 10 * STEP_NS, FIRST_NS + 20 * STEP_NS
    assert client.count(start=low, end=high, jobs=job) == 10
    assert client.count(start=low + 1, end=high + 1, jobs=job) == 10
    assert client.count(start=low + 1, end=high, jobs=job) == 9
    assert client.count(start=pd.Timestamp(low, tz="Asia/Tokyo"), end=pd.Timestamp(high, tz="UTC"), jobs=job) == 10
    east = timezone(timedelta(hours=5, minutes=30))
    assert client.count(start=datetime(2026, 1, 2, 8, 34, 5, tzinfo=east), jobs=job) == 40
    assert client.count(start=datetime(2026, 1, 2, 3, 4, 5, 1, tzinfo=UTC), jobs=job) == 39
    with pytest.raises(ValueError, match="no time zone"):
        client.count(start=datetime(2026, 1, 2), jobs=job)


def test_packets_come_over_all_pages(client: Client, job: Job):
    found = list(client.packets(jobs=job, fields=["netsrc", "transsrc", "tcp"], page_size=7))
    made = packets_made()
    assert [one.number for one in found] == list(range(1, 41))
    assert [one.time_ns for one in found] == [FIRST_NS + i * STEP_NS for i in range(40)]
    assert [one.length for one in found] == [len(one) for one in made]
    assert [one.fields["netsrc"] for one in found] == [(one["IP"].src,) for one in made]
    assert [one.fields["transsrc"] for one in found] == [(str(one.payload.payload.sport),) for one in made]
    assert [one.fields.get("tcp") for one in found[:3]] == [None, ("SYN",), ("SYN",)]
    assert found[0].time == datetime(2026, 1, 2, 3, 4, 5, 0, UTC)
    assert found == list(client.packets(jobs=job, fields=["netsrc", "transsrc", "tcp"]))


@pytest.mark.parametrize("limit", [0, 1, 7, 14, 15, 40, 100])
def test_a_limit_is_kept_over_pages(client: Client, job: Job, limit: int):
    found = client.packets(jobs=job, fields=["ttl"], page_size=7, limit=limit)
    assert [one.number for one in found] == list(range(1, min(limit, 40) + 1))
    assert found.about().count == 40


def test_a_query_too_long_for_a_url(client: Client, job: Job):
    q = " || ".join(f"ip.src == 10.9.{i}.1" for i in range(256)) + " || udp"
    assert len(q) > 4000
    assert client.count(q, jobs=job) == 10
    assert [one.number for one in client.packets(q, jobs=job, page_size=3)] == list(range(1, 41, 4))


def test_a_data_frame_of_packets(client: Client, job: Job):
    found = client.packets(jobs=job, fields=["netsrc", "dns-qname"])
    frame = found.to_pandas()
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == {
        "column": "int64",
        "job": "int64",
        "number": "int64",
        "time": "datetime64[ns, UTC]",
        "length": "int64",
        "captured_length": "int64",
        "netsrc": "object",
        "dns-qname": "object",
    }
    assert frame["time"].astype("int64").tolist() == [FIRST_NS + i * STEP_NS for i in range(40)]
    assert frame["netsrc"][3] == ("10.0.0.4",) and frame["dns-qname"][3] == ()
    first = found.to_pandas(values="first")
    assert str(first["netsrc"].dtype) == "string"
    assert first["dns-qname"].isna().sum() == 30
    assert first.groupby("netsrc").size().to_dict() == {f"10.0.0.{i + 1}": 4 for i in range(10)}
    assert found.to_pandas(values="joined")["netsrc"].tolist() == first["netsrc"].tolist()
    assert len(client.packets("ip.src == 203.0.113.1", jobs=job, fields=["netsrc"]).to_pandas()) == 0


def test_an_arrow_table_of_packets(client: Client, job: Job):
    table = client.packets(jobs=job, fields=["netsrc", "dns-qname"]).to_arrow()
    assert table.schema.field("time").type == pa.timestamp("ns", "UTC")
    assert table.schema.field("column").type == pa.int64()
    assert table.schema.field("netsrc").type == pa.list_(pa.string())
    assert table["time"].cast(pa.int64()).to_pylist() == [FIRST_NS + i * STEP_NS for i in range(40)]
    assert table["dns-qname"].to_pylist()[:2] == [["host0.example"], []]


def test_one_packet_with_its_bytes(client: Client, job: Job):
    packet = client.numbered_packet(job.id, 5)
    assert packet.data == bytes(packets_made()[4])
    assert packet.values["dns-qname"] == ("host1.example",)
    assert [layer["name"] for layer in packet.layers]
    assert (packet.number, packet.time_ns, packet.index) == (5, FIRST_NS + 4 * STEP_NS, "net")
    assert client.packet(packet.column) == packet
    assert packet.next is not None and client.packet(packet.next).number == 6
    with pytest.raises(NotFound):
        client.packet(10**15)


def test_tops(client: Client, job: Job):
    top = client.top("netdst", "dns", jobs=job)
    assert [(one.value, one.count) for one in top.values] == [(SERVER, 10)]
    assert (top.field, top.distinct, top.exact, top.lang) == ("netdst", 1, True, "display")
    frame = client.top("transdst", jobs=job, n=1).to_pandas()
    assert frame[["value", "count"]].to_dict("records") == [{"value": "443", "count": 30}]
    assert [one.value for one in client.top("transdst", jobs=job, order="rare", n=1).values] == ["53"]
    assert {one.value for one in client.top("netsrc", jobs=job, prefix="10.0.0.1").values} == {"10.0.0.1", "10.0.0.10"}


def test_fields_and_interfaces(client: Client, job: Job):
    fields = {one.name: one for one in client.fields()}
    assert (fields["netsrc"].kind, fields["length"].kind, fields["length"].values) == ("set", "int", None)
    assert fields["transdst"].raw["wireshark"]
    assert all(one.name and (one.capturable or one.why_not) for one in client.interfaces())
