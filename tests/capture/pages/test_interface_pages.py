"""/interfaces/ and the form of a new job: what can be captured, by whom, and why not."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from capture.models import LiveWorker
from capture.pages import LIVE_OPTIONS, MAIN_OPTIONS, MORE_OPTIONS, why_none
from capture.services.options import CHECKS
from tests.live_rows import live_job

DENIED = " cannot be captured on: the live worker lacks CAP_NET_RAW. Run: sudo script/allow-capture"


@pytest.fixture
def client(data) -> Client:
    return Client(headers={"host": "localhost:11000", "accept": "text/html,*/*;q=0.8"})


def seen(name: str, why_not: str = "", **more: object) -> dict[str, object]:
    return {"name": name, "addresses": ["10.0.0.1"], "up": True, "capturable": not why_not, "why_not": why_not, **more}


def worker(*interfaces: dict[str, object], host: str = "sonde", beat: timedelta = timedelta()) -> None:
    """A live worker that sees these, and is not asked to look again."""
    later = timezone.now() + timedelta(hours=1)
    LiveWorker.objects.create(
        host=host, worker=f"{host}/4711", beat=later - beat, refreshed=later + timedelta(hours=1), interfaces=list(interfaces)
    )


def test_interfaces_with_their_jobs(client):
    worker(seen("eth0", linktype=1, mtu=1500), seen("eth1", "eth1 cannot be captured on: it is held", up=False))
    job = live_job(["eth0"], "queued")
    live_job(["eth0"], "done")
    page = client.get("/interfaces/").content.decode()
    assert "The live-capture worker of <b>sonde</b>" in page
    assert "EN10MB" in page and "1,500" in page
    assert 'href="/jobs/new/?iface=eth0"' in page
    assert "eth1 cannot be captured on: it is held" in page
    assert re.findall(r'<a href="/jobs/(\d+)/">job', page) == [str(job.pk)]
    by_name = {one["name"]: one for one in client.get("/interfaces/?as=json").json()}
    assert by_name["eth0"]["jobs"] == [job.pk] and by_name["eth1"]["jobs"] == []
    assert by_name["eth0"]["capturable"] and not by_name["eth1"]["capturable"]


def test_without_a_worker_the_pages_say_what_to_run(client):
    worker(seen("eth0"), beat=timedelta(days=1))
    for path in ("/interfaces/", "/jobs/new/"):
        page = client.get(path).content.decode()
        assert page.lower().count("no live-capture worker is running") == 1
        assert "manage.py live" in page


def test_the_reason_why_none_can_be_captured_is_said_once(client):
    worker(*(seen(name, name + DENIED) for name in ("eth0", "eth1", "lo")))
    for path in ("/interfaces/", "/jobs/new/"):
        page = client.get(path).content.decode()
        assert page.count("allow-capture") == 1
        assert "The live worker lacks CAP_NET_RAW" in page
    assert page.count('name="iface"') == page.count("disabled") == 3


def test_reasons_that_differ_are_all_said():
    found = [seen("eth0", "eth0" + DENIED), seen("tun0", "tun0 cannot be captured on: no such device")]
    assert len(why_none(found)) == 2
    assert why_none([*found, seen("lo")]) == []
    assert why_none([]) != []


def test_the_form_has_every_option_in_one_group():
    names = [name for name, *_ in (*MAIN_OPTIONS, *LIVE_OPTIONS, *MORE_OPTIONS)]
    assert sorted(names) == sorted(CHECKS)


def test_a_chosen_interface_opens_what_concerns_it(client):
    worker(seen("eth0"), seen("eth\\xff"))
    page = client.get("/jobs/new/?iface=eth%5Cxff").content.decode()
    assert 'name="iface" value="eth\\xff" checked' in page
    assert 'id="live-options" open' in page and 'id="more-options">' in page


def test_a_box_that_would_be_ticked_by_default_can_be_unticked(client, settings):
    worker(seen("eth0"))
    assert 'type="checkbox" name="ring_keep_index"' in client.get("/jobs/new/").content.decode()
    settings.RING_KEEP_INDEX = True
    assert '<select name="ring_keep_index"><option>true</option><option>false</option>' in re.sub(
        r" selected", "", client.get("/jobs/new/").content.decode()
    )
