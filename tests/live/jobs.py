"""Live jobs over HTTP, as a user orders them."""

from __future__ import annotations

import json
import time
from typing import Any

from tests.server import PATIENCE, Server


def ordered(server: Server, iface: str | list[str], **options: Any) -> dict[str, Any]:
    """A live job that was just made."""
    names = {iface} if isinstance(iface, str) else set(iface)
    # A request waits two seconds at most for a list that has the newest interface.
    server.until(lambda: names <= {one["name"] for one in server.ask("GET", "/interfaces/")[1] if one["capturable"]})
    status, job = server.ask("POST", "/jobs/", json.dumps({"iface": iface, **options}), **{"Content-Type": "application/json"})
    assert status == 202, job
    return dict(job)


def order(server: Server, iface: str | list[str], **options: Any) -> dict[str, Any]:
    """A live job that captures: its interfaces are open."""
    job = ordered(server, iface, **options)
    names = [iface] if isinstance(iface, str) else iface
    return dict(server.until(lambda: captures(server, job["id"], len(names))))


def captures(server: Server, job: int, interfaces: int = 1) -> dict[str, Any] | None:
    said = server.job(job)
    assert said["state"] in ("queued", "running"), said
    up = [one for one in said["live"]["interfaces"] if one["state"] == "up"]
    return said if len(up) == interfaces else None


def stop(server: Server, job: int) -> dict[str, Any]:
    """Stops it; the job once it has ended."""
    status, said = server.ask("POST", f"/jobs/{job}/stop/")
    assert status == 202, said
    return ended(server, job)


def ended(server: Server, job: int, seconds: float = PATIENCE) -> dict[str, Any]:
    """The job once it has ended."""
    return dict(server.until(lambda: (said := server.job(job))["finished"] and said, seconds))


def indexed(server: Server, job: int, packets: int, seconds: float = PATIENCE) -> dict[str, Any]:
    """The job once so many packets are in every answer."""
    return dict(server.until(lambda: (said := server.job(job))["packets"]["indexed"] >= packets and said, seconds))


def adds_up(job: dict[str, Any]) -> None:
    """Every counter of an ended live job agrees with every other."""
    packets, live = job["packets"], job["live"]
    assert live["received"] == live["captured"] + live["dropped_by_kernel"] + live["unread"], live
    assert packets["read"] == live["captured"], job
    assert packets["read"] == packets["indexed"] + packets["filtered_out"] + packets["failed"] + packets["removed"], packets
    for name in ("received", "captured", "dropped_kernel", "dropped_interface", "bytes_captured"):
        total = {"dropped_kernel": "dropped_by_kernel", "dropped_interface": "dropped_by_interface"}.get(name, name)
        assert live[total] == sum(one[name] for one in live["interfaces"]), (name, live)
    assert live["lag"]["packets"] == 0 or job["state"] != "done", live


def agrees(server: Server, job: int) -> dict[str, Any]:
    """The job once it and the index say the same number of packets.

    Its ring may turn once more after all is read, between two questions: its writer opens the next file when the last is full.
    """

    def same() -> dict[str, Any] | None:
        said = server.job(job)
        return said if server.pql(f"Count(Row(job={job}))") == [said["packets"]["indexed"]] else None

    return dict(server.until(same))


def answers(server: Server, job: int, fields: list[str]) -> list[Any]:
    """What the index says of a job, free of ids and columns."""
    here = f"Row(job={job})"
    asked = [f"Count({here})", f"Sum({here}, field=length)", *(f"TopN({field}, {here})" for field in fields)]
    results: list[Any] = []
    for at in range(0, len(asked), 50):
        results += server.pql(" ".join(asked[at : at + 50]))
    return [sorted((pair["key"], pair["count"]) for pair in one) if isinstance(one, list) else one for one in results]


def pause(seconds: float) -> None:
    """Lets time pass on the wire."""
    time.sleep(seconds)
