"""A capture with more conversations open at once than the second pass keeps in mind: packets have values, the job says it."""

from __future__ import annotations

import struct

from django.test import Client

from capture.models import PassState
from capture.services.describe import job_json
from indexing import store
from indexing.calls import Call, RowRef
from tests.capture.packets.conversations.tcp_made import Talk
from tests.capture.packets.conversations.test_bounds import LEAST
from tests.jobs import run_job

COUNT = 6 * LEAST  # the bound is of four partitions together


def flood(path):
    """A pcap (libpcap's format, microseconds) of SYNs, each of another host, a thousand a second."""
    syn = Talk().opened().packets[0]
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for k in range(COUNT):
            second, micro = divmod(k * 1000, 1_000_000)
            file.write(struct.pack("<IIII", 1_700_000_000 + second, micro, len(syn), len(syn)))
            file.write(syn[:26] + (k + 1).to_bytes(4, "big") + syn[30:])


def unanswered(job) -> int:
    """How many of the job's packets are."""
    calls = [Call("Row", args={"row": RowRef("tcp-handshake", 1)}), Call("Row", args={"row": RowRef("job", job.pk)})]
    (result,) = store.backend().query(job.index, [Call("Count", [Call("Intersect", calls)])])
    return result.count


def test_a_flood_of_syns(index, tmp_path, settings):
    client = Client(headers={"host": "localhost", "accept": "text/html"})
    path = tmp_path / "flood.pcap"
    flood(path)
    asked = {"index": index, "bufsize": 40_000, "fields": "job,tcp-handshake", "again": True}
    job = run_job(path, **asked)
    assert job_json(job)["conversations"] == {"state": "done", "packets": COUNT, "forgotten": 0, "error": None}
    assert unanswered(job) == COUNT
    page = client.get(f"/jobs/{job.pk}/").content.decode()
    assert 'id="health"' in page and "quiet for longest" not in page

    settings.CONVERSATIONS = 1
    job = run_job(path, **asked)
    said = job_json(job)["conversations"]
    assert (said["state"], said["packets"], said["error"]) == ("done", COUNT, None)
    assert COUNT - 4 * LEAST <= said["forgotten"] < COUNT
    assert job.conversation_pass.state == PassState.DONE
    assert job.conversation_pass.conversations + said["forgotten"] == COUNT
    assert unanswered(job) == COUNT
    page = client.get(f"/jobs/{job.pk}/").content.decode()
    assert f"{said['forgotten']:,} that were quiet for longest count as if the capture had ended there" in page
