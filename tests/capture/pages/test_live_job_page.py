"""The page of a live job in each of its states, by the rows that a live worker writes."""

from __future__ import annotations

import html
import json
import re
import shlex
import time
from types import SimpleNamespace

import pytest
from django.test import Client

from capture.models import CaptureFile, Job
from proxy.job_pages import TOP_FIELDS
from tests.live_rows import grow, interface, live_job


def text_of(page: str, place: str) -> str:
    """The text of the element with an id."""
    match = re.search(rf'<(\w+)[^>]* id="{place}"[^>]*>(.*?)</\1>', page, re.DOTALL)
    assert match, place
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", match[2])).split())


def test_a_queued_job_says_what_it_waits_for(get):
    job = live_job(["eth0", "eth1"], "queued")
    page = get(job.get_absolute_url())
    assert text_of(page, "sentence") == "Waits for a live-capture worker to capture on eth0, eth1"
    assert text_of(page, "captured") == "0"
    # A row for each interface already, and places for the top values: the page will not jump when they come.
    assert page.count("waiting</span>") == 2
    assert page.count('<section class="facet"') == len(TOP_FIELDS)


def test_a_running_job_has_its_honest_counters(get, monkeypatch):
    states = [
        interface("eth0", filter="not (tcp port 11000)", received=12_350, captured=12_345, dropped_kernel=5, super_frames=3),
        interface("wlan0", "down", words="wlan0 is down since 12:00:00", dropped_interface=7),
    ]
    now = 1_772_442_000
    # The page may take longer than rates are those of now.
    monkeypatch.setattr("capture.rates.time", SimpleNamespace(time=lambda: now + 1.5))
    job = live_job(
        ["eth0", "wlan0"],
        "running",
        states=states,
        received=12_350,
        captured=12_345,
        bytes_captured=9_000_000,
        dropped_kernel=5,
        dropped_interface=7,
        super_frames=3,
        lag_packets=400,
        lag_seconds=0.83,
        rates=[[now - 1, 900.0, 4e5, 0, 800.0], [now, 1234.0, 1e6, 5.0, 1200.0]],
        words="wlan0 is down since 12:00:00",
    )
    page = get(job.get_absolute_url())
    assert text_of(page, "sentence") == "Captures on eth0, wlan0: wlan0 is down since 12:00:00"
    shown = {place: text_of(page, place) for place in ("captured", "packets-now", "bits-now", "dropped", "lag")}
    assert shown == {"captured": "12,345", "packets-now": "1,234", "bits-now": "8.0 Mbit/s", "dropped": "12", "lag": "0.8 s"}
    assert "0.10 % of what came" in page
    assert 'class="link down">down' in page
    assert "not (tcp port 11000)" in page and "own_traffic" in page
    assert "ethtool -K eth0 gro off lro off tso off gso off" in page
    assert 'data-events="/jobs/' in page
    # The picture in words, for those who do not see it.
    assert "5 dropped, in 1 of the seconds" in text_of(page, "spark-words")


def test_rates_of_long_ago_are_not_those_of_now(get):
    then = int(time.time()) - 60
    job = live_job(["eth0"], "running", rates=[[then, 1234.0, 1e6, 0, 1200.0]])
    assert text_of(get(job.get_absolute_url()), "packets-now") == "0"


def test_a_job_without_a_worker_says_that_nobody_captures(get):
    job = live_job(["eth0"], "running", lease_until=None, words="waits for the live worker, which was stopped")
    words = text_of(get(job.get_absolute_url()), "sentence")
    assert words == "Nobody captures on eth0 now: waits for the live worker, which was stopped"


def test_an_interface_that_refuses(get):
    job = live_job(["eth0"], "running", states=[interface("eth0", "refused", words="eth0: permission denied")])
    page = get(job.get_absolute_url())
    assert 'class="link refused">refused' in page and "eth0: permission denied" in page


def test_a_stopping_job_indexes_what_came_last(get):
    job = live_job(["eth0"], "stopping", captured=5_000, lag_packets=1_200, lag_seconds=0.4)
    Job.objects.filter(pk=job.pk).update(packets_indexed=3_800)
    page = get(job.get_absolute_url())
    assert text_of(page, "sentence") == "Captured on eth0; what came last is being indexed"
    assert "1,200 wait" in page


@pytest.mark.parametrize(("state", "word"), [("stopped", "Stopped:"), ("failed", "Failed:")])
def test_why_it_ended(get, state, word):
    reason = "the disk limit came near: <1.0 GB> is free"
    job = live_job(["eth0"], state, error=reason, ending="disk", words=reason, captured=600, bytes_captured=3_000, seconds=60.0)
    page = get(job.get_absolute_url())
    assert f"<strong>{word}</strong> the disk limit came near: &lt;1.0 GB&gt; is free" in page
    assert text_of(page, "packets-now") == "10"  # on average
    assert "Retry</button>" in page and "live.js" not in page


def test_a_job_that_was_stopped_by_a_person_has_no_red_box(get):
    page = get(live_job(["eth0"], "stopped", ending="stopped").get_absolute_url())
    assert 'class="wrong"' not in page
    assert text_of(page, "sentence") == "Captured on eth0 until it was stopped"


def test_a_ring_that_turned_and_its_gaps(get):
    job = live_job(
        ["eth0"],
        "running",
        options={"ring_files": 4, "ring_bytes": 1 << 20, "max_packets": 1_000_000, "max_seconds": 90.0},
        gaps=[["2026-01-02T03:04:05.678Z", "2026-01-02T03:04:17.000Z", "nobody captured: the live worker was not running"]],
    )
    for sequence in (6, 7):
        CaptureFile.objects.create(job=job, sequence=sequence, path=f"captures/{job.pk}/ring/x", size=1_000_000)
    Job.objects.filter(pk=job.pk).update(gone={"files": 5, "indexed": 7_777})
    page = get(job.get_absolute_url())
    assert text_of(page, "ring-kept") == "2 (at most 4, once indexed)"
    assert text_of(page, "ring-removed") == "5"
    assert text_of(page, "removed") == "7,777"
    assert "2026-01-02 03:04:05" in page and "the live worker was not running" in page
    assert "after 1,000,000 packets or 1 min 30 s" in page
    assert "the oldest file goes, and its packets leave the index with it" in page


NAME = "us\\xffb'0\\\\ <b>"


def test_a_name_of_any_bytes_stands_on_the_page_and_in_the_shell(get):
    """Names are in the text form of values: \\xNN for a byte that is no UTF-8, a backslash doubled."""
    job = live_job([NAME], "running", options={"filter": "tcp port 80", "ring_files": 3})
    Job.objects.filter(pk=job.pk).update(filter="tcp port 80")
    page = get(job.get_absolute_url())
    assert "<b>0" not in page and html.escape(NAME) in page
    (order,) = re.findall(r"<pre class=\"wrap\">(curl .*?)</pre>", page)
    words = shlex.split(html.unescape(order))
    assert words[1:4] == ["-H", "Content-Type: application/json", "-d"]
    assert json.loads(words[4]) == {"iface": NAME, "filter": "tcp port 80", "ring_files": 3}
    assert words[5] == "http://localhost:11000/jobs/"
    assert "ethtool -K $&#x27;us\\xffb\\&#x27;0\\\\ &lt;b&gt;&#x27; gro off" in page


def test_parts_of_the_page_by_themselves(get):
    """What the script asks for: figures without the index, top values without the figures."""
    job = live_job(["eth0"], "running")
    grow(job, 1_000)
    figures, tops = get(f"/jobs/{job.pk}/live/"), get(f"/jobs/{job.pk}/live/?part=tops")
    assert text_of(figures, "captured") == "1,000" and "<html" not in figures and 'class="facet"' not in figures
    assert tops.count('<section class="facet"') == tops.count("data-steady") == len(TOP_FIELDS)


def test_the_whole_page_is_asked_for_again_when_the_job_has_ended(data):
    client = Client(headers={"host": "localhost", "hx-request": "true"})
    running, done = live_job(["eth0"], "running"), live_job(["eth0"], "done")
    assert "HX-Refresh" not in client.get(f"/jobs/{running.pk}/live/")
    assert client.get(f"/jobs/{done.pk}/live/")["HX-Refresh"] == "true"
    assert "HX-Refresh" not in client.get(f"/jobs/{done.pk}/live/?part=tops")


def test_the_json_twin_says_the_same(data):
    job = live_job(["eth0"], "running")
    grow(job, 1_000)
    said = Client(headers={"host": "localhost", "accept": "text/html,*/*;q=0.8"}).get(f"{job.get_absolute_url()}?as=json").json()
    assert (said["live"]["captured"], said["live"]["dropped_by_kernel"], said["live"]["names"]) == (1_000, 1, ["eth0"])
