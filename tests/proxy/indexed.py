"""Captures in an index of their own, in a product that runs: what tests of analysis and of conversations ask of."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.product_servers import Peer
from tests.server import Server


@dataclass
class Indexed:
    """jobs: in the order of the captures."""

    peer: Peer
    index: str
    jobs: list[int] = field(default_factory=list)

    def upload(self, captures: Sequence[Path]) -> None:
        """Indexes captures that are not there yet, and waits."""
        server = self.peer.server
        assert isinstance(server, Server)
        self.jobs = [server.known_or_uploaded(path, f"?index={self.index}")["id"] for path in captures]
        for job in self.jobs:
            ended: Callable[[], Any] = lambda job=job: (one := server.job(job))["finished"] and one  # type: ignore[misc]  # noqa: E731
            assert server.until(ended)["state"] == "done"

    def ask(self, path: str, **query: Any) -> tuple[int, Any]:
        """Status and JSON of a GET."""
        text = urlencode({"index": self.index, **query}, doseq=True)
        status, body = self.peer.ask("GET", f"{path}?{text}", headers={"Host": f"localhost:{self.peer.port}"})
        return status, json.loads(body)

    def get(self, path: str, **query: Any) -> Any:
        """JSON of a GET that is answered."""
        status, said = self.ask(path, **query)
        assert status == 200, said
        return said

    def refused(self, path: str, **query: Any) -> tuple[str, str]:
        """Option and words of a GET that is a 400."""
        status, said = self.ask(path, **query)
        assert status == 400, said
        return said["option"], said["detail"]

    def post(self, path: str, **form: Any) -> Any:
        """JSON of a form that is answered."""
        headers = {"Host": f"localhost:{self.peer.port}", "Content-Type": "application/x-www-form-urlencoded"}
        status, body = self.peer.ask("POST", path, urlencode({"index": self.index, **form}, doseq=True).encode(), headers)
        assert status == 200, body
        return json.loads(body)

    def query(self, pql: str) -> Any:
        """The first result of PQL at Pilosa's own endpoint."""
        status, body = self.peer.query(self.index, pql)
        assert status == 200, body
        return json.loads(body)["results"][0]
