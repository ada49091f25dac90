"""Indexing again: the same answers, more fields, all of it anew; tags stay; nothing is missing meanwhile. On both backends."""

from __future__ import annotations

import threading
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test import Client

from backup.management.commands import reindex as command
from capture.models import CaptureFile, Job
from capture.services import work
from capture.services.checking import check_all
from indexing import store
from indexing.models import Batch
from indexing.reindexing import reindex
from proxy.ask import ask_text
from tests.retention.captures import udp_capture

QUESTIONS = ["Count(Not(Union()))", "TopN(netsrc, n=20)", "TopN(transsrc)", "Sum(field=length)", "TopN(tag)", "TopN(job)"]


@pytest.fixture
def client(data: Path, settings) -> Client:
    settings.EMBEDDED_DATABASE = False  # the session's own serves
    return Client(headers={"host": "localhost", "accept": "application/json"})


def indexed(client: Client, index: str, packets: int = 200, **options: Any) -> Job:
    query = "&".join(f"{name}={value}" for name, value in {"again": 1, "bufsize": 50, "index": index, **options}.items())
    said = client.post(f"/jobs/?{query}", udp_capture(packets), content_type="application/octet-stream")
    assert said.status_code == 202, said.content
    work.until_idle()
    return Job.objects.get(pk=said.json()["id"])


def answers(index: str) -> list[Any]:
    return [repr(ask_text(index, question).results) for question in QUESTIONS]


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("reindex", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_the_same_again(client: Client, index: str):
    job, other = indexed(client, index, fields="picap,tag"), indexed(client, index, 30, fields="picap,tag")
    tag = {"q": "Row(transsrc=1003)", "tag": "odd", "index": index}
    assert client.post("/packets/tags", tag, content_type="application/json").status_code < 300
    before, jobs = answers(index), list(Job.objects.order_by("pk").values())
    assert "200 packets" in run("--job", str(job.pk))
    assert answers(index) == before
    assert "230 packets" in run("--index", index)
    assert answers(index) == before
    assert list(Job.objects.order_by("pk").values()) == jobs
    assert list(check_all(index)) == []
    assert other.packets_indexed == 30


def test_more_fields(client: Client, index: str):
    job = indexed(client, index, fields="netsrc,job")
    assert "TopN" not in repr(ask_text(index, "TopN(ttl)").results) and not ask_text(index, "TopN(ttl)").results[0].pairs  # type: ignore[union-attr]
    run("--job", str(job.pk), "--fields", "picap,ttl")
    (pairs,) = ask_text(index, "TopN(ttl)").results
    assert [pair.count for pair in pairs.pairs] == [200]  # type: ignore[union-attr]
    job.refresh_from_db()
    assert "ttl" in job.fields and set(Batch.objects.values_list("dissector", flat=True)) == {"fast-1"}
    # And fewer: what was indexed and is not wanted any more is gone.
    run("--job", str(job.pk), "--fields", "netsrc")
    assert ask_text(index, "Count(Row(ttl=64))").results[0].count == 0  # type: ignore[union-attr]
    assert ask_text(index, "Count(Not(Union()))").results[0].count == 200  # type: ignore[union-attr]
    assert list(check_all(index)) == []


def test_answers_stay_right_meanwhile(client: Client, data: Path):
    """The embedded store's: each question while all is indexed again is answered as before and after."""
    indexed(client, "net", 2_000, fields="picap")
    before = answers("net")
    done, seen = threading.Event(), []

    def ask() -> None:
        try:
            while not done.is_set():
                seen.append(answers("net"))
        finally:
            connection.close()

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        for _ in range(2):
            assert reindex(None).counts["again"] > 0
    finally:
        done.set()
        asking.join()
    assert len(seen) > 2 and all(one == before for one in seen)


def test_a_capture_that_is_gone_is_named_and_its_packets_stay(client: Client, index: str):
    job, other = indexed(client, index, fields="picap"), indexed(client, index, 30, fields="picap")
    before = answers(index)
    CaptureFile.objects.get(job=job).file.unlink()
    with pytest.raises(CommandError, match="not all of it could be indexed again"):
        run("--all")
    assert answers(index) == before
    assert reindex(list(Batch.objects.filter(job=other.pk).values_list("pk", flat=True))).failed == {}


def test_all_of_it_anew(client: Client, data: Path, settings):
    indexed(client, "net", fields="picap")
    before = answers("net")
    store.close()
    (data / "index" / "data.mdb").write_bytes(b"not a store" * 1000)
    said = run("--rebuild")
    assert "the store is empty now" in said and "200 packets were indexed again" in said
    assert answers("net") == before and list(check_all()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--job", "99"], "there is no job 99"),
        (["--index", "nonesuch"], "no job has the index 'nonesuch'"),
        (["--all", "--fields", "nonesuch"], "--fields: .*nonesuch"),
        ([], "one of the arguments --job --index --all --rebuild is required"),
    ],
)
def test_what_cannot_be_is_said(client: Client, arguments: list[str], words: str):
    with pytest.raises(CommandError, match=words):
        call_command("reindex", *arguments)


def test_not_two_at_once(client: Client, embedded_postgres: str):
    import psycopg

    one = connection.settings_dict
    with psycopg.connect(dbname=one["NAME"], user=one["USER"], host=one["HOST"], port=one["PORT"]) as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended('picapweb reindex', 0))")
        with pytest.raises(CommandError, match="another reindex is running"):
            run("--all")
    assert command.Command.help


def test_what_was_merged_meanwhile_is_indexed_again_too(client: Client, data: Path, monkeypatch):
    """Between two of its batches all small ones of the job become one, under the number of the first, which was done."""
    from indexing import merging, reindexing

    job = indexed(client, "net", fields="netsrc")
    Batch.objects.update(urgent=True)  # as those of a live capture are
    rows = Batch.objects.filter(job=job.pk, state="visible")
    assert rows.count() == 4
    again = reindexing._again

    def then_merge(batch: Batch, fields: Any) -> bool:
        changed = again(batch, fields)
        while merging.merge_once(lambda _: True):
            pass
        return changed

    monkeypatch.setattr(reindexing, "_again", then_merge)
    done = reindex(list(rows.values_list("pk", flat=True)), ["netsrc", "ttl"])
    assert done.failed == {} and rows.count() < 4
    assert ask_text("net", "Count(Row(ttl=64))").results[0].count == 200  # type: ignore[union-attr]
    assert list(check_all()) == []
