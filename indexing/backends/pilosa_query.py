"""Questions to one physical index of a Pilosa cluster, and whether the cluster was whole when it answered."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

from indexing.backends.base import BackendAway, BackendError
from indexing.backends.pilosa_ask import Asking
from indexing.backends.pilosa_http import PilosaHttp, refused
from indexing.calls import QueryError, Result

_ALONE_SECONDS = 5.0  # how long a cluster of one node is believed to be one
_STATE_WORDS = {
    "DEGRADED": "a node is away: answers may be too small unless every node has all data (replicas = nodes)",
    "STARTING": "the cluster is starting",
    "RESIZING": "the cluster is moving data between nodes",
}


class Questions:
    """Asks the cluster behind `http`; raises BackendError while it is DEGRADED, unless that was said to be safe."""

    def __init__(self, http: PilosaHttp, degraded_is_safe: bool) -> None:
        self._http = http
        self._degraded_is_safe = degraded_is_safe
        self._alone = -1e9

    def run(self, index: str, asking: Sequence[Asking], shards: Sequence[int] | None, also: str = "") -> tuple[list[Result], Any]:
        """Runs the generators, all of a round in one request; and the answer to `also`, a call that goes with the first."""
        results: dict[int, Result] = {}
        asked: dict[int, list[str]] = {}
        also_answer: Any = None

        def step(i: int, answers: list[Any] | None) -> None:
            try:
                asked[i] = asking[i].send(answers) if answers is not None else next(asking[i])
            except StopIteration as end:
                results[i] = end.value

        for i in range(len(asking)):
            step(i, None)
        while asked:
            texts = [text for some in asked.values() for text in some]
            answers = self.post(index, "".join([*texts, also]), shards)
            if also:
                also, also_answer = "", answers.pop()
            taken, asked = asked, {}
            at = 0
            for i, some in taken.items():
                step(i, answers[at : at + len(some)])
                at += len(some)
        return [results[i] for i in range(len(asking))], also_answer

    def post(self, index: str, pql: str, shards: Sequence[int] | None = None) -> list[Any]:
        """The results of some PQL. Raises QueryError, BackendAway, BackendError."""
        path = f"/index/{index}/query" + ("" if shards is None else "?shards=" + ",".join(map(str, shards)))
        status, body = self._http.ask("POST", path, pql.encode())
        if status == 400 and b"not allowed in state" not in body:  # that is a cluster that starts, not a bad query
            raise _query_error(body)
        if status != 200:
            raise refused(f"POST {path}", status, body)
        self._check_state()
        results: list[Any] = json.loads(body)["results"]
        return results

    def status(self) -> dict[str, Any]:
        """{"state", "detail", "nodes": [{"host", "state"}]} of the cluster."""
        answer = self._http.json("GET", "/status")
        state = answer["state"]
        nodes = [{"host": f"{n['uri']['host']}:{n['uri']['port']}", "state": n.get("state", "")} for n in answer["nodes"]]
        detail = f"{len(nodes)} node{'s' if len(nodes) != 1 else ''}"
        if state != "NORMAL":
            away = ", ".join(node["host"] for node in nodes if node["state"] not in ("READY", ""))
            detail += f"; {_STATE_WORDS.get(state, state)}" + (f" (not ready: {away})" if away else "")
        return {"state": state, "detail": detail, "nodes": nodes}

    def _check_state(self) -> None:
        """After every answer: was the cluster whole? A cluster of one cannot be half there, and is asked less often."""
        if time.monotonic() - self._alone < _ALONE_SECONDS:
            return
        status = self.status()
        if status["state"] == "NORMAL":
            if len(status["nodes"]) == 1:
                self._alone = time.monotonic()
        elif status["state"] != "DEGRADED":
            raise BackendAway(f"Pilosa is {status['state']}: {status['detail']}")
        elif not self._degraded_is_safe:
            raise BackendError(f"Pilosa is DEGRADED: {status['detail']}")


def _query_error(body: bytes) -> QueryError:
    """Pilosa's own words, without the "executing: " that it puts before them."""
    try:
        text = str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        text = body.decode(errors="replace").strip()
    return QueryError(text.removeprefix("executing: "))
