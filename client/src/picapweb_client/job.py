"""A job: its state and counters at one moment, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from picapweb_client.when import moment

if TYPE_CHECKING:
    from picapweb_client.client import Client

State = Literal["queued", "running", "stopping", "done", "stopped", "failed"]
ENDED = ("done", "stopped", "failed")
Watch = bool | Callable[["Job"], None]  # True: a bar; or what is called with the job at each change


@dataclass(frozen=True)
class Progress:
    """fraction: 0 to 1 of the work; eta_seconds: to the end, None while unknown."""

    fraction: float = 0.0
    packets_per_second: float = 0.0
    eta_seconds: float | None = None


@dataclass(frozen=True)
class PacketCounts:
    """Packets of a job by what became of them. When it has ended, read = indexed + filtered_out + failed + removed."""

    read: int = 0
    indexed: int = 0
    filtered_out: int = 0
    failed: int = 0
    undecodable: int = 0
    handed_over: int = 0
    dropped: int = 0
    removed: int = 0


@dataclass(frozen=True)
class ByteCounts:
    """Bytes of the packets: as captured, and as they were on the wire."""

    captured: int = 0
    wire: int = 0


@dataclass(frozen=True)
class CaptureInfo:
    """The stored capture. read_error: where and why a file breaks off. raw: everything that the API says of it."""

    format: str | None = None
    compression: str | None = None
    linktypes: tuple[str, ...] = ()
    snaplen: int | None = None
    size: int = 0
    sha256: str | None = None
    first_time: datetime | None = None
    last_time: datetime | None = None
    read_error: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class Job:
    """A job as it was when it was asked for: `refresh` and `wait` give a newer one. Members as in docs/api.md.

    columns: ranges of columns of the index, both ends included. raw: everything that the API says of it."""

    id: int
    url: str
    name: str
    kind: Literal["file", "interface"]
    state: State
    error: str | None = None
    waiting_for: str | None = None
    index: str = "net"
    filter: str = ""
    dissector: str = ""
    fields: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    tags: tuple[str, ...] = ()
    duplicate_of: int | None = None
    created: datetime | None = None
    started: datetime | None = None
    finished: datetime | None = None
    progress: Progress = Progress()
    packets: PacketCounts = PacketCounts()
    bytes: ByteCounts = ByteCounts()
    capture: CaptureInfo | None = None
    live: Mapping[str, Any] | None = field(default=None, hash=False)
    columns: tuple[tuple[int, int], ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    _client: Client | None = field(default=None, repr=False, compare=False)

    @property
    def ended(self) -> bool:
        """Whether nothing more will become of it by itself."""
        return self.state in ENDED

    @property
    def client(self) -> Client:
        """Who it was asked of."""
        if self._client is None:
            raise ValueError("this job was not asked of a client")
        return self._client

    def refresh(self) -> Job:
        """The job as it is now."""
        return self.client.job(self.id)

    def wait(self, *, timeout: float | None = None, progress: Watch = False, check: bool = True) -> Job:
        """Waits until it has ended, for at most `timeout` seconds; the job as it is then.

        progress: True shows a bar. check: a job that failed is an error. Raises WaitTimeout, JobFailed, NotFound (it was
        deleted)."""
        return self.client.wait(self, timeout=timeout, progress=progress, check=check)

    def stop(self) -> Job:
        """Ends it before its end. Raises Conflict: it has ended."""
        return self.client.job_from(self.client.http.json("POST", f"/jobs/{self.id}/stop/"))

    def retry(self) -> Job:
        """A stopped or failed job goes on. Raises Conflict."""
        return self.client.job_from(self.client.http.json("POST", f"/jobs/{self.id}/retry/"))

    def delete(self) -> None:
        """Takes it and its packets out of every answer, at once."""
        self.client.http.json("DELETE", f"/jobs/{self.id}/")

    def download(self, path: str | Path) -> int:
        """Writes the stored capture to a file; how many bytes it has. Raises NotFound: nothing is stored."""
        return self.client.download(f"/jobs/{self.id}/pcap", path)


_Part = TypeVar("_Part")


def _part(kind: type[_Part], told: Mapping[str, Any], **made: Any) -> _Part:
    """A dataclass from an object of JSON: members that it does not know are left out, those that are missing have its default."""
    known = {one.name for one in fields(kind)} - made.keys()  # type: ignore[arg-type]
    return kind(**{name: value for name, value in told.items() if name in known and value is not None}, **made)


def job_of(told: Mapping[str, Any], client: Client | None = None) -> Job:
    """A job of an answer."""
    capture = told.get("capture")
    return _part(
        Job,
        told,
        fields=tuple(told.get("fields", ())),
        tags=tuple(told.get("tags", ())),
        **{name: moment(told.get(name)) for name in ("created", "started", "finished")},
        progress=_part(Progress, told.get("progress") or {}),
        packets=_part(PacketCounts, told.get("packets") or {}),
        bytes=_part(ByteCounts, told.get("bytes") or {}),
        capture=capture_of(capture) if capture else None,
        columns=tuple((int(first), int(last)) for first, last in told.get("columns", ())),
        raw=told,
        _client=client,
    )


def capture_of(told: Mapping[str, Any]) -> CaptureInfo:
    """The capture of a job of an answer."""
    return _part(
        CaptureInfo,
        told,
        linktypes=tuple(told.get("linktypes") or ()),
        first_time=moment(told.get("first_time")),
        last_time=moment(told.get("last_time")),
        raw=told,
    )
