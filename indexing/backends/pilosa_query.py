"""Questions to one physical index of a Pilosa cluster, and whether the cluster was whole when it answered."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from indexing.backends.base import BackendAway
from indexing.backends.pilosa_ask import Asking
from indexing.backends.pilosa_cluster import Cluster
from indexing.backends.pilosa_http import Host, refused
from indexing.calls import QueryError, Result


class Questions:
    """Asks a cluster. Every answer is exact, or an exception says why there is none."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

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
        results: list[Any] = self.answer(index, pql, "" if shards is None else "shards=" + ",".join(map(str, shards)))["results"]
        return results

    def answer(self, index: str, pql: str, options: str = "") -> dict[str, Any]:
        """The whole answer to some PQL. options: of the address. Raises QueryError, BackendAway, BackendError."""
        path = f"/index/{index}/query" + (f"?{options}" if options else "")
        before = self._cluster.before(index)
        host, status, body = self._cluster.http.ask_any("POST", path, pql.encode())
        if status == 400 and b"not found" in body:
            status, body = self._elsewhere(host, path, pql, status, body)
        if status == 400:
            raise _query_error(body)
        if status != 200:
            raise refused(f"POST {path}", status, body, host)
        self._cluster.after(before)
        answer: dict[str, Any] = json.loads(body)
        return answer

    def _elsewhere(self, host: Host, path: str, pql: str, status: int, body: bytes) -> tuple[int, bytes]:
        """A node that has just begun has not found all its indexes yet: what do the others say?"""
        for other in self._cluster.others(host):
            try:
                code, there = self._cluster.http.ask_host(other, "POST", path, pql.encode())
            except BackendAway:
                continue
            if b"not allowed in state" not in there and b"not found" not in there:
                return code, there
        return status, body


def _query_error(body: bytes) -> QueryError:
    """Pilosa's own words, without the "executing: " that it puts before them."""
    try:
        text = str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        text = body.decode(errors="replace").strip()
    return QueryError(text.removeprefix("executing: "))
