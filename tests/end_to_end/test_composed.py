"""The compose file's services on this machine: web, workers, clock, Postgres, Valkey, three nodes of Pilosa; one node dies."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.end_to_end.composed import Composed
from tests.pilosa import MISSED_SECONDS

pytestmark = pytest.mark.needs("Pilosa (Go)")
CAPTURE = "large/derived__merged-home-and-web-mix.pcap"
QUERY = "TopN(netsrc, n=5) TopN(transdst, n=5) Count(Row(tcp=SYN)) Sum(field=length)"


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory):
    with Composed(tmp_path_factory.mktemp("composed")) as services:
        services.sign_up()
        yield services


def _upload(composed: Composed, capture: Path, **options: str) -> int:
    query = "&".join(f"{name}={value}" for name, value in options.items())
    status, job = composed.ask(
        "POST", f"/jobs/?{query}", capture.read_bytes(), **{"Content-Type": "application/vnd.tcpdump.pcap"}
    )
    assert status == 202, job
    return int(job["id"])


def _done(composed: Composed, job: int):
    status, said = composed.ask("GET", f"/jobs/{job}/")
    assert status == 200, said
    assert said["state"] not in ("failed", "stopped"), said
    return said if said["state"] == "done" else None


def _answers(composed: Composed, query: str):
    """The results, or None where they are refused: with a 503 that says why."""
    status, said = composed.ask("POST", "/index/net/query", query, **{"Content-Type": "text/plain"})
    if status == 200:
        return said["results"]
    assert status == 503, (status, said)
    assert said["error"]
    return None


def test_health_checks_tell_who_is_away(composed: Composed) -> None:
    for service in ("web", "worker", "beat"):  # a clock may tick for the first time when all else serves already
        composed.wait(lambda service=service: composed.health(service) == "")
    composed.kill("beat")
    assert composed.health("live").startswith("live: no live worker of 'live' has said that it lives")
    (composed.folder / "data" / "beat").unlink()
    assert composed.health("beat").startswith("beat: ")
    composed.start("beat")
    composed.wait(lambda: composed.health("beat") == "")


def test_a_node_dies_amid_a_job_and_comes_back(composed: Composed, shared: Path) -> None:
    capture = shared / "pcaps" / CAPTURE
    one = _upload(composed, capture, fields="picap")
    said = composed.wait(lambda: _done(composed, one))
    packets = said["packets"]["indexed"]
    assert packets == said["packets"]["read"] > 1000
    whole = _answers(composed, QUERY)
    assert whole is not None

    composed.kill("pilosa2")
    missed = time.monotonic() + MISSED_SECONDS
    two = _upload(composed, capture, fields="picap", again="1", bufsize="5000")
    asked = 0
    while asked < 40 or time.monotonic() < missed:  # until the others have missed it, and after that
        answer = _answers(composed, f"Count(Row(job={one}))")
        assert answer in (None, [packets])
        asked += 1

    composed.start("pilosa2")
    composed.wait(lambda: _done(composed, two))
    composed.wait(composed.cluster_is_normal)
    assert composed.wait(lambda: _answers(composed, f"Count(Row(job={one})) Count(Row(job={two}))")) == [packets, packets]
    both = composed.wait(lambda: _answers(composed, QUERY))
    doubled = json.loads(json.dumps(whole))
    for pairs in doubled[:2]:
        for pair in pairs:
            pair["count"] *= 2
    doubled[2] *= 2
    doubled[3] = {name: 2 * value for name, value in doubled[3].items()}
    assert both == doubled
