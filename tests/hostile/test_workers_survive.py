"""Real worker and web processes, and packages whose code kills them at one packet and hangs at another: both are named, all goes
on."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.hostile.capture import udp
from tests.hostile.poison_layer import HANGS as HANGING_PORT
from tests.hostile.poison_layer import poisoned_path
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


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    tmp_path = tmp_path_factory.mktemp("poison")
    project = tmp_path / "project"
    project.mkdir()
    (project / "pyproject.toml").write_text(PROJECT)
    (project / "picapweb_poison.py").write_text(CODE)
    site = install(project, tmp_path / "site")
    path = os.pathsep.join((str(site), str(project), poisoned_path(tmp_path)))
    environment = {"PYTHONPATH": path, "PICAPWEB_BATCH_SECONDS": "2", "PICAPWEB_PACKET_SECONDS": "1"}
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


def test_the_page_of_a_packet_that_hangs(server: Server, tmp_path: Path):
    """Indexed by the fast dissector, which knows no layers of packages; its page would hang in one."""
    capture = tmp_path / "hangs.pcap"
    frames = [udp(5, HANGING_PORT, b"its payload"), udp(5, 6, b"another")]
    records = b"".join(struct.pack("<IIII", 1, 0, len(data), len(data)) + data for data in frames)
    capture.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + records)
    number = server.upload(capture)["id"]
    job = server.until(lambda: told if (told := server.job(number))["state"] not in ("queued", "running") else None)
    assert (job["state"], job["given_up"]) == ("done", None)
    status, said = server.ask("GET", f"/jobs/{job['id']}/packets/1/")
    assert (status, said["layers"], said["bytes"]) == (200, [], frames[0].hex())
    assert said["undissected"] == "its dissector was not done after 1 s (PICAPWEB_PACKET_SECONDS)"
    url = f"http://localhost:{server.port}/jobs/{job['id']}/packets/1/"
    with urlopen(Request(url, headers={"Accept": "text/html"})) as answer:
        page = answer.read().decode()
    assert "<strong>No layers:</strong> its dissector was not done after 1 s" in page
    assert "79 6c 6f 61 64" in page  # the end of its payload in the hexdump
    assert "udp" in page.lower()  # as indexed

    def another() -> Any:
        """A second is little on a busy machine: who did not get it asks again."""
        said = server.ask("GET", f"/jobs/{job['id']}/packets/2/")[1]
        return said if said["undissected"] is None else None

    assert [layer["name"] for layer in server.until(another)["layers"]][:3] == ["Ethernet", "IP", "UDP"]
