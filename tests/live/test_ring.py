"""A ring that turns: the oldest files go, with their columns or without, and every counter still adds up."""

from __future__ import annotations

import pytest

from tests.live import jobs

pytestmark = pytest.mark.needs("../shared")

MIX = "large/derived__merged-home-and-web-mix.pcap"
RING = {"ring_bytes": 1 << 20, "ring_files": 3}


def turned(server, job: int) -> dict:
    """The job once its ring has no file too many, some are gone, and all that was read is indexed or gone."""

    def now() -> dict | None:
        said = server.job(job)
        files = said["live"]["files"]
        behind = said["live"]["lag"]["packets"]
        return said if files["kept"] <= RING["ring_files"] and files["removed"] > 2 and not behind else None

    return dict(server.until(now))


def test_columns_go_with_the_file(server, wire, shared):
    job = jobs.order(server, wire.near, **RING)["id"]
    sent = wire.send(shared / "pcaps" / MIX, "--pps=20000")
    server.until(lambda: server.job(job)["packets"]["read"] == sent)
    turned(server, job)
    said = jobs.agrees(server, job)
    assert said["packets"]["removed"] > 0
    assert said["packets"]["read"] == sent == said["packets"]["indexed"] + said["packets"]["removed"]
    # The next file is there a moment before its row is, by which the ring turns.
    server.until(lambda: len(list((server.data / "captures" / str(job) / "ring").iterdir())) <= RING["ring_files"])
    said = jobs.stop(server, job)
    jobs.adds_up(said)
    assert server.ask("GET", f"/jobs/{job}/packets/1/")[0] == 404
    assert server.ask("GET", f"/jobs/{job}/packets/{sent}/")[0] == 200
    # What is gone is gone from every field, not only from the count of the job.
    (times,) = server.pql(f"TopN(netsrc, Row(job={job}))")
    assert sum(pair["count"] for pair in times) <= said["packets"]["indexed"]


def test_or_the_index_stays_and_says_that_the_bytes_are_gone(server, wire, shared):
    job = jobs.order(server, wire.near, ring_keep_index=True, **RING)["id"]
    sent = wire.send(shared / "pcaps" / MIX, "--pps=20000")
    jobs.indexed(server, job, sent)
    said = turned(server, job)
    assert said["packets"]["indexed"] == sent
    assert said["packets"]["removed"] == 0
    jobs.adds_up(jobs.stop(server, job))
    status, packet = server.ask("GET", f"/jobs/{job}/packets/1/")
    assert status == 200
    assert packet["bytes"] == ""
    assert packet["bytes_gone"]
    values = {one["field"]: one["value"] for one in packet["values"]}
    assert values["iface"] == wire.near
    assert packet["length"] > 0
    status, packet = server.ask("GET", f"/jobs/{job}/packets/{sent}/")
    assert len(packet["bytes"]) == 2 * packet["captured_length"]


def test_the_capture_that_is_kept_can_be_had_as_one_file(server, wire, shared, tmp_path):
    from capture.packets.sources import open_capture

    job = jobs.order(server, wire.near, ring_bytes=1 << 20)["id"]
    sent = wire.send(shared / "pcaps" / MIX, "--pps=20000")
    jobs.indexed(server, job, sent)
    said = jobs.stop(server, job)
    assert said["live"]["files"]["kept"] > 3
    status, body = server.get(f"/jobs/{job}/pcap")
    assert status == 200
    path = tmp_path / "all.pcapng"
    path.write_bytes(body)
    with open_capture(path) as source:
        assert sum(batch.read for batch in source.scan(100_000)) == sent
        assert source.read_error is None
