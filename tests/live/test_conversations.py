"""What belongs to conversations, of a live job: there within moments, final when there, and as of its capture read as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from capture.packets.conversations.contract import NAMES
from capture.packets.registry import FIELDS
from tests.live import jobs
from tests.live.wire import Wire
from tests.server import Server

pytestmark = pytest.mark.needs("../shared")

CAPTURES = ("protocols/zeek__wikipedia.pcap", "protocols/zeek__nmap-vsn.pcap", "protocols/nfstream__http_ipv6.pcap")


def values(server: Server, job: int) -> dict[str, Any]:
    """By field: of each row the packets that have it, from 0; of numbers, of each power of two the packets that reach it."""
    here = f"Row(job={job})"
    (mine,) = server.pql(here)
    place = {column: i for i, column in enumerate(mine["columns"])}
    rows: dict[str, list[str]] = {}
    for name in NAMES:
        field = FIELDS[name]
        if field.kind == "int":
            asked = [f"Row({name} >= {1 << bit})" for bit in range(30)] + [f"Row({name} == 0)"]
        else:
            (pairs,) = server.pql(f"TopN({name}, {here})")
            asked = [f'Row({name}="{pair["key"]}")' for pair in pairs]
        rows[name] = asked
    every = [query for asked in rows.values() for query in asked]
    found: dict[str, Any] = {}
    for at in range(0, len(every), 40):
        some = every[at : at + 40]
        for query, said in zip(some, server.pql(" ".join(f"Intersect({query}, {here})" for query in some)), strict=True):
            found[query] = [place[column] for column in said["columns"]]
    return {query: packets for query, packets in found.items() if packets}


def done(server: Server, job: int) -> dict[str, Any]:
    """The job once its second pass is over."""
    return dict(server.until(lambda: (said := server.job(job))["conversations"]["state"] == "done" and said))


def test_a_live_jobs_values_are_those_of_its_capture_as_a_file(server: Server, wire: Wire, shared: Path, tmp_path: Path) -> None:
    live = jobs.order(server, wire.near)["id"]
    sent = 0
    for capture in (*CAPTURES, CAPTURES[0]):  # once more: ports are used again, everything is sent again
        sent += wire.send(shared / "pcaps" / capture, "--pps", "300")
        jobs.pause(0.3)
    jobs.indexed(server, live, sent)
    # While it goes on: what is final is there.
    server.until(lambda: server.pql(f'Count(Intersect(Row(job={live}), Row(tcp-handshake="complete")))') > [0])
    said = server.job(live)
    assert said["conversations"]["state"] == "running"
    # A SYN may still be answered: nobody says yet that it was not.
    assert server.pql(f'Count(Intersect(Row(job={live}), Row(tcp-handshake="unanswered")))') == [0]
    assert jobs.stop(server, live)["packets"]["indexed"] == sent
    said = done(server, live)
    assert said["conversations"] == {"state": "done", "packets": sent, "forgotten": 0, "error": None}

    stored = tmp_path / "live.pcapng"
    status, content = server.get(f"/jobs/{live}/pcap")
    assert status == 200
    stored.write_bytes(content)
    uncut = server.upload(stored, "?again=true")["id"]
    done(server, uncut)
    whole = values(server, uncut)
    assert values(server, live) == whole
    cut = server.upload(stored, "?again=true&bufsize=37")["id"]
    done(server, cut)
    assert values(server, cut) == whole
    assert {name for name in NAMES for query in whole if query.startswith(f"Row({name}")} > {
        "tcp-analysis",
        "tcp-handshake",
        "tcp-rtt-us",
        "tcp-irtt-us",
        "http-response-us",
    }


def test_time_runs_out_on_an_idle_link_too(server: Server, wire: Wire, shared: Path) -> None:
    """No packet follows that would say how late it is: the clock of who captures does. The job goes on meanwhile."""
    live = jobs.order(server, wire.near)["id"]
    sent = wire.send(shared / "pcaps" / "protocols/zeek__nmap-vsn.pcap")
    jobs.indexed(server, live, sent)
    server.until(lambda: server.pql(f'Count(Intersect(Row(job={live}), Row(tcp-handshake="unanswered")))') > [0], 150)
    assert server.job(live)["state"] == "running"
    jobs.stop(server, live)
