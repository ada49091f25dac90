"""/system/: each part as it is, and what is away said, by a page that is there all the same."""

from __future__ import annotations

import json
import threading
import time
from functools import partial
from typing import Any
from urllib.request import urlopen

import pytest
from django.test import Client

from capture.models import Job, LiveWorker
from capture.sample import sample
from capture.services import create, storage, work
from capture.services.options import Options
from indexing import store
from indexing.models import Batch, BatchState
from picapweb.celery import app
from picapweb.system import services, views
from picapweb.system.asking import ask_all
from picapweb.system.index import hosts_of
from tests.ports import free_port

BROWSER = {"host": "localhost", "accept": "text/html,*/*;q=0.8"}


@pytest.fixture
def client(data, monkeypatch) -> Client:
    # No worker of Celery runs here, and a broker is in the tests that ask for one.
    monkeypatch.setattr(services, "CALL_SECONDS", 0.05)
    monkeypatch.setattr(services, "AGAIN_SECONDS", 0.05)
    # None hangs here; one that is slow on a busy machine is not away.
    monkeypatch.setattr(views, "ask_all", partial(ask_all, seconds=60.0))
    return Client(headers=BROWSER)


def said(client: Client) -> dict[str, Any]:
    answer = client.get("/system/?as=json")
    assert answer.status_code == 200
    parts: dict[str, Any] = answer.json()["parts"]
    return parts


def test_an_indexed_capture(client, broker):
    app.control.purge()  # what other tests rang for
    create.from_upload(storage.receive(iter([sample()]), "sample.pcap"), Options())
    waiting = said(client)
    assert waiting["work"]["jobs"]["queued"] == 1
    work.until_idle()
    parts = said(client)
    assert (parts["index"]["ok"], parts["index"]["backend"], parts["index"]["batches"]) == (True, "embedded", 1)
    assert parts["index"]["fragments"] > 10 and parts["index"]["size"] > 0
    assert parts["postgres"]["ok"] and all(one["size"] > 0 for one in parts["postgres"]["tables"])
    assert 0 < parts["postgres"]["connections"] <= parts["postgres"]["max_connections"]
    assert (parts["broker"]["ok"], parts["broker"]["waiting"]) == (True, 0)
    assert (parts["work"]["batches"]["visible"], parts["work"]["jobs"]["done"]) == (1, 1)
    assert parts["disk"]["free"] > 0
    assert parts["errors"]["errors"] == []
    assert (parts["workers"]["ok"], "no worker answers" in parts["workers"]["detail"]) == (False, True)
    page = client.get("/system/").content.decode()
    assert "Look at: Workers" in page and 'href="?as=json"' in page


def test_what_went_wrong_is_listed(client):
    job = create.from_upload(storage.receive(iter([sample()]), "sample.pcap"), Options())
    work.until_idle()
    Batch.objects.update(state=BatchState.FAILED, error="the disk was full")
    Job.objects.update(state="failed", error="packets 1 to 196 were set aside")
    parts = said(client)
    assert parts["work"]["batches"]["failed"] == 1
    assert {one["error"] for one in parts["errors"]["errors"]} == {"the disk was full", "packets 1 to 196 were set aside"}
    assert all(one["url"] == job.get_absolute_url() for one in parts["errors"]["errors"])
    assert "the disk was full" in client.get("/system/").content.decode()


def test_who_holds_a_lease_is_at_work(client):
    create.from_upload(storage.receive(iter([sample()]), "sample.pcap"), Options())
    work.until_idle()
    Batch.objects.update(state=BatchState.CLAIMED, worker="host/77", lease_until="2020-01-01T00:00:00Z")
    (one,) = said(client)["work"]["at_work"]
    assert (one["worker"], one["does"], one["silent"]) == ("host/77", "indexes batch 0, 196 packets", True)


def test_a_live_worker_that_is_silent(client):
    assert said(client)["live"]["ok"]  # nobody is to capture
    LiveWorker.objects.create(host="sonde", worker="sonde/1", beat="2020-01-01T00:00:00Z")
    live = said(client)["live"]
    assert (live["ok"], live["workers"][0]["alive"]) == (False, False)


def test_a_pilosa_that_is_away_is_said_to_be(client, settings):
    port = free_port()
    settings.INDEX_URL = f"pilosa://127.0.0.1:{port}"
    store.close()
    index = said(client)["index"]
    assert (index["ok"], str(port) in index["detail"]) == (False, True)
    assert "Look at: Index" in client.get("/system/").content.decode()


def test_a_pilosa_that_is_there(client, settings, pilosa_server):
    settings.INDEX_URL = pilosa_server.url
    store.close()
    index = said(client)["index"]
    with urlopen(f"http://{pilosa_server.host}:{pilosa_server.port}/version") as answer:
        version = json.load(answer)["version"].removeprefix("v")
    assert (index["ok"], index["state"], index["version"], index["replicas"]) == (True, "NORMAL", version, 1)
    assert [(one["state"]) for one in index["nodes"]] == ["NORMAL"]
    assert f"Pilosa {version}" in client.get("/system/").content.decode()


def test_a_broker_that_is_away_is_said_to_be(client, monkeypatch):
    monkeypatch.setattr(app.conf, "broker_url", f"redis://127.0.0.1:{free_port()}/0")
    app._after_fork()
    parts = said(client)
    assert not parts["broker"]["ok"] and not parts["workers"]["ok"]
    assert parts["postgres"]["ok"] and parts["index"]["ok"]
    page = client.get("/system/")
    assert page.status_code == 200


def test_a_postgres_that_is_away_is_said_to_be(client, monkeypatch):
    def away(*_: Any) -> Any:
        raise ConnectionError("connection to server failed: no such socket")

    with monkeypatch.context() as patch:
        patch.setattr("django.db.backends.postgresql.base.DatabaseWrapper.get_new_connection", away)
        parts = said(client)
        page = client.get("/system/")
    for name in ("postgres", "work", "errors", "live"):
        assert (parts[name]["ok"], "connection to server failed" in parts[name]["detail"]) == (False, True)
    assert parts["index"]["ok"]
    assert page.status_code == 200 and b"connection to server failed" in page.content


def test_a_part_that_never_answers_holds_one_thread_and_nobody_up():
    let_go = threading.Event()
    asked = []

    def hangs() -> dict[str, Any]:
        asked.append(1)
        let_go.wait(300)
        return {"detail": "at last"}

    parts = {"hangs": hangs, "well": lambda: {"detail": "here"}}
    end, answered = time.monotonic() + 60, 0
    try:
        while answered < 3 or not asked:
            assert time.monotonic() < end
            answer = ask_all(parts, 0.05)
            assert (answer["hangs"]["ok"], "no answer within" in answer["hangs"]["detail"]) == (False, True)
            if answer["well"]["ok"]:  # a busy machine may not come to it in so short a time
                assert answer["well"]["detail"] == "here"
                answered += 1
        assert asked == [1]
    finally:
        let_go.set()


def test_every_part_is_shown():
    assert set(views.TITLES) | {"work", "errors"} == set(views.PARTS)


def test_nodes_as_the_index_url_names_them():
    assert hosts_of("pilosa://a:1,b, [::1]:3/") == [("a", 1), ("b", 10101), ("::1", 3)]
