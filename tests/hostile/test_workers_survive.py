"""Real worker processes, and a package whose code kills them at one packet and hangs at another: both are named, all goes on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.installed import install
from tests.server import Server

CAPTURE = "pcaps/protocols/zeek__wikipedia.pcap"
PACKETS, IPV4 = 136, 121
KILLS, HANGS = 20, 90

PROJECT = """
[project]
name = "picapweb-poison"
version = "1"
[project.entry-points."picapweb.fields"]
poison = "picapweb_poison"
"""
CODE = f"""
import os, re, signal
import numpy as np
from capture.packets.columns import IntValues
from capture.packets.fields import Field

FIELDS = [Field("half", "int", "Half the length.", "Row(half > 5)", level="packet", minimum=0, maximum=1 << 20)]

def values(batch, fields):
    number = batch.locator["number"]
    if (number == {KILLS}).any():
        os.kill(os.getpid(), signal.SIGKILL)
    if (number == {HANGS}).any():
        re.match(r"(a|aa)+$", "a" * 60 + "b")  # for ages, in C, with Python's lock held
    return {{"half": IntValues(np.arange(len(batch), dtype=np.uint32), batch.locator["wire_length"].astype(np.int64) // 2)}}
"""


@pytest.fixture
def server(tmp_path: Path):
    project = tmp_path / "project"
    project.mkdir()
    (project / "pyproject.toml").write_text(PROJECT)
    (project / "picapweb_poison.py").write_text(CODE)
    site = install(project, tmp_path / "site")
    environment = {"PYTHONPATH": os.pathsep.join((str(site), str(project))), "PICAPWEB_BATCH_SECONDS": "2"}
    # The lease is longer than the test may take: what a dead process had claimed is taken over without it.
    with Server(tmp_path / "data", PICAPWEB_LEASE_SECONDS="600", **environment) as started:
        yield started


@pytest.mark.needs("../shared")
def test_a_packet_that_kills_and_one_that_hangs(server: Server, shared: Path):
    job = server.upload(shared / CAPTURE, "?bufsize=16&fields=picap,half")
    server.until(lambda: server.job(job["id"])["state"] not in ("queued", "running"))
    job = server.job(job["id"])
    assert (job["state"], job["error"]) == ("done", None)
    assert job["packets"]["read"] == job["packets"]["indexed"] == PACKETS
    assert (job["packets"]["failed"], job["packets"]["filtered_out"]) == (0, 0)
    first, second = job["given_up"]["ranges"]
    assert (first["first"], first["last"], second["first"], second["last"]) == (KILLS, KILLS, HANGS, HANGS)
    assert "SIGKILL" in first["reason"]
    assert "not done after" in second["reason"]
    counts = server.pql(f'Count(Row(job={job["id"]})) Count(Row(half > 0)) Count(Row(netproto="IPv4"))')
    assert counts == [PACKETS, PACKETS - 2, IPV4]
    # The worker is as good as new.
    again = server.upload(shared / CAPTURE, "?again=true&fields=picap")
    server.until(lambda: server.job(again["id"])["state"] == "done")
