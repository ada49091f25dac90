"""HTTP to a Pilosa cluster: keep-alive connections, the next host when one does not answer, errors in words."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

import urllib3

from indexing.backends.base import BackendAway, BackendError
from indexing.backends.pilosa_protobuf import response_error

Host = tuple[str, int]
_CONNECT_SECONDS = 3.0
_AWAY_WORDS = ("connection refused", "not allowed in state", "i/o timeout", "no such host", "connection reset", "EOF")


class PilosaHttp:
    """Requests to any host of a cluster. All requests made here may be repeated without harm."""

    def __init__(self, hosts: Sequence[Host], read_seconds: float = 300.0) -> None:
        self.hosts = list(hosts)
        self._timeout = urllib3.Timeout(connect=_CONNECT_SECONDS, read=read_seconds)
        self._pid = 0
        self._pools: dict[Host, urllib3.HTTPConnectionPool] = {}
        self._first = 0  # the host that answered last

    def _pool(self, host: Host) -> urllib3.HTTPConnectionPool:
        if self._pid != os.getpid():  # a child must not speak on its parent's sockets
            self._pools, self._pid = {}, os.getpid()
        pool = self._pools.get(host)
        if pool is None:
            pool = urllib3.HTTPConnectionPool(host[0], host[1], maxsize=32, block=False, timeout=self._timeout, retries=False)
            self._pools[host] = pool
        return pool

    def close(self) -> None:
        """Closes the connections that lie idle."""
        if self._pid == os.getpid():
            for pool in self._pools.values():
                pool.close()
        self._pools = {}

    def ask(self, method: str, path: str, body: bytes | None = None, proto: bool = False) -> tuple[int, bytes]:
        """Status and body from the first host that answers. Raises BackendAway naming every host that does not."""
        problems: list[str] = []
        for i in range(len(self.hosts)):
            at = (self._first + i) % len(self.hosts)
            try:
                answer = self.ask_host(self.hosts[at], method, path, body, proto)
            except BackendAway as error:
                problems.append(str(error))
                continue
            self._first = at
            return answer
        raise BackendAway("; ".join(problems))

    def ask_host(self, host: Host, method: str, path: str, body: bytes | None = None, proto: bool = False) -> tuple[int, bytes]:
        """Status and body from this host. proto: the body and the answer are protobuf. Raises BackendAway."""
        headers = {"Accept": "application/x-protobuf" if proto else "application/json"}
        if proto:
            headers["Content-Type"] = "application/x-protobuf"
        for last in (False, True):
            try:
                response = self._pool(host).request(method, path, body=body, headers=headers)
                return response.status, response.data
            except urllib3.exceptions.ProtocolError as error:
                if last:  # the first may be a kept connection that the server had closed
                    raise BackendAway(f"Pilosa at {_name(host)} broke off: {_reason(error)}") from error
            except urllib3.exceptions.ReadTimeoutError as error:
                raise BackendAway(f"Pilosa at {_name(host)} did not answer in {self._timeout.read_timeout:g} seconds") from error
            except urllib3.exceptions.HTTPError as error:
                raise BackendAway(f"Pilosa at {_name(host)} does not answer: {_reason(error)}") from error
        raise AssertionError

    def json(self, method: str, path: str, body: bytes | None = None) -> Any:
        """The JSON of a 2xx answer. Raises BackendAway, BackendError."""
        status, data = self.ask(method, path, body)
        if status >= 300:
            raise refused(f"{method} {path}", status, data)
        return json.loads(data) if data.strip() else None


def refused(what: str, status: int, body: bytes) -> BackendAway | BackendError:
    """The exception for an answer that is not 2xx: away if a node behind the one asked does not answer."""
    text = response_error(body)
    try:
        error = json.loads(text)["error"]
        text = error["message"] if isinstance(error, dict) else str(error)
    except (ValueError, KeyError, TypeError):
        pass
    text = text.partition("\ngoroutine ")[0][:1000]
    kind = BackendAway if any(word in text for word in _AWAY_WORDS) else BackendError
    return kind(f"Pilosa answers {status} to {what}: {text}")


def _name(host: Host) -> str:
    return f"{host[0]}:{host[1]}"


def _reason(error: Exception) -> str:
    cause = error.__context__ or error
    return getattr(cause, "strerror", None) or str(cause)
