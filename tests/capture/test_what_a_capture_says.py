"""What a pcapng file says of itself beside its packets is in the job and on its page."""

from __future__ import annotations

from pathlib import Path

import pytest

from capture.models import CaptureFile
from capture.packets.batch import CaptureInfo, InterfaceInfo
from capture.packets.locator import read_locator_and_names
from capture.services.create import MAX_LISTED, keep_info
from capture.services.describe import job_json
from indexing import pipeline
from indexing.models import Batch
from tests.capture.packets.sources.writing import enhanced, interface, option, section, statistics
from tests.jobs import run_job

FRAME = bytes(12) + b"\x08\x00" + bytes.fromhex("4500001c000000004011000001020304050607080035d43100080000")


@pytest.fixture
def talkative(tmp_path: Path) -> Path:
    path = tmp_path / "talkative.pcapng"
    path.write_bytes(
        section(options=option(1, b"evidence 7") + option(2, b"amd64") + option(3, b"Linux 6.1") + option(4, b"Dumpcap <4.0>"))
        + interface(1, 96, option(2, b"eth0") + option(3, b"uplink & more") + option(11, b"\0tcp or udp") + option(12, b"Linux"))
        + enhanced(FRAME, 42, 1_700_000_000_000_000, options=option(2, b"\1\0\0\0") + option(4, (3).to_bytes(8, "little")))
        + enhanced(FRAME, 42, 1_700_000_000_000_001, options=option(1, b"look\0 here"))
        + interface(1, 0, option(2, b"tap\xff"))
        + enhanced(FRAME, 42, 1_700_000_000_000_002, 1, options=option(2, b"\2\0\0\0"))
        + statistics(0, {4: 1000, 5: 20})
        + statistics(0, {4: 2000, 5: 30, 6: 1900, 7: 4})
    )
    return path


def test_the_job_tells_it(data, talkative: Path) -> None:
    capture = job_json(run_job(talkative, bufsize=1))["capture"]
    assert (capture["application"], capture["hardware"], capture["os"]) == ("Dumpcap <4.0>", "amd64", "Linux 6.1")
    assert capture["comments"] == ["evidence 7"]
    assert capture["packet_comments"] == [{"number": 2, "comment": "look\\x00 here"}]
    assert capture["commented_packets"] == 1
    assert capture["notes"] == []
    first, second = capture["interfaces"]
    assert first == {
        "linktype": 1,
        "linktype_name": "EN10MB",
        "snaplen": 96,
        "name": "eth0",
        "description": "uplink & more",
        "filter": "tcp or udp",
        "hardware": "",
        "os": "Linux",
        "received": 2000,
        "dropped": 30,
        "os_dropped": 4,
        "accepted": 1900,
        "lost": 3,
    }
    assert (second["name"], second["received"], second["lost"]) == ("tap\\xff", None, 0)


def test_the_page_shows_it(data, talkative: Path, client) -> None:
    job = run_job(talkative)
    page = client.get(f"/jobs/{job.pk}/", HTTP_ACCEPT="text/html", HTTP_HOST="localhost").content.decode()
    for shown in ("Dumpcap &lt;4.0&gt; on Linux 6.1, amd64", "eth0", "uplink &amp; more", "tcp or udp", "2,000", "tap\\xff"):
        assert shown in page, shown
    assert f'<a href="/jobs/{job.pk}/packets/2/">2</a> look' in page


def test_a_batch_brings_the_names_of_its_interfaces(data, talkative: Path) -> None:
    job = run_job(talkative, bufsize=2)
    found = [pipeline.read(batch) for batch in Batch.objects.filter(job=job.pk).order_by("sequence")]
    named = [[one.interfaces[i] for i in one.locator["interface"].tolist()] for one in found]
    assert named == [[b"eth0", b"eth0"], [b"tap\xff"]]
    assert [one.locator["direction"].tolist() for one in found] == [[1, 0], [2]]
    assert read_locator_and_names(data / Batch.objects.filter(job=job.pk).order_by("sequence")[1].locator)[1] == (b"", b"tap\xff")


def test_a_thousand_interfaces_are_listed_and_the_rest_is_said() -> None:
    info = CaptureInfo("pcapng", "little", "10^-6", 0, [InterfaceInfo(1, 0, f"eth{n}") for n in range(MAX_LISTED + 5)])
    capture = CaptureFile()
    keep_info(capture, info)
    assert [one["name"] for one in capture.info["interfaces"]] == [f"eth{n}" for n in range(MAX_LISTED)]
    assert capture.info["notes"] == ["of 1005 interfaces the first 1000 are listed"]
