"""Which nodes a Pilosa cluster has, and whether what they answer can be trusted: exact, or refused with the reason.

What Pilosa 1.4.1 does, measured (docs/decisions/0020-pilosa-cluster.md):

- A node that comes back answers at once, without what was written while it was away. So a write counts only if every node that
  is to have it has taken it, and it goes to each of them by itself.
- A cluster that believes a node lost spreads shards anew over the others. If every node holds everything (replicas = nodes) that
  is no harm; else it undercounts in silence. Its coordinator asks a lost node ten times, a second apart, before it believes that.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from indexing.backends.base import ACCESS_FIELD, BackendAway, BackendError
from indexing.backends.pilosa_http import PAUSES, Host, PilosaHttp, Silent, name_of, refused

T = TypeVar("T")

_ALONE_SECONDS = 5.0  # how long a cluster of one node is believed to be one
_LOOKED_SECONDS = 1.0  # how long a look at a cluster whose nodes hold everything is believed
_LOOK_SECONDS = 2.0  # patience with one node's /status
_SILENT_SECONDS = 3.0  # how long a node that does not even refuse is left alone: each look would wait for it
# A node that answers now has not been given up by the cluster within the next nine seconds, see above.
_SURE_SECONDS = 9.0
# This row of `access` has column 0 if every node of the cluster holds everything. It is above all generations' rows.
COPIES_ROW = 1 << 43

STATE_WORDS = {
    "DEGRADED": "a node is away: answers would be too small unless every node has all data (replicas = nodes)",
    "STARTING": "the cluster is starting",
    "RESIZING": "the cluster is moving data between nodes",
}


@dataclass(frozen=True)
class Members:
    """The nodes of a cluster that was whole, and how many of them hold each shard. One node: asked under the name we know."""

    hosts: tuple[Host, ...]
    ids: frozenset[str]
    replicas: int

    @property
    def alone(self) -> bool:
        return len(self.ids) == 1

    @property
    def full(self) -> bool:
        """Every node holds everything: whichever of them are left answer in full."""
        return self.replicas >= len(self.ids)


@dataclass(frozen=True)
class _Look:
    """What the nodes said of the cluster, one after the other; an exception of who said nothing."""

    answers: dict[Host, dict[str, Any] | BackendAway | BackendError]

    def statuses(self) -> dict[Host, dict[str, Any]]:
        return {host: answer for host, answer in self.answers.items() if isinstance(answer, dict)}

    def problems(self) -> list[str]:
        """What keeps the cluster from being whole; nothing if every node is there and says that all are."""
        found = [str(answer) for answer in self.answers.values() if not isinstance(answer, dict)]
        nodes = {frozenset(node["id"] for node in status["nodes"]) for status in self.statuses().values()}
        for host, status in self.statuses().items():
            if status["state"] != "NORMAL":
                found.append(f"{name_of(host)} says {status['state']}: {detail(status)}")
            elif any(node.get("state", "READY") != "READY" for node in status["nodes"]):
                found.append(f"{name_of(host)} says {detail(status)}")
        if len(nodes) > 1:
            found.append("its nodes do not agree which nodes there are")
        return found


class Cluster:
    """What this process knows of the cluster behind `http`."""

    def __init__(self, http: PilosaHttp) -> None:
        self.http = http
        self._members: Members | None = None
        self._alone = -1e9
        self._full = -1e9  # when it was last seen that what answers holds everything
        self._owners: dict[tuple[Members, str, int], list[Host]] = {}
        self._started: tuple[int, tuple[tuple[Host, float], ...]] | None = None  # with so many connections made
        self._silent: dict[Host, tuple[float, Silent]] = {}  # until when they are not asked again

    def members(self) -> Members:
        """The nodes, all of which are there now and agree that the cluster is whole. Raises BackendAway that says what is not."""
        if self._members is not None and time.monotonic() - self._alone < _ALONE_SECONDS:
            return self._members
        look, problems = self._look()
        if problems:
            raise BackendAway("Pilosa is not whole, and what it misses now it would not get later: " + "; ".join(problems))
        return self._learn(look)

    def same(self, members: Members) -> None:
        """Raises BackendAway if the cluster is not (any more) whole and made of these nodes."""
        if not members.alone and self.members() != members:
            raise BackendAway("the nodes of Pilosa have changed meanwhile")

    def owners(self, index: str, shard: int) -> Sequence[Host | None]:
        """The nodes that are to have a shard, of the members last seen; [None]: there is one, and whoever answers is it."""
        members = self._members or self.members()
        if members.alone:
            return [None]
        if members.full:
            return members.hosts
        key = members, index, shard
        if key not in self._owners:
            nodes = self._shard_nodes(members.hosts[0], index, shard)
            self.same(members)  # they are others while it is not whole
            if len(nodes) != members.replicas:
                raise BackendAway(f"{len(nodes)} nodes of Pilosa own shard {shard} of index {index}, not {members.replicas}")
            self._owners[key] = nodes
        return self._owners[key]

    # Answers

    def before(self, index: str) -> float | None:
        """Before a question to an index: what `after` is to be given. Raises BackendAway, BackendError if asking is of no use."""
        now = time.monotonic()
        if now - self._alone < _ALONE_SECONDS or now - self._full < _LOOKED_SECONDS:
            return None
        look, problems = self._look()
        if not problems:
            members = self._learn(look)
            if not members.alone and not members.full:
                return now
        elif not self._answers_in_full(look, index):
            raise _refusal(look, problems)
        if not self._is_alone():
            self._full = now
        return None

    def after(self, before: float | None) -> None:
        """After an answer that only a whole cluster gives in full: was it whole throughout? Raises BackendAway, BackendError."""
        if before is None:
            return
        members = self._members
        look, problems = self._look()
        if problems:
            raise _refusal(look, problems)
        if self._learn(look) != members:
            raise BackendAway("the nodes of Pilosa have changed meanwhile")
        if time.monotonic() - before > _SURE_SECONDS:
            raise BackendError(
                f"Pilosa took more than {_SURE_SECONDS:g} seconds, in which a node may have gone and come back: with fewer "
                "replicas than nodes it cannot be told whether the answer is whole"
            )

    def starts(self) -> tuple[tuple[Host, float], ...]:
        """When each node was started, as it says itself: seconds since 1970, -1 of one that is away. Raises BackendAway.

        The only node need not be asked as long as the connections to it last."""
        if self._members is None or self._members.alone:
            known, before = self._started, self.http.opened()
            if known is not None and known[0] == before:
                return known[1]
            host, _, body = self.http.ask_any("GET", "/metrics")
            started = ((host, _start_of(body)),)
            if self.http.opened() == before:  # it was asked on one of those
                self._started = before, started
            return started
        return tuple((host, self._start(host)) for host in self._members.hosts)

    def _start(self, host: Host) -> float:
        until, silent = self._silent.get(host, (0.0, None))
        if silent is not None and time.monotonic() < until:
            return -1.0
        try:
            return _start_of(self.http.ask_host(host, "GET", "/metrics", seconds=_LOOK_SECONDS)[1])
        except BackendAway as error:
            if isinstance(error, Silent):
                self._silent[host] = time.monotonic() + _SILENT_SECONDS, error
            return -1.0

    def others(self, host: Host) -> list[Host]:
        """The other nodes: they may know what this one does not, which may have begun a moment ago."""
        return [] if self._is_alone() or self._members is None else [one for one in self._members.hosts if one != host]

    # Schema

    def opened(self, ask: Callable[[Host], T]) -> list[T]:
        """What `ask` gives of every node that answers and has opened its data: one that starts shows some indexes only, or none.

        Raises BackendAway if there is none, BackendError."""
        look, problems = self._look()
        answers: list[T] = []
        for host, status in look.statuses().items():
            if is_open(status):
                try:
                    answer = ask(host)
                    again = self.http.json_of(host, "/status")
                except BackendAway as error:
                    problems.append(str(error))
                    continue
                if is_open(again):
                    answers.append(answer)
        if not answers:
            raise BackendAway("; ".join(problems) or "no node of Pilosa has opened its data")
        return answers

    def status(self) -> dict[str, Any]:
        """{"state", "detail", "nodes": [{"host", "state"}]} of the cluster, as the first node says that answers."""
        answer = self.http.json("GET", "/status")
        nodes = [{"host": name_of(_host(node)), "state": node.get("state", "")} for node in answer["nodes"]]
        return {"state": answer["state"], "detail": detail(answer), "nodes": nodes}

    # Looking

    def _is_alone(self) -> bool:
        return time.monotonic() - self._alone < _ALONE_SECONDS

    def _look(self) -> tuple[_Look, list[str]]:
        """What the nodes say, and what keeps them from being a whole cluster; asked again while none has opened its data."""
        for pause in (*PAUSES, None):
            look = self._ask_all()
            if pause is None or any(is_open(status) for status in look.statuses().values()):
                break
            time.sleep(pause)
        return look, look.problems()

    def _ask_all(self) -> _Look:
        """Asks all nodes that are known, and those that they name."""
        answers: dict[Host, dict[str, Any] | BackendAway | BackendError] = {}
        if self._members is not None and not self._members.alone:
            todo = list(self._members.hosts)
        else:
            host, code, body = self.http.ask_any("GET", "/status")
            if code != 200:
                raise refused("GET /status", code, body, host)
            first = json.loads(body)
            if len(first["nodes"]) == 1:  # under the name that we know it by, whatever it calls itself
                answers[host], todo = first, []
            else:
                todo = [_host(node) for node in first["nodes"]]
        while todo:
            host = todo.pop(0)
            until, silent = self._silent.get(host, (0.0, None))
            if silent is not None and time.monotonic() < until:
                answers[host] = silent
                continue
            try:
                answers[host] = self.http.json_of(host, "/status", _LOOK_SECONDS)
            except (BackendAway, BackendError) as error:
                answers[host] = error
                if isinstance(error, Silent):
                    self._silent[host] = time.monotonic() + _SILENT_SECONDS, error
                continue
            named = [_host(node) for node in answers[host]["nodes"]]  # type: ignore[index]
            todo += [one for one in named if one not in answers and one not in todo]
        return _Look(answers)

    def _learn(self, look: _Look) -> Members:
        """The members of a whole cluster."""
        status = next(iter(look.statuses().values()))
        ids = frozenset(node["id"] for node in status["nodes"])
        hosts = tuple(look.answers)
        if len(ids) == 1:
            self._members, self._alone = Members(hosts, ids, 1), time.monotonic()
        else:
            replicas = min(len(self._shard_nodes(host, ACCESS_FIELD, 0)) for host in hosts)
            self._members = Members(tuple(sorted(hosts)), ids, replicas)
            self._alone = -1e9
        return self._members

    def _shard_nodes(self, host: Host, index: str, shard: int) -> list[Host]:
        path = "/internal/fragment/nodes?" + urlencode({"index": index, "shard": shard})
        return [_host(node) for node in self.http.json_of(host, path, _LOOK_SECONDS) or []]

    def _answers_in_full(self, look: _Look, index: str) -> bool:
        """Whether a cluster that is not whole answers in full all the same: its nodes hold everything, and none is waited for."""
        running = {host: status for host, status in look.statuses().items() if status["state"] in ("NORMAL", "DEGRADED")}
        if not running:
            return False
        nodes = [node for status in running.values() for node in status["nodes"]]
        if any(isinstance(look.answers.get(_host(node)), Silent) for node in nodes):
            return False  # the others do not know yet, and would wait for it
        ids = {node["id"] for node in nodes}
        if self._members is not None and not self._members.alone:
            return self._members.full and ids <= self._members.ids
        # This process has not seen it whole: what was written then says so.
        host = next(iter(running))
        pql = f"Rows({ACCESS_FIELD},previous={COPIES_ROW - 1},column=0)".encode()
        status, body = self.http.ask_host(host, "POST", f"/index/{index}/query", pql, seconds=_LOOK_SECONDS)
        return status == 200 and bool(json.loads(body)["results"][0]["rows"])


def _start_of(metrics: bytes) -> float:
    """Of what a node measures of itself (the text format of Prometheus); 0 if it does not say."""
    found = re.search(rb"^process_start_time_seconds (\S+)$", metrics, re.MULTILINE)
    return float(found[1]) if found else 0.0


def is_open(status: dict[str, Any]) -> bool:
    """Whether the node that answered this has opened its data."""
    own = [node.get("state", "READY") for node in status["nodes"] if node["id"] == status.get("localID", node["id"])]
    return status["state"] in ("NORMAL", "DEGRADED") and all(state in ("READY", "") for state in own)


def detail(status: dict[str, Any]) -> str:
    """An answer to /status in words."""
    nodes = status["nodes"]
    text = f"{len(nodes)} node{'s' if len(nodes) != 1 else ''}"
    away = ", ".join(name_of(_host(node)) for node in nodes if node.get("state") not in ("READY", "", None))
    if status["state"] != "NORMAL":
        text += f"; {STATE_WORDS.get(status['state'], status['state'])}"
    return text + (f" (not ready: {away})" if away else "")


def _refusal(look: _Look, problems: Sequence[str]) -> BackendAway | BackendError:
    """Why a number cannot be trusted now. Pilosa would answer while it is DEGRADED, too little: that is no absence."""
    degraded = any(status["state"] == "DEGRADED" for status in look.statuses().values())
    text = "; ".join(problems)
    return BackendError(f"Pilosa is DEGRADED: {text}") if degraded else BackendAway(f"Pilosa is not whole: {text}")


def _host(node: dict[str, Any]) -> Host:
    return node["uri"]["host"], int(node["uri"]["port"])
