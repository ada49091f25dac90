"""Parts are killed while packets come: what is on the disk is whole up to the last flush, and each packet of it indexed once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from capture.packets.batch import NO_TIME
from capture.packets.sources import open_capture
from tests.live import jobs
from tests.server import Server

pytestmark = pytest.mark.needs("../shared")

MIX = "large/derived__merged-home-and-web-mix.pcap"
# What is indexed makes no difference here, and all fields would keep a machine of two cores busy.
FEW = "picap"
SETTINGS = {"PICAPWEB_LEASE_SECONDS": "4", "PICAPWEB_WORKERS": "2"}


@pytest.fixture
def data(tmp_path) -> Path:
    return Path(tmp_path) / "data"


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    """One for all: a fault that leaves traces would show in the next test."""
    with Server(tmp_path_factory.mktemp("faults") / "data", **SETTINGS) as started:
        yield started


def on_disk(server: Server, job: int) -> int:
    """Packets in the job's ring files, counted by the reader of files; each file is whole."""
    packets = 0
    for path in sorted((server.data / "captures" / str(job) / "ring").iterdir()):
        with open_capture(path) as source:
            for batch in source.scan(100_000):
                packets += batch.read
                assert (batch.locator["time_ns"] != NO_TIME).all()
            assert source.read_error is None, (path, source.read_error)
    return packets


def exact(server: Server, job: int) -> dict:
    """Stops a job and compares its index with its files: as many packets, each number once."""
    said = jobs.stop(server, job)
    jobs.adds_up(said)
    packets = on_disk(server, job)
    assert said["packets"]["indexed"] == packets == said["live"]["captured"]
    assert server.pql(f"Count(Row(job={job}))") == [packets]
    assert sum(last - first + 1 for first, last in said["columns"]) == packets
    numbers = set()
    cursor = ""
    while cursor is not None:
        page = server.ask("GET", f"/packets/?job={job}&limit=10000&fields=length" + (f"&cursor={cursor}" if cursor else ""))[1]
        numbers |= {packet["number"] for packet in page["packets"]}
        cursor = page["next"]
    assert numbers == set(range(1, packets + 1))
    return said


def back(server: Server, name: str, before: int) -> bool:
    """Whether a service runs again, in another process."""
    try:
        return server.child(name).pid != before
    except (StopIteration, psutil.Error):  # it is just ending, or beginning
        return False


def each(processes: list[psutil.Process], do: Callable[[psutil.Process], None]) -> None:
    """Does something with each of those that have not ended meanwhile."""
    for one in processes:
        try:
            do(one)
        except psutil.NoSuchProcess:
            continue


def kill(process: psutil.Process) -> None:
    each([process, *process.children(recursive=True)], psutil.Process.kill)


def test_the_live_worker_is_killed(server, wire, shared):
    job = jobs.order(server, wire.near, fields=FEW)["id"]
    with wire.sender(shared / "pcaps" / MIX, "--pps=2000", "--loop=0") as process:
        for times, wanted in enumerate((1500, 4000), 1):
            jobs.indexed(server, job, wanted)
            kill(server.child("live"))
            server.until(lambda n=times: len(server.job(job)["live"]["gaps"]) == n)
            server.until(lambda: jobs.captures(server, job))
        process.terminate()
    said = exact(server, job)
    assert said["state"] == "stopped"
    assert len(said["live"]["gaps"]) == 2
    assert all("live worker" in why for _, _, why in said["live"]["gaps"])


def test_the_indexing_workers_are_killed(server, wire, shared):
    job = jobs.order(server, wire.near, fields=FEW)["id"]
    with wire.sender(shared / "pcaps" / MIX, "--pps=2000", "--loop=0") as process:
        for wanted in (1500, 4000):
            jobs.indexed(server, job, wanted)
            worker = server.child("worker")
            kill(worker)
            # More than the next number may be indexed already: that is no sign of a worker.
            server.until(lambda before=worker.pid: back(server, "worker", before))
        jobs.indexed(server, job, 6000)
        process.terminate()
    said = exact(server, job)
    assert said["live"]["gaps"] == [], "capturing did not notice"
    assert said["live"]["dropped_by_kernel"] == 0


def test_postgres_is_killed(server, wire, shared):
    job = jobs.order(server, wire.near, fields=FEW)["id"]
    with wire.sender(shared / "pcaps" / MIX, "--pps=2000", "--loop=0") as process:
        jobs.indexed(server, job, 1500)
        before = server.child("postgres").pid
        kill(server.child("postgres"))
        server.until(lambda: back(server, "postgres", before))
        server.until(lambda: server.ask("GET", f"/jobs/{job}/")[0] == 200)
        jobs.indexed(server, job, 6000)
        process.terminate()
    said = exact(server, job)
    assert said["live"]["gaps"] == [], "capturing went on"


def test_postgres_is_suspended_while_files_turn(server, wire, shared):
    """As good as away for some seconds: files that are begun and ended meanwhile get their rows afterwards."""
    job = jobs.order(server, wire.near, fields=FEW, ring_bytes=1 << 20)["id"]
    postgres = server.child("postgres")
    with wire.sender(shared / "pcaps" / MIX, "--pps=5000", "--loop=0") as process:
        jobs.indexed(server, job, 2000)
        family = [postgres, *postgres.children(recursive=True)]
        each(family, psutil.Process.suspend)
        try:
            jobs.pause(3)
        finally:
            each(family, psutil.Process.resume)
        jobs.indexed(server, job, 20000)
        process.terminate()
    said = exact(server, job)
    assert said["live"]["gaps"] == []
    assert said["live"]["files"]["kept"] > 5


def test_everything_is_stopped_and_started_again_then_the_machine_stops_dead(data, wire, shared):
    """First as a person ends it, then all processes are killed at once, as a machine without power ends them (what the disk has
    not got yet apart). One test: the second start is the first one of what comes then, and a start takes long."""
    with Server(data, **SETTINGS) as server:
        job = jobs.order(server, wire.near, fields=FEW)["id"]
        first = wire.send(shared / "pcaps" / MIX, "--pps=20000")
        server.until(lambda: server.job(job)["live"]["captured"] == first)

    with Server(data, **SETTINGS) as server:
        server.until(lambda: jobs.captures(server, job))
        second = wire.send(shared / "pcaps" / MIX, "--pps=20000", "--limit=1000")
        jobs.indexed(server, job, first + second)
        said = exact(server, job)
        assert said["packets"]["indexed"] == first + second
        assert len(said["live"]["gaps"]) == 1

        job = jobs.order(server, wire.near, fields=FEW)["id"]
        with wire.sender(shared / "pcaps" / MIX, "--pps=5000", "--loop=0") as process:
            jobs.indexed(server, job, 3000)
            each([psutil.Process(server.pid), *server.family()], psutil.Process.kill)
            server.wait()
            process.terminate()
    with Server(data, **SETTINGS) as again:
        again.until(lambda: jobs.captures(again, job))
        sent = wire.send(shared / "pcaps" / MIX, "--pps=20000", "--limit=1000")
        assert sent == 1000
        again.until(lambda: again.job(job)["live"]["lag"]["packets"] == 0 and again.job(job)["packets"]["indexed"] >= 4000)
        said = exact(again, job)
        assert said["live"]["gaps"]


def test_a_job_that_is_to_stop_while_its_worker_is_dead_is_ended_by_others(server, wire, shared):
    job = jobs.order(server, wire.near, fields=FEW)["id"]
    sent = wire.send(shared / "pcaps" / MIX, "--pps=20000")
    server.until(lambda: server.job(job)["live"]["captured"] == sent)
    live = server.child("live")
    live.suspend()
    status, _ = server.ask("POST", f"/jobs/{job}/stop/")
    assert status == 202
    said = jobs.ended(server, job)
    assert said["packets"]["indexed"] == sent
    kill(live)
    server.until(lambda: back(server, "live", live.pid))
    server.until(lambda: any(one["capturable"] for one in server.ask("GET", "/interfaces/")[1]))
    assert server.job(job)["state"] == "stopped"


def test_the_disk_limit_ends_it_cleanly(data, wire, shared):
    free = psutil.disk_usage(str(data.parent)).free
    with Server(data, PICAPWEB_MIN_FREE_BYTES=str(2 * free), **SETTINGS) as server:
        said = jobs.ended(server, jobs.ordered(server, wire.near)["id"])
        assert (said["state"], said["live"]["ending"]) == ("stopped", "disk")
        assert "free" in said["error"]
        jobs.adds_up(said)
