"""Capture files named on the command line: sent to the running server, and followed until their jobs end."""

from __future__ import annotations

import http.client
import json
import os
import stat
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import quote, urlencode, urlsplit

POLL_SECONDS = 0.25
QUIET_SECONDS = 5.0  # between progress lines where there is no terminal to rewrite one on
ENDED = ("done", "stopped", "failed")
NONE: Mapping[str, str] = {}


class Refused(Exception):
    """A file did not become a job; the text says why."""


@dataclass
class Order:
    """A file and the job that it became (or already was)."""

    file: str
    job: dict[str, Any]


def index_files(base: str, files: Sequence[str], out: TextIO = sys.stdout, headers: Mapping[str, str] = NONE) -> None:
    """Make a job of each file, then follow each job to its end, telling ``out``. A file that fails does not stop the rest.

    headers: of every request (picapweb.uploader)."""
    orders = []
    for file in files:
        try:
            orders.append(send(base, file, out, headers))
        except Refused as error:
            _say(out, f"refused: {file}: {error}")
    for order in orders:
        follow(base, order, out, headers)


def send(base: str, file: str, out: TextIO = sys.stdout, as_whom: Mapping[str, str] = NONE) -> Order:
    """POST a file's bytes, streamed. Raises Refused where it cannot be read or the server does not take it."""
    try:
        with open(file, "rb") as body:
            status = os.fstat(body.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise Refused("not a regular file")
            query = urlencode({"name": Path(file).name.encode("utf-8", "surrogateescape")})
            headers = {"Content-Type": "application/vnd.tcpdump.pcap", "Content-Length": str(status.st_size), **as_whom}
            code, answer = _ask(base, "POST", f"/jobs/?{query}", body, headers)
    except OSError as error:
        raise Refused(error.strerror or str(error)) from error
    if code == 202:
        return Order(file, answer)
    if code == 409 and isinstance(answer.get("job"), dict):
        _say(out, f"known: {file} is job {answer['job']['id']}")
        return Order(file, answer["job"])
    raise Refused(str(answer.get("detail") or answer.get("title") or f"HTTP status {code}"))


def follow(base: str, order: Order, out: TextIO = sys.stdout, headers: Mapping[str, str] = NONE) -> None:
    """Wait for a job's end, showing its progress; then ``indexed: URL``, or ``failed:`` with the reason."""
    number, job, said = order.job["id"], order.job, 0.0
    tty = out.isatty()
    while job["state"] not in ENDED:
        if tty or time.monotonic() - said > QUIET_SECONDS:
            said = time.monotonic()
            out.write(("\r\x1b[K" if tty else "") + progress(order.file, job) + ("" if tty else "\n"))
            out.flush()
        time.sleep(POLL_SECONDS)
        try:
            code, answer = _ask(base, "GET", f"/jobs/{number}/", headers=headers)
        except OSError:
            continue  # the web process is being restarted
        if code == 200:
            job = answer
        elif code == 404:
            _say(out, f"failed: {order.file}: job {number} was deleted", clear=tty)
            return
        elif code in (401, 403):
            why = answer.get("detail") or f"HTTP status {code}"
            _say(out, f"not followed: {order.file}: job {number} goes on, but cannot be asked for: {why}", clear=tty)
            return
    if job["state"] == "done":
        if reason := (job.get("capture") or {}).get("read_error"):
            _say(out, f"broken off: {order.file}: {reason}", clear=tty)
            tty = False
        _say(out, f"indexed: {base}/explore/?job={quote(str(number))}", clear=tty)
    else:
        _say(out, f"{job['state']}: {order.file}: {job.get('error') or 'no reason given'}", clear=tty)


def progress(file: str, job: dict[str, Any]) -> str:
    """One line: ``mix.pcap: running, 42 %, 10500 packets/s``."""
    now = job.get("progress") or {}
    parts = [job["state"]]
    if now.get("fraction") is not None:
        parts.append(f"{100 * now['fraction']:.0f} %")
    if now.get("packets_per_second"):
        parts.append(f"{now['packets_per_second']:.0f} packets/s")
    return f"{Path(file).name}: {', '.join(parts)}"


def _ask(base: str, method: str, path: str, body: Any = None, headers: Mapping[str, str] = NONE) -> tuple[int, dict[str, Any]]:
    """Status and JSON of an answer. Raises OSError where there is none."""
    address = urlsplit(base)
    assert address.hostname
    host = "127.0.0.1" if address.hostname == "localhost" else address.hostname
    connection = http.client.HTTPConnection(host, address.port, timeout=60)
    headers = {"Host": address.netloc, "Accept": "application/json", **headers}
    try:
        try:
            connection.request(method, path, body, headers)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before the body was read: the answer says why
        response = connection.getresponse()
        answer = json.loads(response.read())
        return response.status, answer if isinstance(answer, dict) else {}
    except (http.client.HTTPException, ValueError) as error:
        raise OSError(f"the server's answer cannot be read: {error!r}") from error
    finally:
        connection.close()


def _say(out: TextIO, line: str, *, clear: bool = False) -> None:
    out.write(("\r\x1b[K" if clear else "") + line + "\n")
    out.flush()
