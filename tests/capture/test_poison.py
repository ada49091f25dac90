"""A packet that ends, hangs or exhausts whatever dissects it: it is found, named and given up; all others are whole."""

from __future__ import annotations

import ctypes
import os
import re
import signal
from collections.abc import Callable

import numpy as np
import pytest
from django.test import Client

from capture.models import JobState
from capture.packets import dissect as door
from capture.packets import registry
from capture.packets.columns import IntValues
from capture.packets.fields import Field
from capture.packets.plugins import Plugin
from capture.services import control, work
from capture.services.describe import job_json
from indexing.models import Batch, GivenUpPackets
from indexing.reindexing import reindex
from proxy.ask import ask_text
from tests.jobs import order_job

pytestmark = pytest.mark.needs("../shared")
CAPTURE = "pcaps/protocols/zeek__wikipedia.pcap"
PACKETS, IPV4 = 136, 121
POISON = 77


def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def crashed() -> None:
    ctypes.string_at(0)


def hangs() -> None:
    re.match(r"(a|aa)+$", "a" * 60 + "b")  # in compiled code, with Python's lock in its hand


def devours() -> None:
    while True:
        np.ones(1 << 24, np.uint8).tobytes() and hoard.append(np.ones(1 << 24, np.uint8))


def raises() -> None:
    raise ZeroDivisionError("no way\0 out")


def leaves() -> None:
    os._exit(3)


hoard: list[object] = []
DEEDS = [
    (killed, "was ended by SIGKILL"),
    (crashed, "was ended by SIGSEGV"),
    (hangs, "was not done after"),
    (devours, "PICAPWEB_BATCH_MEMORY"),
    (raises, r"ZeroDivisionError: no way\x00 out"),
    (leaves, "exit code 3"),
]


@pytest.fixture
def poisoned(monkeypatch, settings) -> Callable[..., None]:
    """Makes the fast dissector one that does a deed where a packet of certain numbers is in the batch."""
    settings.BATCH_MEMORY = 1 << 28
    fast = door.DISSECTORS["fast"]

    def make(deed: Callable[[], None], *numbers: int) -> None:
        if deed is hangs:
            settings.BATCH_SECONDS = 8.0  # the others end by themselves, however long that takes on a busy machine

        def dissect_batch(batch, fields):
            if np.isin(batch.locator["number"], numbers).any():
                deed()
            return fast(batch, fields)

        monkeypatch.setitem(door.DISSECTORS, "fast", dissect_batch)

    return make


def second_attempt(path, **options):
    """A job whose batches were tried once, by a worker that is gone."""
    job = order_job(path, **options)
    while not job.captures.filter(scan_state="done").exists():
        work.scan.run(work.scan.claim())
    Batch.objects.filter(job=job.pk).update(attempt=1)
    work.until_idle()
    job.refresh_from_db()
    return job


def count(job, query: str) -> int:
    return int(ask_text(job.index, f"Count(Intersect(Row(job={job.pk}), {query}))").results[0].count)


@pytest.mark.parametrize(("deed", "said"), DEEDS, ids=lambda one: getattr(one, "__name__", ""))
def test_the_packet_is_named_and_the_rest_is_indexed(deed, said, data, shared, poisoned):
    poisoned(deed, POISON)
    job = second_attempt(shared / CAPTURE, bufsize=16)
    assert (job.state, job.error) == (JobState.DONE, "")
    told = job_json(job)
    numbers = told["packets"]
    assert numbers["read"] == numbers["indexed"] == PACKETS == count(job, f"Row(job={job.pk})")
    assert (numbers["failed"], numbers["filtered_out"], numbers["undecodable"]) == (0, 0, 1)
    assert told["given_up"]["packets"] == 1
    (one,) = told["given_up"]["ranges"]
    assert (one["first"], one["last"], one["file"]) == (POISON, POISON, job.captures.get().path)
    assert said in one["reason"]
    assert count(job, 'Row(error="packet: dissector failed")') == 1
    # The one that is left has what its record says, the others all that they have without it.
    assert count(job, "Row(length > 0)") == PACKETS
    assert count(job, 'Row(netproto="IPv4")') == IPV4 - 1


def test_its_page_shows_its_bytes_and_does_not_try_again(data, shared, poisoned, monkeypatch):
    poisoned(killed, POISON)
    job = second_attempt(shared / CAPTURE)
    monkeypatch.setattr("proxy.one_packet.bounded_tree", lambda *_: pytest.fail("it was dissected again"))
    page = Client(headers={"host": "localhost"}).get(f"/jobs/{job.pk}/packets/{POISON}/", headers={"accept": "text/html"})
    assert page.status_code == 200
    assert "was ended by SIGKILL" in page.content.decode()
    said = (
        Client(headers={"host": "localhost"})
        .get(f"/jobs/{job.pk}/packets/{POISON}/", headers={"accept": "application/json"})
        .json()
    )
    assert (said["layers"], len(said["bytes"]) > 0) == ([], True)
    assert "SIGKILL" in said["given_up"]
    text = Client(headers={"host": "localhost"}).get(f"/jobs/{job.pk}/", headers={"accept": "text/html"}).content.decode()
    assert "Could not be dissected" in text and f"/packets/{POISON}/" in text


def test_many_of_them_are_given_up_in_pieces_and_all_is_accounted_for(data, shared, poisoned, monkeypatch):
    monkeypatch.setattr("capture.packets.alone.driver.MOST_FOUND", 3)
    poisoned(killed, *range(1, 60))
    job = second_attempt(shared / CAPTURE)
    told = job_json(job)
    assert told["packets"]["read"] == told["packets"]["indexed"] == PACKETS
    assert told["given_up"]["packets"] == told["packets"]["undecodable"]
    assert 59 <= told["given_up"]["packets"] < 59 + 9  # the last piece has some others in it
    assert count(job, 'Row(error="packet: dissector failed")') == told["given_up"]["packets"]


def test_one_that_fails_in_the_worker_itself_is_found_at_the_first_attempt(data, shared, poisoned):
    poisoned(raises, POISON)
    job = order_job(shared / CAPTURE)
    work.until_idle()
    assert [row.first_number for row in GivenUpPackets.objects.filter(job=job.pk)] == [POISON]
    assert Batch.objects.get(job=job.pk).attempt == 1


def test_where_a_package_does_it_our_own_fields_are_kept(data, shared, monkeypatch):
    half = Field("half", "int", "Half.", "Row(half > 5)", level="packet", minimum=0, maximum=1 << 20, plugin="picapweb-half")

    def values(batch, fields):
        if (batch.locator["number"] == POISON).any():
            killed()
        return {"half": IntValues(np.arange(len(batch), dtype=np.uint32), batch.locator["wire_length"].astype(np.int64) // 2)}

    monkeypatch.setattr(door, "PLUGINS", [Plugin("picapweb-half", {"half": half}, values)])
    monkeypatch.setitem(registry.FIELDS, "half", half)
    job = second_attempt(shared / CAPTURE, fields=["picap", "half"])
    told = job_json(job)
    (one,) = told["given_up"]["ranges"]
    assert (one["first"], one["only_package_fields"], told["packets"]["undecodable"]) == (POISON, True, 0)
    assert count(job, "Row(half > 0)") == PACKETS - 1
    assert count(job, 'Row(netproto="IPv4")') == IPV4
    page = (
        Client(headers={"host": "localhost"})
        .get(f"/jobs/{job.pk}/packets/{POISON}/", headers={"accept": "application/json"})
        .json()
    )
    assert page["layers"] and page["given_up"] is None


def test_a_batch_that_only_its_worker_could_not_do_is_the_same_in_pieces(data, shared):
    """Killed by somebody else: tried again in pieces, it gives what it gives in one."""
    told = []
    for tried in (second_attempt, None):
        job = (tried or order_job)(shared / CAPTURE, again=True, fields=["all"])
        work.until_idle()
        job.refresh_from_db()
        assert job_json(job)["given_up"] is None
        asked = [name for name in job.fields if registry.FIELDS[name].kind == "set" and name != "job"]
        query = " ".join(f"TopN({name}, Row(job={job.pk}), n=1000)" for name in asked)
        told.append([sorted((str(pair.key), pair.count) for pair in one.pairs) for one in ask_text("net", query).results])
    assert told[0] == told[1] and any(told[0])


def test_reindexing_does_not_die_of_it(data, shared, poisoned):
    poisoned(killed, POISON)
    job = second_attempt(shared / CAPTURE)
    before = job_json(job)["given_up"]
    reindex(list(Batch.objects.filter(job=job.pk).values_list("pk", flat=True)))
    job.refresh_from_db()
    assert job_json(job)["given_up"] == before
    assert count(job, "Row(length > 0)") == PACKETS
    assert count(job, 'Row(netproto="IPv4")') == IPV4 - 1


def test_what_is_known_of_it_goes_with_its_job(data, shared, poisoned):
    poisoned(raises, POISON)
    job = order_job(shared / CAPTURE)
    work.until_idle()
    assert GivenUpPackets.objects.count() == 1
    control.delete(job)
    work.until_idle()
    assert not GivenUpPackets.objects.exists()
