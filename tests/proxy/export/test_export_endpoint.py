"""/packets/export: what it takes, what it refuses, and what it says of packets that are not there any more."""

from __future__ import annotations

import pytest
from django.test import Client

from capture.models import CaptureFile
from capture.services import control
from proxy.export import stream
from proxy.export.errors import ExportBroken
from tests.jobs import run_job
from tests.proxy.export.conftest import capinfos

CAPTURE = "pcaps/protocols/dpkt__nb6-http.pcap"
OTHER = "pcaps/linktypes/suricata__decode-sll2-01.pcap"
FORMATS = ("pcap", "pcapng", "csv", "jsonl", "parquet")


@pytest.fixture
def job(data, shared):
    return run_job(shared / CAPTURE, bufsize=10)


@pytest.mark.parametrize(
    ("query", "option"),
    [
        ({"format": "pdf"}, "format"),
        ({"order": "size"}, "order"),
        ({"gone": "yes"}, "gone"),
        ({"format": ""}, "format"),
        ({"order": ""}, "order"),
        ({"gone": ""}, "gone"),
        ({"format": "pcap", "fields": "netsrc"}, "fields"),
        ({"format": "csv", "fields": "netscr"}, "fields"),
        ({"lang": "sql"}, "lang"),
        ({"job": "x"}, "job"),
        ({"from": "yesterday"}, "from"),
    ],
)
def test_a_bad_parameter_is_named(export, job, query, option):
    refused = export(**query)
    assert (refused.status, refused.problem["option"]) == (400, option)


def test_a_bad_query_says_where(export, job):
    refused = export(format="pcap", q="ip.scr == 10.0.0.1")
    assert (refused.status, refused.problem["position"]) == (400, 0)


def test_what_is_not_there_is_a_404(export, job):
    assert export(index="nosuch").status == export(job=999999).status == 404


@pytest.mark.parametrize("form", FORMATS)
def test_the_head_of_an_answer(export, job, form):
    headers = export(format=form, job=job.pk, q="tcp").headers
    number = int(headers["Picapweb-Packets"])
    assert 0 < number < job.packets_indexed
    assert headers["Content-Disposition"] == f'attachment; filename="net-job-{job.pk}-{number}-packets.{form}"'
    assert ("Content-Length" in headers) == form.startswith("pcap")
    assert headers["Picapweb-Packets-Gone"] == "0"


def test_without_a_format_it_is_pcapng(export, job):
    assert export().headers["Content-Type"] == "application/x-pcapng"


@pytest.mark.parametrize("form", ["pcap", "pcapng"])
def test_nothing_found_is_a_whole_file_without_packets(export, data, tmp_path, form):
    path = tmp_path / f"nothing.{form}"
    path.write_bytes(export(format=form, q="tcp").body)
    assert capinfos(path)["Number of packets"] == "0"


def test_link_types_that_differ_are_pcapngs(export, job, shared):
    run_job(shared / OTHER)
    refused = export(format="pcap")
    assert (refused.status, refused.problem["option"]) == (400, "format")
    assert "2 link types (EN10MB, LINUX_SLL2)" in refused.problem["detail"]
    assert "format=pcapng" in refused.problem["detail"]
    assert export(format="pcapng").status == export(format="pcap", job=job.pk).status == 200


def test_a_long_query_by_post(client, export, job):
    answer = client.post("/packets/export", {"q": "tcp", "format": "pcapng"})
    assert b"".join(answer.streaming_content) == export(q="tcp", format="pcapng").body
    assert client.post("/packets/export", b"tcp", content_type="text/plain").status_code == 415


def test_a_browser_gets_the_file_and_errors_as_a_page(data, job):
    browser = Client(headers={"host": "localhost", "accept": "text/html,*/*;q=0.8"})
    assert browser.get("/packets/export?format=pcap")["Content-Type"] == "application/vnd.tcpdump.pcap"
    assert browser.get("/packets/export?format=pdf")["Content-Type"].startswith("text/html")


def test_bytes_that_are_gone_are_a_410_before_the_first_byte(export, job, shared, tmp_path):
    kept = run_job(shared / OTHER)
    CaptureFile.objects.get(job=job).file.unlink()
    for form in ("pcap", "pcapng"):
        refused = export(format=form)
        assert refused.status == 410
        assert (refused.problem["gone"], refused.problem["packets"]) == (job.packets_indexed, kept.packets_indexed)
        assert f"{job.packets_indexed} packets of job {job.pk}" in refused.problem["detail"]
    rest = export(format="pcapng", gone="skip")
    assert rest.headers["Picapweb-Packets-Gone"] == str(job.packets_indexed)
    path = tmp_path / "rest.pcapng"
    path.write_bytes(rest.body)
    assert int(capinfos(path)["Number of packets"]) == kept.packets_indexed
    assert f"left out, for their bytes are gone: {job.packets_indexed} packets of job {job.pk}".encode() in rest.body
    # A table needs no bytes.
    assert export(format="csv").headers["Picapweb-Packets"] == str(job.packets_indexed + kept.packets_indexed)


def test_a_capture_that_was_cut_lacks_its_last_packets(export, job):
    file = CaptureFile.objects.get(job=job).file
    size = file.stat().st_size
    with file.open("r+b") as opened:
        opened.truncate(size - 1)
    assert export(format="pcap").problem["gone"] == 1
    assert len(export(format="pcap", gone="skip").body) < size


def take(answer, got: bytearray) -> None:
    for piece in answer.streaming_content:
        got += piece


def test_a_job_that_is_deleted_after_the_head_is_not_seen_as_a_whole_file(client, job):
    announced = {form: client.get(f"/packets/export?format={form}") for form in FORMATS}
    control.delete(job)
    CaptureFile.objects.get(job=job).file.unlink()
    for form, answer in announced.items():
        got = bytearray()
        with pytest.raises(ExportBroken):
            take(answer, got)
        if "Content-Length" in answer:
            assert len(got) < int(answer["Content-Length"])
        elif form != "parquet":
            assert b"this export broke off" in got
            assert not got.endswith(b"\n")
        answer.close()


def test_only_so_many_at_once(client, job, monkeypatch):
    monkeypatch.setattr(stream, "_room", stream.threading.BoundedSemaphore(1))
    first = client.get("/packets/export")
    refused = client.get("/packets/export")
    assert refused.status_code == 503
    assert client.head("/packets/export").status_code == 200
    first.close()
    second = client.get("/packets/export")
    assert second.status_code == 200
    second.close()


def test_a_query_over_its_limits_is_ended(export, job, settings):
    settings.QUERY_MEMORY = 8
    assert export(format="pcap").status == 413
