"""How a job's conversations went: figures of its page and of /jobs/N/health/, each beside what tshark counts; their links."""

from __future__ import annotations

import html
import re
import subprocess
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from capture.models import ConversationPass, Job, PassState
from indexing.backends.base import BackendAway
from proxy import health as module
from proxy.health import COUNTED, LADDER_US, TIMED, health
from proxy.links import row
from tests.jobs import run_job

MIX, QUIET = "pcaps/large/derived__merged-home-and-web-mix.pcap", "pcaps/protocols/nfstream__mdns.pcap"

pytestmark = pytest.mark.needs("../shared")


@pytest.fixture
def client():
    return Client(headers={"host": "localhost"})


def page_of(client, job: Job, part: str = "") -> str:
    answer = client.get(f"/jobs/{job.pk}/live/?part={part}" if part else f"/jobs/{job.pk}/", headers={"accept": "text/html"})
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def words_of(page: str) -> dict[str, str]:
    """Title of a line -> its words."""
    section = re.search(r'<section class="box inset health[^"]*">(.*?)</section>', page, re.DOTALL)
    assert section is not None, "no health on this page"
    lines = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", section[1], re.DOTALL)
    return {title: html.unescape(re.sub(r"<[^>]+>", "", words)) for title, words in lines}


def tshark(path, text: str) -> int:
    command = ["tshark", "-n", "-r", str(path), "-o", "tcp.desegment_tcp_streams:FALSE", "-Y", text, "-T", "fields"]
    return len(subprocess.run([*command, "-e", "frame.number"], capture_output=True, text=True).stdout.split())


@pytest.mark.needs("tshark")
def test_figures_are_those_that_tshark_counts(index, shared, client):
    job = run_job(shared / MIX, index=index)
    told = client.get(f"/jobs/{job.pk}/health/").json()
    assert told["conversations"]["state"] == "done"
    for name, text in (
        ("retransmissions", "tcp.analysis.retransmission"),
        ("lost_segments", "tcp.analysis.lost_segment"),
        ("out_of_order", "tcp.analysis.out_of_order"),
        ("duplicate_acks", "tcp.analysis.duplicate_ack"),
        ("tcp_packets", "tcp and not icmp"),
    ):
        assert told["packets"][name] == tshark(shared / MIX, text) > 0, name
    times = told["times"]["tcp_round_trips"]
    assert times["count"] == tshark(shared / MIX, "tcp.analysis.ack_rtt")
    assert times["half_within_us"] in LADDER_US and times["half_within_us"] <= times["most_within_us"]
    assert tshark(shared / MIX, f"tcp.analysis.ack_rtt <= {times['half_within_us'] / 1e6:.6f}") * 2 >= times["count"]
    assert tshark(shared / MIX, f"tcp.analysis.ack_rtt > {times['max_us'] / 1e6 + 0.000001:.6f}") == 0
    worst = told["retransmitting_hosts"]
    assert worst[0]["packets"] == tshark(shared / MIX, f"tcp.analysis.retransmission and ip.src == {worst[0]['address']}")
    assert [one["packets"] for one in worst] == sorted((one["packets"] for one in worst), reverse=True)


def test_a_figure_leads_to_its_packets(index, shared, client):
    job = run_job(shared / MIX, index=index)
    page = page_of(client, job)
    counts = client.get(f"/jobs/{job.pk}/health/").json()["packets"]
    links = {
        parse_qs(urlsplit(html.unescape(url)).query)["q"][0]: html.unescape(url)
        for url in re.findall(r'href="(/explore/\?[^"]*lang=display[^"]*)"', page)
    }
    for name in ("retransmissions", "lost_segments", "complete", "unanswered", "dns_unanswered", "http_errors"):
        if not counts[name]:
            assert COUNTED[name] not in links
            continue
        query = {key: values[0] for key, values in parse_qs(urlsplit(links[COUNTED[name]]).query).items()}
        assert query["job"] == str(job.pk)
        assert client.get("/packets/", query).json()["count"] == counts[name], name
    assert counts["retransmissions"] and counts["complete"] and counts["unanswered"]


def test_the_page_says_it_in_words(index, shared, client):
    job = run_job(shared / MIX, index=index)
    words = words_of(page_of(client, job))
    assert re.match(r"[0-9.]+ % of [0-9,]+ TCP packets · [0-9a-f.:]+ sent [0-9,]+", words["Retransmitted"])
    assert "complete" in words["Handshakes"] and "SYNs unanswered" in words["Handshakes"]
    within = r"within [0-9.]+ (µs|ms|s)"
    assert re.search(rf"on average · half {within}, 95 % {within} · longest", words["Round trips of TCP"])
    assert "answered in" in words["DNS"] and "answered in" in words["HTTP"]


def test_a_job_in_which_nothing_is_found_shows_nothing(index, shared, client):
    job = run_job(shared / QUIET, index=index)
    assert 'class="box inset health' not in page_of(client, job)
    assert client.get(f"/jobs/{job.pk}/health/").json()["times"] == {}


def test_a_job_without_these_fields_is_not_asked(index, shared, client, monkeypatch):
    job = run_job(shared / QUIET, index=index, fields="picap")
    monkeypatch.setattr(module, "ask", lambda *_: pytest.fail("it was asked"))
    assert 'class="box inset health' not in page_of(client, job)
    told = client.get(f"/jobs/{job.pk}/health/").json()
    assert told["conversations"] is None and told["packets"] is None


def test_while_the_pass_runs_the_page_says_how_far_it_is_and_asks_again(index, shared, client):
    job = run_job(shared / QUIET, index=index)
    assert "data-live" not in page_of(client, job)
    ConversationPass.objects.update_or_create(job=job, defaults={"state": PassState.RUNNING, "packets": 100})
    for part in ("", "health"):
        page = page_of(client, job, part)
        assert f"still looking at conversations: 100 of {job.packets_indexed:,} packets" in page
        assert f'hx-get="/jobs/{job.pk}/live/?part=health"' in page
    assert client.get(f"/jobs/{job.pk}/health/").json()["conversations"]["state"] == "running"
    ConversationPass.objects.filter(job=job).update(state=PassState.DONE, error="packets 1 to 9 (batch 0) were left out: <gone>")
    page = page_of(client, job)
    assert "still looking" not in page and "data-live" not in page
    assert "were left out: &lt;gone&gt;" in page


def test_the_page_is_there_when_the_index_is_not(index, shared, client, monkeypatch):
    job = run_job(shared / QUIET, index=index)

    def away(*_):
        raise BackendAway("nobody answers")

    monkeypatch.setattr(module, "ask", away)
    assert "cannot be asked now: nobody answers" in page_of(client, job)
    assert client.get(f"/jobs/{job.pk}/health/").status_code == 503


def test_what_is_asked_does_not_grow_with_the_packets(index, shared, monkeypatch):
    """Two rounds, of which the second is of what there is."""
    job = run_job(shared / MIX, index=index)
    rounds = []
    real = module.ask
    monkeypatch.setattr(module, "ask", lambda name, calls: rounds.append(len(calls)) or real(name, calls))
    health(index, row("job", str(job.pk)))
    assert len(rounds) == 2 and sum(rounds) <= len(COUNTED) + len(TIMED) * (2 + len(LADDER_US)) + 1


def test_no_job_no_health(db, client):
    answer = client.get("/jobs/999999/health/")
    assert answer.status_code == 404


def test_it_does_not_depend_on_how_packets_are_cut_into_batches(index, shared, client):
    told = []
    for size in (100_000, 1500):
        job = run_job(shared / MIX, index=index, bufsize=size, again="true")
        told.append(client.get(f"/jobs/{job.pk}/health/").json())
    whole, cut = told
    assert cut["conversations"] == {"state": "done", "packets": job.packets_indexed, "forgotten": 0, "error": None}
    assert (cut["packets"], cut["times"], cut["retransmitting_hosts"]) == (
        whole["packets"],
        whole["times"],
        whole["retransmitting_hosts"],
    )
