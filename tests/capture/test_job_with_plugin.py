"""A job with fields of a package: indexed and asked like others; what could not be had is said on the job, nothing else fails."""

from __future__ import annotations

import numpy as np
import pytest
from django.test import Client

from capture.models import Job, JobState
from capture.packets import dissect as door
from capture.packets import registry
from capture.packets.columns import IntValues, SetValues
from capture.packets.fields import Field
from capture.packets.plugins import Plugin
from capture.services import work
from indexing.calls import CountResult, PairsResult
from indexing.models import Batch
from proxy.ask import ask_text
from tests.jobs import order_job, run_job

CAPTURE = "pcaps/protocols/dpkt__nb6-http.pcap"
PARITY = Field("parity", "text", "Whether the length is even.", 'Row(parity="even")', level="packet", plugin="picapweb-parity")
HALF = Field(
    "half", "int", "Half the length.", "Row(half > 5)", level="packet", minimum=0, maximum=1 << 20, plugin="picapweb-parity"
)


@pytest.fixture
def install(monkeypatch):
    """Makes the process one in which a package brings PARITY and HALF by the given function."""

    def make(values) -> None:
        plugin = Plugin("picapweb-parity", {field.name: field for field in (PARITY, HALF)}, values)
        monkeypatch.setattr(door, "PLUGINS", [plugin])
        for field in plugin.fields.values():
            monkeypatch.setitem(registry.FIELDS, field.name, field)
        monkeypatch.setitem(registry.PRESETS, "all", tuple(registry.FIELDS))

    return make


def parity(batch, fields):
    every = np.arange(len(batch), dtype=np.uint32)
    length = batch.locator["wire_length"].astype(np.int64)
    code = (length & 1).astype(np.uint32)
    found = {"half": IntValues(every, length // 2)}
    values = [name for bit, name in enumerate((b"even", b"odd")) if (code == bit).any()]
    found["parity"] = SetValues(every, code if len(values) == 2 else np.zeros(len(batch), np.uint32), values)
    return {name: column for name, column in found.items() if name in fields}


def test_its_fields_are_asked_in_values_on_both_backends(index, shared, install):
    install(parity)
    job = run_job(shared / CAPTURE, index=index, bufsize="7")
    assert (job.state, job.not_indexed) == (JobState.DONE, {})
    assert {"parity", "half"} <= set(job.fields)
    by_length, tops, halves = ask_text(index, "TopN(parity) TopN(parity) Sum(field=half)").results
    assert by_length == tops and isinstance(tops, PairsResult)
    lengths = [int(one) for one in np.concatenate([_lengths(batch) for batch in Batch.objects.filter(job=job.pk)])]
    told = {"even": sum(n % 2 == 0 for n in lengths), "odd": sum(n % 2 for n in lengths)}
    assert {pair.key: pair.count for pair in tops.pairs} == told
    assert halves.value == sum(n // 2 for n in lengths)


def _lengths(batch: Batch):
    from indexing.pipeline import read

    return read(batch).locator["wire_length"]


def test_what_it_could_not_do_is_on_the_job_and_the_packets_are_indexed_all_the_same(index, shared, install):
    calls = []

    def values(batch, fields):
        calls.append(len(batch))
        if len(calls) == 2:
            raise RuntimeError("out\0of paint \ud800")
        return parity(batch, fields)

    install(values)
    job = run_job(shared / CAPTURE, index=index, bufsize="10", fields="picap,parity")
    assert (job.state, job.packets_failed) == (JobState.DONE, 0)
    assert list(job.not_indexed) == ["parity"]
    assert job.not_indexed["parity"]["packets"] == 10
    assert "picapweb-parity" in job.not_indexed["parity"]["reason"] and "out\\x00of paint" in job.not_indexed["parity"]["reason"]
    counted = ask_text(index, 'Count(Row(netproto="IPv4")) Count(Union(Row(parity="even"), Row(parity="odd")))').results
    assert isinstance(counted[1], CountResult) and counted[1].count == job.packets_indexed - 10

    client = Client(headers={"host": "localhost"})
    (said,) = client.get(f"/jobs/{job.pk}/").json()["not_indexed"]
    assert said == {"field": "parity", **job.not_indexed["parity"]}
    page = client.get(f"/jobs/{job.pk}/", headers={"accept": "text/html"}).content.decode()
    assert "Not indexed:" in page and "out\\x00of paint" in page and "in 10 packets" in page


def test_a_job_outlives_the_package(data, shared, install, monkeypatch):
    install(parity)
    job = order_job(shared / CAPTURE)
    monkeypatch.setattr(door, "PLUGINS", [])
    for name in ("parity", "half"):
        monkeypatch.delitem(registry.FIELDS, name)
    work.until_idle()
    job = Job.objects.get(pk=job.pk)
    assert job.state == JobState.DONE
    assert set(job.not_indexed) == {"parity", "half"}
    assert job.not_indexed["half"]["packets"] == job.packets_indexed
    assert "no installed package" in job.not_indexed["half"]["reason"]


def test_packets_that_went_to_scapy_are_counted(data, shared, monkeypatch):
    """Counted by batch, summed in the job: also when the job's counters are made anew from its batches."""
    fast = door.DISSECTORS["fast"]

    def handing_over(batch, fields):
        found = fast(batch, fields)
        found.handed_over = len(batch) - 1
        return found

    monkeypatch.setitem(door.DISSECTORS, "fast", handing_over)
    job = run_job(shared / CAPTURE, bufsize="10", fields="picap")
    batches = Batch.objects.filter(job=job.pk).count()
    assert batches > 2
    assert job.packets_handed_over == job.packets_indexed - batches
    client = Client(headers={"host": "localhost"})
    assert client.get(f"/jobs/{job.pk}/").json()["packets"]["handed_over"] == job.packets_handed_over
    page = client.get(f"/jobs/{job.pk}/", headers={"accept": "text/html"}).content.decode()
    assert "handed to scapy" in page


@pytest.mark.parametrize(("capture", "some"), [(CAPTURE, False), ("pcaps/linktypes/arkime__nflog.pcap", True)])
def test_only_link_types_that_fast_does_not_read_go_to_scapy(data, shared, capture, some):
    job = run_job(shared / capture)
    assert job.state == JobState.DONE, job.error
    assert job.packets_handed_over == (job.packets_indexed if some else 0)
    assert job.dissector == "fast"
