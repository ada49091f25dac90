"""Uploads of every kind, waiting, known captures, what can be done with a job, and what goes wrong."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import pytest

from picapweb_client import Client, Conflict, Job, JobFailed, NotFound, PicapwebError, WaitTimeout
from picapweb_client.waiting import events, lines
from tests.python_client.made import FIRST_NS, packets_made, written


def test_an_upload_is_a_job_with_exact_counts(job: Job, capture: Path):
    assert (job.state, job.kind, job.name, job.index, job.tags) == ("done", "file", "made.pcap", "net", ("made", "small"))
    assert (job.packets.read, job.packets.indexed, job.packets.failed) == (40, 40, 0)
    assert job.capture is not None
    assert (job.capture.format, job.capture.size, job.capture.linktypes) == ("pcap", capture.stat().st_size, ("EN10MB",))
    assert job.capture.first_time is not None and job.capture.first_time.timestamp() == FIRST_NS // 1000 / 1e6
    assert job.created is not None and job.finished is not None and job.created < job.finished
    assert sum(last - first + 1 for first, last in job.columns) == 40
    assert job.ended and job.progress.fraction == 1.0
    assert job == job.refresh() and hash(job) == hash(job.refresh())


def test_a_known_capture_is_a_conflict_with_its_job(client: Client, job: Job, capture: Path):
    with pytest.raises(Conflict) as conflict:
        client.upload(capture)
    assert conflict.value.status == 409
    assert conflict.value.job == job
    assert client.upload(capture, known="use") == job
    again = client.upload(capture, known="again", wait=180, name="again")
    assert (again.id > job.id, again.name, again.packets.indexed) == (True, "again", 40)
    again.delete()
    with pytest.raises(NotFound) as gone:
        again.refresh()
    assert gone.value.status == 404 and str(again.id) in gone.value.detail


def test_bytes_files_and_pipes_are_uploaded_too(client: Client, tmp_path: Path):
    data = written(packets_made(3), tmp_path / "three.pcap").read_bytes()
    of_bytes = client.upload(data, name="bytes", wait=180)
    skipped = io.BytesIO(b"behind the first byte" + data)
    skipped.seek(21)
    of_file = client.upload(skipped, name="file", known="again", wait=180)
    reads, writes = os.pipe()
    threading.Thread(target=lambda: (os.write(writes, data), os.close(writes))).start()
    with os.fdopen(reads, "rb") as pipe:
        of_pipe = client.upload(pipe, name="pipe", known="again", wait=180)
    jobs = [of_bytes, of_file, of_pipe]
    assert [(one.name, one.packets.indexed) for one in jobs] == [("bytes", 3), ("file", 3), ("pipe", 3)]
    for one in jobs:
        one.delete()


def test_options_reach_the_job_and_a_bad_one_is_named(client: Client, capture: Path):
    some = client.upload(capture, filter="udp", fields=["netsrc", "transdst"], tags="a,b", max_packets=2, wait=180)
    assert (some.filter, some.fields[:2], some.tags) == ("udp", ("netsrc", "transdst"), ("a", "b"))
    assert some.packets.indexed == 2
    some.delete()
    with pytest.raises(PicapwebError) as bad:
        client.upload(capture, dissector="slow")  # type: ignore[arg-type]  # what a user may write
    assert (bad.value.status, bad.value.option) == (400, "dissector")
    with pytest.raises(PicapwebError, match="BPF|filter"):
        client.upload(capture, filter="tcp prot 80")
    with pytest.raises(PicapwebError, match="capture"):
        client.upload(b"this is not a capture, whatever it is")
    with pytest.raises(TypeError, match="'rb'"):
        client.upload(io.StringIO("text"))  # type: ignore[arg-type]


def test_jobs_come_newest_first_over_all_pages(client: Client, job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made = [
        client.upload(written(packets_made(i + 1), tmp_path / f"{i}.pcap"), tags=["paged"], filter="tcp", wait=180)
        for i in range(3)
    ]
    monkeypatch.setattr("picapweb_client.asking.PAGE", 2)
    assert list(client.jobs(tag="paged")) == made[::-1]
    assert job in list(client.jobs(state="done", kind="file", text="made"))
    assert list(client.jobs(state="failed")) == []
    for one in made:
        one.delete()


@pytest.mark.parametrize(("by", "timeout"), [("events", None), ("polling", 180.0)])
def test_waiting_shows_each_change_and_ends_with_the_job(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str, timeout: float | None
):
    monkeypatch.setattr("picapweb_client.waiting.SILENCE_SECONDS", 180.0)  # a wait of less than two of them is polled
    seen: list[Job] = []
    job = client.upload(written(packets_made(500), tmp_path / f"{by}.pcap"), name=by, bufsize=50, known="again")
    ended = job.wait(timeout=timeout, progress=seen.append)
    assert ended.state == "done" and ended.packets.indexed == 500
    assert seen[0] == job and seen[-1] == ended
    ended.delete()


def test_a_bar_is_shown(client: Client, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = written(packets_made(5), tmp_path / "bar.pcap")
    client.upload(path, wait=True, progress=True).delete()
    shown = capsys.readouterr().err
    assert "bar.pcap: sending: 100%" in shown and "bar.pcap: done: 100%" in shown and "5 packets" in shown


def test_a_stream_of_events_is_read_as_it_is_written():
    pieces = [
        b": still he",
        b"re\n\nevent: jo",
        b'b\ndata: {"a":\ndata: "\xc3',
        b'\xa4"}\n\nevent: deleted\r\ndata: {}\r\n\r\n',
        b"event: cut",
    ]
    assert list(events(lines(pieces))) == [("", ""), ("job", '{"a":\n"ä"}'), ("deleted", "{}")]


def test_a_wait_has_an_end(client: Client, server, tmp_path: Path):
    import signal

    worker = server.child("worker")
    worker.send_signal(signal.SIGSTOP)
    stopped = [worker, *worker.children(recursive=True)]
    for one in stopped:
        one.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(WaitTimeout) as late:
            client.upload(written(packets_made(7), tmp_path / "late.pcap"), wait=0.2)
        assert isinstance(late.value, TimeoutError)
        assert late.value.job.state == "queued"
    finally:
        for one in stopped:
            one.send_signal(signal.SIGCONT)
    ended = late.value.job.wait(timeout=180)
    assert ended.packets.indexed == 7
    with pytest.raises(Conflict, match="ended already"):
        ended.stop()
    ended.delete()


def test_a_stored_capture_comes_back_as_it_was(job: Job, capture: Path, tmp_path: Path):
    assert job.download(tmp_path / "back.pcap") == capture.stat().st_size
    assert (tmp_path / "back.pcap").read_bytes() == capture.read_bytes()
    assert [one.name for one in tmp_path.iterdir()] == ["back.pcap"]


def test_a_failed_job_is_an_error_that_holds_it(client: Client, job: Job, monkeypatch: pytest.MonkeyPatch):
    from dataclasses import replace

    failed = replace(job, state="failed", error="the disk is gone")
    with pytest.raises(JobFailed, match="the disk is gone") as error:
        failed.wait()
    assert error.value.job == failed
    assert failed.wait(check=False) == failed
