"""Capture files named on the command line: each becomes a job of the running server, and its progress is printed."""

from __future__ import annotations

import http.client
import json
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from picapweb.supervisor import say

ENDED = ("done", "failed", "stopped")
POLL_SECONDS = 0.25
PERCENT_STEP = 10


class Server:
    """The running server, as a client on this machine sees it."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.url = f"http://localhost:{port}"

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Status and JSON of one request. Raises OSError."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=600)
        try:
            connection.request(method, path, body, {"Host": f"localhost:{self.port}", "Accept": "application/json", **headers})
            response = connection.getresponse()
            return response.status, json.loads(response.read() or b"null")
        except http.client.HTTPException as error:
            raise OSError(f"the server broke off: {error}") from error
        finally:
            connection.close()


def offer(server: Server, file: Path) -> dict[str, Any] | None:
    """Makes a job of a file, follows it to its end, and prints where to look. The job; None if there is none."""
    try:
        with file.open("rb") as body:
            size = file.stat().st_size
            query = urlencode({"name": file.name})
            status, answer = server.ask(
                "POST", f"/jobs/?{query}", body, **{"Content-Type": "application/vnd.tcpdump.pcap", "Content-Length": str(size)}
            )
    except OSError as error:
        say(f"failed: {file}: {error.strerror or error}")
        return None
    if status == 409 and "job" in answer:
        say(f"{file}: known already, it is job {answer['job']['id']}")
        answer = answer["job"]
    elif status != 202:
        say(f"failed: {file}: {answer.get('detail', answer)}")
        return None
    job = follow(server, answer)
    if job["state"] == "done":
        if job["capture"]["read_error"]:
            say(f"{file}: {job['capture']['read_error']}; the whole packets before it are indexed")
        say(f"indexed: {server.url}/explore/?job={job['id']}")
    else:
        say(f"failed: {file}: job {job['id']} is {job['state']}: {job['error'] or 'it was ended by a user'}")
    return job


def follow(server: Server, job: dict[str, Any]) -> dict[str, Any]:
    """Waits for a job's end, printing its progress: on a terminal in one line, else a line every ten percent."""
    terminal, shown = sys.stdout.isatty(), -PERCENT_STEP
    while job["state"] not in ENDED:
        time.sleep(POLL_SECONDS)
        try:
            status, answer = server.ask("GET", f"/jobs/{job['id']}/")
        except OSError:
            continue
        if status != 200:
            continue
        job = answer
        percent = int(100 * job["progress"]["fraction"])
        text = f"{job['name']}: {percent} %, {job['packets']['indexed']:,} packets, {job['progress']['packets_per_second']:,.0f}/s"
        if job["waiting_for"]:
            text += f", waits: {job['waiting_for']}"
        if terminal:
            print(f"\r\033[K{text}", end="", flush=True)
        elif percent >= shown + PERCENT_STEP:
            shown = percent
            say(text)
    if terminal:
        print("\r\033[K", end="", flush=True)
    return job
