"""What is being indexed is backed up; of the backup a clean folder and database are made; both answer the same, byte by byte."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client

from backup.make import make
from backup.manifest import BackupError, Manifest, verify
from capture.models import Job
from capture.services import work
from capture.services.checking import check_all
from indexing.models import Batch
from tests.backup.told import told
from tests.retention.captures import udp_capture
from tests.server import ROOT


@pytest.fixture
def client(data: Path) -> Client:
    return Client(headers={"host": "localhost", "accept": "application/json"})


@pytest.fixture
def empty_database(data: Path) -> Iterator[str]:
    """The URL of a new database beside the test's own."""
    one = django_settings.DATABASES["default"]
    where = {"user": one["USER"], "host": one["HOST"], "port": one["PORT"]}
    with psycopg.connect(dbname="postgres", autocommit=True, **where) as maintenance:
        maintenance.execute("DROP DATABASE IF EXISTS restored")
        maintenance.execute("CREATE DATABASE restored")
        yield f"postgresql://{one['USER']}@/restored?host={one['HOST']}&port={one['PORT']}"
        maintenance.execute("DROP DATABASE restored WITH (FORCE)")


def run(*command: str, data: Path, database: str, code: int = 0) -> tuple[str, str]:
    """A command of another process, on a data folder and database; what it printed to both."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PICAPWEB_")}
    environment = {**kept, "PICAPWEB_DATA": str(data), "DATABASE_URL": database}
    done = subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == code, (done.stdout, done.stderr)
    return done.stdout, done.stderr


def ordered(client: Client, packets: int, **options: Any) -> int:
    query = "&".join(f"{name}={value}" for name, value in {"again": 1, "fields": "picap", **options}.items())
    answer = client.post(f"/jobs/?{query}", udp_capture(packets), content_type="application/octet-stream")
    assert answer.status_code == 202, answer.content
    return int(answer.json()["id"])


def test_while_jobs_are_indexed(client: Client, data: Path, tmp_path_factory: pytest.TempPathFactory, empty_database: str):
    """The backup falls into the middle of a job: the restored server goes on with what was not indexed then. Tags and saved
    queries are there; a second restore is refused; a damaged backup as well."""
    folder = tmp_path_factory.mktemp("backup")
    ordered(client, 500)
    work.until_idle()
    as_json = {"content_type": "application/json"}
    assert client.post("/packets/tags", {"q": "Row(transsrc=1003)", "tag": "odd"}, **as_json).status_code < 300
    assert client.post("/saved/", {"name": "odd ones", "q": 'Row(tag="odd")'}, **as_json).status_code == 201
    large = [ordered(client, 3_000, bufsize=100, name=f"large{number}") for number in range(2)]

    # Another thread works meanwhile, as a worker does; the backup begins when some of it is visible, and not all of it is
    # before the backup holds what it copies.
    begun, held, halfway = threading.Event(), threading.Event(), Batch.objects.filter(job__in=large, state="visible")

    def index() -> None:
        try:
            while work.step():
                if not begun.is_set() and halfway.count() >= 3:
                    begun.set()
                if not held.is_set() and halfway.count() >= 50:
                    held.wait(300)
        finally:
            begun.set()
            connection.close()

    worker = threading.Thread(target=index)
    worker.start()
    begun.wait()
    try:
        manifest = make(folder / "b", lambda _: held.set())
    finally:
        held.set()
        worker.join()
    assert 4 <= manifest.facts["batches"]["visible"] < 61, "nothing was indexed during the backup: it shows nothing"
    assert not list(data.glob("backup-*"))
    work.until_idle()
    assert {Job.objects.get(pk=pk).state for pk in large} == {"done"}
    whole = told(6_500)
    assert whole["Count(Not(Union()))"] == [6_500] and whole["TopN(tag)"][0][0]["count"] == 71

    restored = folder / "data"
    out, _ = run("manage.py", "restore", str(folder / "b"), data=restored, database=empty_database)
    assert "checked: all packets are where they should be" in out
    out, _ = run("-m", "tests.backup.told", "6500", "--work", data=restored, database=empty_database)
    again = json.loads(out)
    assert again.keys() == whole.keys()
    for name, value in whole.items():
        assert again[name] == value, name
    assert whole["findings"] == []

    _, wrong = run("manage.py", "restore", str(folder / "b"), data=restored, database=empty_database, code=1)
    assert f"data folder {restored} is not empty" in wrong
    _, wrong = run("manage.py", "restore", str(folder / "b"), data=folder / "other", database=empty_database, code=1)
    assert "the database restored is not empty" in wrong
    assert not any(path.is_file() for path in (folder / "other").rglob("*"))


def test_parts_are_verified(client: Client, data: Path, tmp_path: Path):
    job = ordered(client, 10)
    work.until_idle()
    target = data.parent / f"{data.name}-target"
    manifest = make(target, lambda _: None)
    assert {"database.dump", "index/data.mdb", f"captures/{job}/capture"} <= set(manifest.parts)
    again = Manifest.read(target)
    assert again == manifest
    verify(target, again)
    for name in ("database.dump", "index/data.mdb", f"captures/{job}/capture"):
        file = target / name
        before = file.read_bytes()
        for damaged, words in (
            (before[:-1] + bytes([before[-1] ^ 1]), "sha256"),
            (before[:-1], "bytes and not"),
            (None, "No such"),
        ):
            file.unlink() if damaged is None else file.write_bytes(damaged)
            with pytest.raises(BackupError, match=words) as error:
                verify(target, again)
            assert str(file) in str(error.value)
        file.write_bytes(before)
    verify(target, again)
    # A name that leads out of it is not followed.
    again.parts["../x"] = [0, ""]
    with pytest.raises(BackupError, match="does not lie in the backup"):
        verify(target, again)


def test_where_it_may_not_go(client: Client, data: Path):
    target = data.parent / f"{data.name}-there"
    target.mkdir()
    (target / "x").touch()
    with pytest.raises(BackupError, match="is there already"):
        make(target, lambda _: None)
    with pytest.raises(BackupError, match="in the data folder itself"):
        make(data / "x", lambda _: None)
    (target / "x").unlink()
    (data.parent / f"{target.name}.part").mkdir()
    with pytest.raises(BackupError, match=r"another backup .* is being made, or was broken off"):
        make(target, lambda _: None)
    (target / "manifest.json").write_text('{"format": 2}')
    with pytest.raises(BackupError, match="is of format 2, and this version reads 1"):
        Manifest.read(target)
    with pytest.raises(BackupError, match="is no backup, or one that was broken off"):
        Manifest.read(data)


@pytest.mark.needs("Pilosa (Go)")
def test_of_pilosa_the_index_is_made_again(
    client: Client, data: Path, settings, pilosa_server, empty_database: str, tmp_path_factory: pytest.TempPathFactory
):
    """Pilosa is not copied: the restored server, here with an embedded store, makes its index of the captures."""
    from indexing import store

    settings.INDEX_URL = pilosa_server.url
    store.close()
    folder = tmp_path_factory.mktemp("pilosa")
    job = ordered(client, 300, index="backedup")
    work.until_idle()
    said: list[str] = []
    manifest = make(folder / "b", said.append)
    assert manifest.backend == "pilosa" and "index/data.mdb" not in manifest.parts
    assert any("tags and other bits written by queries, indexes of clients" in line for line in said)
    assert list(check_all("backedup")) == []
    pilosa_server.drop("backedup")
    out, _ = run("manage.py", "restore", str(folder / "b"), data=folder / "data", database=empty_database)
    assert "1 batches with 300 packets were indexed again" in out
    assert "checked: all packets are where they should be" in out
    assert Job.objects.get(pk=job).packets_indexed == 300
