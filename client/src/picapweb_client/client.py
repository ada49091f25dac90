"""The client: all of its parts in one, over one set of kept connections."""

from __future__ import annotations

from types import TracebackType

import urllib3

from picapweb_client.alerts import Alerts
from picapweb_client.analysis import Analysis
from picapweb_client.carving import Carving
from picapweb_client.http import Http
from picapweb_client.jobs import Jobs
from picapweb_client.packets import PacketQuestions
from picapweb_client.pql import Pql
from picapweb_client.saved import Saved

DEFAULT_URL = "http://localhost:11000"


class Client(Jobs, PacketQuestions, Analysis, Pql, Carving, Saved, Alerts):
    """A picapweb server.

    token: for `Authorization: Token ...`, where the server wants one. timeout: seconds to wait for a connection, and for the next
    bytes of an answer. pool: a urllib3.PoolManager of your own, for certificates or a proxy.

    Safe to be shared by threads. A context manager: its connections are closed at the end."""

    def __init__(
        self,
        url: str = DEFAULT_URL,
        token: str | None = None,
        *,
        timeout: float = 60.0,
        pool: urllib3.PoolManager | None = None,
    ) -> None:
        self.http = Http(url, token, timeout, pool)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Closes the kept connections."""
        self.http.close()

    def __repr__(self) -> str:
        return f"Client({self.http.url!r})"
