"""Jobs: new ones from files and interfaces, those that are there, and waiting for them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, TypedDict, Unpack

from picapweb_client.asking import Asking
from picapweb_client.errors import Conflict
from picapweb_client.job import Job, State, Watch, job_of
from picapweb_client.progress import upload_bar
from picapweb_client.sending import Source, sending
from picapweb_client.waiting import wait_for

RAW = "application/octet-stream"
# Hashing and storing go along with the upload; what comes after the last byte is short, but a slow disk may hold it up.
UPLOAD_SECONDS = 300.0


class JobOptions(TypedDict, total=False):
    """Options of a new job: docs/api.md says what each means. Times are seconds, or texts like "1m30s"."""

    name: str
    tags: Sequence[str] | str
    index: str
    filter: str
    dissector: Literal["fast", "scapy"]
    fields: Sequence[str] | str
    concurrency: int
    bufsize: int
    max_packets: int
    retention: Literal["keep", "captures", "index", "all"]
    keep_seconds: float | str
    keep_bytes: int
    again: bool
    snaplen: int
    promisc: bool
    timeout: float | str
    buffer_bytes: int
    max_bytes: int
    max_seconds: float | str
    ring_bytes: int
    ring_files: int
    ring_keep_index: bool
    own_traffic: bool


class Jobs(Asking):
    """See above."""

    def upload(
        self,
        source: Source,
        *,
        known: Literal["error", "use", "again"] = "error",
        wait: bool | float = False,
        progress: Watch = False,
        **options: Unpack[JobOptions],
    ) -> Job:
        """A job for a capture: a path, bytes, or a file object that is open for reading; never read whole.

        known: what to do where the same capture was indexed in the same way already: "error" raises Conflict, whose `job` it is;
        "use" takes that job; "again" indexes it again. wait: True waits for the job's end, a number at most so many seconds
        (WaitTimeout), see Job.wait. progress: True shows bars. Raises PicapwebError with `option` for a bad option."""
        with sending(source) as body:
            given: dict[str, Any] = {**options}
            if body.name is not None:
                given.setdefault("name", body.name)
            if known == "again":
                given["again"] = True
            headers = {"Content-Type": RAW}
            if body.size is not None:
                headers["Content-Length"] = str(body.size)
            with upload_bar(progress, given.get("name", "capture"), body.size) as body.sent:
                parameters = [(name, _text(value)) for name, value in given.items()]
                try:
                    told = self.http.json(
                        "POST",
                        "/jobs/",
                        parameters,
                        body=body,
                        headers=headers,
                        timeout=max(UPLOAD_SECONDS, self.http.timeout),
                    )
                except Conflict as conflict:
                    there = conflict.members.get("job")
                    if there is None:
                        raise
                    conflict.job = self.job_from(there)
                    if known != "use":
                        raise
                    told = there
        return self._waited(self.job_from(told), wait, progress)

    def capture(
        self, iface: str | Sequence[str], *, wait: bool | float = False, progress: Watch = False, **options: Unpack[JobOptions]
    ) -> Job:
        """A job that captures on an interface, or on several at once, until it is stopped or one of its limits is reached."""
        names = [iface] if isinstance(iface, str) else list(iface)
        return self._waited(self._ordered({"iface": names, **options}), wait, progress)

    def import_file(
        self, filename: str, *, wait: bool | float = False, progress: Watch = False, **options: Unpack[JobOptions]
    ) -> Job:
        """A job for a file in the server's import folder."""
        return self._waited(self._ordered({"filename": filename, **options}), wait, progress)

    def _ordered(self, order: Mapping[str, Any]) -> Job:
        body = json.dumps({name: list(value) if isinstance(value, tuple) else value for name, value in order.items()})
        return self.job_from(self.http.json("POST", "/jobs/", body=body.encode(), headers={"Content-Type": "application/json"}))

    def _waited(self, job: Job, seconds: bool | float, progress: Watch) -> Job:
        if seconds is False:
            return job
        return self.wait(job, timeout=None if seconds is True else float(seconds), progress=progress)

    def job(self, number: int) -> Job:
        """A job as it is now. Raises NotFound."""
        return self.job_from(self.http.json("GET", f"/jobs/{number}/"))

    def jobs(
        self,
        *,
        state: State | None = None,
        kind: Literal["file", "interface"] | None = None,
        tag: str | None = None,
        index: str | None = None,
        text: str | None = None,
    ) -> Iterator[Job]:
        """All jobs, newest first, page by page as they are taken; narrowed by what is given (text: in name, filter or error).

        Jobs that are made meanwhile do not make one come twice."""
        given = [("state", state), ("kind", kind), ("tag", tag), ("index", index), ("text", text)]
        parameters = [(name, value) for name, value in given if value is not None]
        last = None
        for told in self.pages("/jobs/", parameters):
            if last is None or told["id"] < last:
                last = told["id"]
                yield self.job_from(told)

    def wait(self, job: Job, *, timeout: float | None = None, progress: Watch = False, check: bool = True) -> Job:
        """See Job.wait."""
        return wait_for(self._client(), job, timeout, progress, check)

    def job_from(self, told: Mapping[str, Any]) -> Job:
        """A job of an answer, which can be asked further."""
        return job_of(told, self._client())


def _text(value: Any) -> str:
    """An option as text of a query string."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ",".join(value)
    return str(value)
