"""How a live job ends: by a person, by a rule, by its interface; and that it goes on when it is told to."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request

import pytest

from capture.packets.values import text_of
from tests.components import ROOT
from tests.live import jobs

pytestmark = pytest.mark.needs("../shared")

MIX = "large/derived__merged-home-and-web-mix.pcap"
PACKETS = 20936


def test_stop_works_and_what_was_captured_is_indexed(server, wire, shared):
    job = jobs.order(server, wire.near)["id"]
    with wire.sender(shared / "pcaps" / MIX, "--pps=5000", "--loop=0") as process:
        jobs.indexed(server, job, 1000)
        status, _ = server.ask("POST", f"/jobs/{job}/stop/")
        assert status == 202
        # The wire goes on: it is the stop that ends it.
        server.until(lambda: not server.job(job)["live"]["capturing"])
        process.terminate()
    said = jobs.ended(server, job)
    assert said["state"] == "stopped"
    jobs.adds_up(said)
    assert said["packets"]["indexed"] == said["live"]["captured"] >= 1000


@pytest.mark.parametrize(("rule", "limit"), [("max_packets", 5000), ("max_bytes", 1_000_000), ("max_seconds", 2)])
def test_a_stop_rule_ends_it_as_done(server, wire, shared, rule, limit):
    # Not waited for until it captures: that may be over before it is seen.
    job = jobs.ordered(server, wire.near, **{rule: limit})["id"]
    with wire.sender(shared / "pcaps" / MIX, "--pps=20000", "--loop=0") as process:
        said = jobs.ended(server, job)
        process.terminate()
    assert (said["state"], said["error"], said["live"]["ending"]) == ("done", None, rule.removeprefix("max_"))
    jobs.adds_up(said)
    packets = said["packets"]["indexed"]
    if rule == "max_packets":
        assert packets == limit
    elif rule == "max_bytes":
        largest = 1 << 16
        assert limit <= said["live"]["bytes_captured"] < limit + largest
    else:
        assert said["live"]["seconds"] >= limit * 0.8
    assert server.pql(f"Count(Row(job={job}))") == [packets]


def test_a_stopped_job_is_retried_and_captures_on(server, wire, shared):
    job = jobs.order(server, wire.near)["id"]
    sent = wire.send(shared / "pcaps" / MIX, "--pps=40000")
    jobs.indexed(server, job, sent)
    jobs.stop(server, job)
    assert wire.send(shared / "pcaps" / MIX, "--pps=40000", "--limit=100") == 100, "nobody hears these"
    status, said = server.ask("POST", f"/jobs/{job}/retry/")
    assert status == 202, said
    server.until(lambda: jobs.captures(server, job))
    again = wire.send(shared / "pcaps" / MIX, "--pps=40000", "--limit=500")
    jobs.indexed(server, job, sent + again)
    said = jobs.stop(server, job)
    assert said["packets"]["indexed"] == sent + again == said["live"]["captured"]
    jobs.adds_up(said)
    assert [why for _, _, why in said["live"]["gaps"]] == ["the job was stopped"]
    last = server.ask("GET", f"/jobs/{job}/packets/{sent + again}/")
    assert last[0] == 200, "packets are numbered on"
    assert server.ask("GET", f"/jobs/{job}/packets/{sent + again + 1}/")[0] == 404


def test_an_interface_that_goes_down_and_comes_back_is_captured_on(server, wire, shared):
    job = jobs.order(server, wire.near)["id"]
    first = wire.send(shared / "pcaps" / MIX, "--pps=40000", "--limit=300")
    jobs.indexed(server, job, first)
    wire.down()
    server.until(lambda: server.job(job)["live"]["interfaces"][0]["state"] == "down")
    said = server.job(job)
    assert said["state"] == "running"
    assert wire.near in said["live"]["words"]
    wire.up()
    server.until(lambda: jobs.captures(server, job))
    second = wire.send(shared / "pcaps" / MIX, "--pps=40000", "--limit=200")
    jobs.indexed(server, job, first + second)
    said = jobs.stop(server, job)
    assert said["packets"]["indexed"] == first + second
    jobs.adds_up(said)


def test_a_job_on_an_interface_that_is_down_waits_for_it(server, wire, shared):
    wire.down()
    job = jobs.ordered(server, wire.near)["id"]
    server.until(lambda: (one := server.job(job)["live"]["interfaces"]) and one[0]["state"] == "down")
    wire.up()
    server.until(lambda: jobs.captures(server, job))
    sent = wire.send(shared / "pcaps" / MIX, "--pps=40000", "--limit=200")
    jobs.indexed(server, job, sent)
    assert jobs.stop(server, job)["packets"]["indexed"] == sent


def test_an_interface_that_is_deleted_ends_it_with_the_reason(server, wire, shared):
    job = jobs.order(server, wire.near)["id"]
    sent = wire.send(shared / "pcaps" / MIX, "--pps=40000", "--limit=300")
    jobs.indexed(server, job, sent)
    wire.delete()
    said = jobs.ended(server, job)
    assert said["state"] == "failed"
    assert wire.near in said["error"]
    assert said["live"]["ending"] == "gone"
    assert said["packets"]["indexed"] == sent
    jobs.adds_up(said)


def test_a_deleted_job_is_captured_no_more_and_leaves_nothing(server, wire, shared):
    job = jobs.order(server, wire.near)["id"]
    sent = wire.send(shared / "pcaps" / MIX, "--pps=40000", "--limit=500")
    jobs.indexed(server, job, sent)
    folder = server.data / "captures" / str(job)
    assert list(folder.rglob("*.pcapng"))
    assert server.ask("DELETE", f"/jobs/{job}/")[0] == 204
    assert server.pql(f"Count(Row(job={job}))") == [0]
    server.until(lambda: not folder.exists())
    other = jobs.order(server, wire.near)["id"]
    jobs.stop(server, other)


def test_a_name_may_be_any_bytes(server, wire, shared):
    raw = b"pw\xff\xfe" + wire.near[2:8].encode()
    wire.down()
    subprocess.run([b"ip", b"link", b"set", wire.near.encode(), b"name", raw], check=True)
    wire.near = os.fsdecode(raw)
    wire.up()
    name = text_of(raw)
    assert name.startswith("pw\\xff\\xfe")
    # scapy by itself cannot be imported now
    subprocess.run([sys.executable, "-c", "import capture.sample, capture.packets.scapy_dissector.tree"], cwd=ROOT, check=True)
    server.until(lambda: name in {one["name"] for one in server.ask("GET", "/interfaces/")[1]})
    job = jobs.order(server, name)["id"]
    sent = wire.send(shared / "pcaps" / MIX, "--pps=40000", "--limit=100")
    jobs.indexed(server, job, sent)
    assert jobs.stop(server, job)["live"]["interfaces"][0]["name"] == name
    (found,) = server.pql(f"TopN(iface, Row(job={job}))")
    assert [(pair["key"], pair["count"]) for pair in found] == [(name, sent)]
    for page in (f"/jobs/{job}/", "/interfaces/", "/jobs/new/"):
        request = urllib.request.Request(f"http://127.0.0.1:{server.port}{page}", headers={"Accept": "text/html"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status == 200
            assert name in answer.read().decode()


def test_two_jobs_on_one_interface_and_one_job_on_two(server, wire, shared):
    from tests.live.wire import Wire

    with Wire() as other:
        one = jobs.order(server, wire.near)["id"]
        both = jobs.order(server, [wire.near, other.near])["id"]
        first = wire.send(shared / "pcaps" / MIX, "--pps=40000", "--limit=700")
        second = other.send(shared / "pcaps" / MIX, "--pps=40000", "--limit=300")
        jobs.indexed(server, one, first)
        jobs.indexed(server, both, first + second)
        alone, together = jobs.stop(server, one), jobs.stop(server, both)
    assert alone["packets"]["indexed"] == first
    assert together["packets"]["indexed"] == first + second
    for said in (alone, together):
        jobs.adds_up(said)
    (counts,) = server.pql(f"TopN(iface, Row(job={both}))")
    assert {pair["key"]: pair["count"] for pair in counts} == {wire.near: first, other.near: second}
