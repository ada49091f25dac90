"""HTTP to a Pilosa cluster: keep-alive connections, another node when one does not answer, another try a moment later.

All requests that are made here may be repeated without harm.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Sequence
from typing import Any

from indexing import limits
from indexing.backends.base import BackendAway, BackendError
from indexing.backends.pilosa_protobuf import response_error
from indexing.backends.pilosa_wire import BrokenOff, CannotConnect, TooMuch, Wire

Host = tuple[str, int]
_CONNECT_SECONDS = 3.0
# Pauses before all hosts are asked once more: a node that is started again answers within a second.
PAUSES = (0.1, 0.3, 0.9)
# No new try begins later than this.
_TRY_SECONDS = 10.0
_LOOK_SECONDS = 1.0  # a node that works answers a word within that, whatever else it does
_JSON_HEADERS = {"Accept": "application/json"}
_PROTO_HEADERS = {"Accept": "application/x-protobuf", "Content-Type": "application/x-protobuf"}
# Bytes that an answer takes as text and as the objects it is parsed to, for each of its own.
_HELD_TIMES = 6
_AWAY_WORDS = ("connection refused", "not allowed in state", "i/o timeout", "no such host", "connection reset", "EOF")


class PilosaHttp:
    """Requests to the hosts of a cluster."""

    def __init__(self, hosts: Sequence[Host], read_seconds: float = 60.0) -> None:
        self.hosts = list(hosts)
        self._read_seconds = read_seconds
        self._pid = 0
        self._lock = threading.Lock()
        self._wires: dict[Host, Wire] = {}
        self._opened = 0  # connections of wires that are no more
        self._first = 0  # the host that answered last

    def _wire(self, host: Host) -> Wire:
        with self._lock:
            if self._pid != os.getpid():  # a child must not speak on its parent's sockets
                self._forget()
                self._pid = os.getpid()
            wire = self._wires.get(host)
            if wire is None:
                wire = self._wires[host] = Wire(host[0], host[1], _CONNECT_SECONDS)
            return wire

    def opened(self) -> int:
        """A number that grows with each connection that is made."""
        with self._lock:
            return self._opened + sum(wire.opened for wire in self._wires.values())

    def _forget(self) -> None:
        self._opened += 1 + sum(wire.opened for wire in self._wires.values())
        self._wires = {}

    def close(self) -> None:
        """Closes the connections that lie idle."""
        with self._lock:
            if self._pid == os.getpid():
                for wire in self._wires.values():
                    wire.close()
            self._forget()

    def ask(self, method: str, path: str, body: bytes | None = None, proto: bool = False) -> tuple[int, bytes]:
        """Status and body from the first host that answers. Raises BackendAway naming every host that does not."""
        return self.ask_any(method, path, body, proto)[1:]

    def ask_any(self, method: str, path: str, body: bytes | None = None, proto: bool = False) -> tuple[Host, int, bytes]:
        """The same, and which host it was. A host that takes a request and leaves it is the last one tried: it has cost time."""
        deadline = time.monotonic() + _TRY_SECONDS
        for pause in (0.0, *PAUSES):
            if pause:
                time.sleep(pause)
            problems: list[str] = []
            for i in range(len(self.hosts)):
                at = (self._first + i) % len(self.hosts)
                try:
                    status, data = self.ask_host(self.hosts[at], method, path, body, proto)
                except Hangs:
                    self._first = at + 1
                    raise
                except BackendAway as error:
                    problems.append(str(error))
                    continue
                if not _is_starting(status, data):
                    self._first = at
                    return self.hosts[at], status, data
                problems.append(str(refused(f"{method} {path}", status, data, self.hosts[at])))
            if time.monotonic() > deadline:
                break
        raise BackendAway("; ".join(problems))

    def ask_host(
        self,
        host: Host,
        method: str,
        path: str,
        body: bytes | None = None,
        proto: bool = False,
        seconds: float | None = None,
    ) -> tuple[int, bytes]:
        """Status and body from this host, tried once. proto: the body and the answer are protobuf.

        Waits no longer than a query may take, and reads no more than it may hold. Raises BackendAway, LimitExceeded."""
        budget = limits.current()
        budget.check()
        left = None if budget.seconds is None else max(0.001, budget.left() or 0)  # a timeout of 0 would mean none
        read, connect = seconds or self._read_seconds, seconds or _CONNECT_SECONDS
        if left is not None and left < read:
            read, connect = left, min(left, connect)
        # As much as the query may hold with what is made of it.
        most = None if budget.memory is None else max(0, budget.memory - budget.held) // _HELD_TIMES
        wire = self._wire(host)
        for last in (False, True):
            try:
                return wire.ask(method, path, body, _PROTO_HEADERS if proto else _JSON_HEADERS, read, connect, most)
            except BrokenOff as error:
                if last:  # the first may be a kept connection that the server had closed
                    raise BackendAway(f"Pilosa at {name_of(host)} broke off: {error}") from error
                wire.close()  # and so it has closed the others
            except TooMuch as error:
                budget.take(_HELD_TIMES * error.size, "Pilosa's answer")
                raise AssertionError from error
            except TimeoutError as error:
                if budget.left() == 0 and _answers(host):
                    raise budget.too_long() from error
                raise Hangs(f"Pilosa at {name_of(host)} did not answer in {read:g} seconds") from error
            except CannotConnect as error:
                if isinstance(error.__cause__, TimeoutError):
                    raise Silent(f"Pilosa at {name_of(host)} cannot be reached in {connect:g} seconds") from error
                raise BackendAway(f"Pilosa at {name_of(host)} does not answer: {error}") from error
        raise AssertionError

    def json(self, method: str, path: str, body: bytes | None = None) -> Any:
        """The JSON of a 2xx answer. Raises BackendAway, BackendError."""
        return _parsed(f"{method} {path}", *self.ask(method, path, body))

    def json_of(self, host: Host, path: str, seconds: float | None = None) -> Any:
        """The JSON that this host answers to a GET, tried once. Raises BackendAway, BackendError."""
        return _parsed(f"GET {path}", *self.ask_host(host, "GET", path, seconds=seconds))


class Silent(BackendAway):
    """A host does not even refuse: whoever asks it waits."""


class Hangs(Silent):
    """A host has taken a request and does not answer it."""


def refused(what: str, status: int, body: bytes, host: Host | None = None) -> BackendAway | BackendError:
    """The exception for an answer that is not 2xx: away if a node behind the one asked does not answer."""
    text = response_error(body)
    try:
        error = json.loads(text)["error"]
        text = error["message"] if isinstance(error, dict) else str(error)
    except (ValueError, KeyError, TypeError):
        pass
    text = text.partition("\ngoroutine ")[0][:1000]
    kind = BackendAway if any(word in text for word in _AWAY_WORDS) else BackendError
    at = f" at {name_of(host)}" if host else ""
    return kind(f"Pilosa{at} answers {status} to {what}: {text}")


def name_of(host: Host) -> str:
    """host:port."""
    return f"{host[0]}:{host[1]}"


def _answers(host: Host) -> bool:
    """Whether a host that has left a query unanswered says what it is: then the query takes long, else the host hangs."""
    wire = Wire(host[0], host[1], _LOOK_SECONDS)
    try:
        return wire.ask("GET", "/version", None, _JSON_HEADERS, _LOOK_SECONDS)[0] == 200
    except (OSError, BrokenOff, CannotConnect):
        return False
    finally:
        wire.close()


def _parsed(what: str, status: int, data: bytes) -> Any:
    if status >= 300:
        raise refused(what, status, data)
    return json.loads(data) if data.strip() else None


def _is_starting(status: int, body: bytes) -> bool:
    """Whether the cluster refuses for the moment: it is starting, or moves data between nodes."""
    return status >= 400 and b"not allowed in state" in body
