"""How the index does: the embedded store, or a Pilosa cluster, each of its nodes asked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.conf import settings

from indexing.backends.base import ACCESS_FIELD, BackendAway, BackendError
from indexing.backends.pilosa_cluster import detail
from indexing.backends.pilosa_http import Host, PilosaHttp, name_of
from indexing.store import backend

NODE_SECONDS = 1.0


def index() -> dict[str, Any]:
    """`backend` and `state`; of the embedded store also size, batches and fragments; of Pilosa nodes, replicas and version."""
    if settings.INDEX_URL.startswith("pilosa:"):
        return pilosa(hosts_of(settings.INDEX_URL))
    status = backend().status()
    words = f"embedded store: {status['batches']:,} batches, {status['fragments']:,} fragments"
    return {"backend": status.pop("name"), **status, "ok": status["state"] == "NORMAL", "detail": words}


def hosts_of(url: str) -> list[Host]:
    """The nodes that INDEX_URL names."""
    parts = url.removeprefix("pilosa://").rstrip("/").split(",")
    named = [part.strip().rpartition(":") if ":" in part else (part.strip(), ":", "10101") for part in parts]
    return [(host.strip("[]"), int(port)) for host, _, port in named]


def pilosa(hosts: list[Host]) -> dict[str, Any]:
    """The cluster, as all its nodes say: those that are named here and those that they name. One that is away is in the list."""
    http = PilosaHttp(hosts, NODE_SECONDS)
    try:
        said = _ask_nodes(http, hosts)
        others = list(dict.fromkeys(one for status in said.values() if isinstance(status, dict) for one in _named(status)))
        # A cluster's nodes call themselves by names of their own; a single node is the one that we know.
        known = {*said, *(_own(status) for status in said.values() if isinstance(status, dict))}
        unknown = [one for one in others if one not in known] if len(others) > 1 else []
        said |= _ask_nodes(http, unknown)
        whole = {host: status for host, status in said.items() if isinstance(status, dict)}
        if not whole:
            raise BackendAway("; ".join(str(error) for error in said.values()))
        first, status = next(iter(whole.items()))
        states = [one["state"] for one in whole.values()]
        ok = len(whole) == len(said) and all(state == "NORMAL" for state in states)
        state = next((one for one in states if one != "NORMAL"), "NORMAL")
        version, replicas = _version(http, first), _replicas(http, first)
    finally:
        http.close()
    return {
        "ok": ok,
        "backend": "pilosa",
        "state": state,
        "detail": f"Pilosa {version}: {state}, {detail(status)}",
        "version": version,
        "replicas": replicas,
        "nodes": [_node(host, answer) for host, answer in said.items()],
    }


def _node(host: Host, answer: Any) -> dict[str, Any]:
    if isinstance(answer, dict):
        return {"host": name_of(host), "state": answer["state"], "detail": ""}
    return {"host": name_of(host), "state": "AWAY", "detail": str(answer)}


def _ask_nodes(http: PilosaHttp, hosts: list[Host]) -> dict[Host, Any]:
    """What each node answers to /status, or the error; all of them at once."""
    if not hosts:
        return {}

    def ask(host: Host) -> Any:
        try:
            return http.json_of(host, "/status", NODE_SECONDS)
        except (BackendAway, BackendError) as error:
            return error

    with ThreadPoolExecutor(max_workers=len(hosts)) as threads:
        return dict(zip(hosts, threads.map(ask, hosts), strict=True))


def _named(status: dict[str, Any]) -> list[Host]:
    return [(node["uri"]["host"], int(node["uri"]["port"])) for node in status["nodes"]]


def _own(status: dict[str, Any]) -> Host | None:
    """What the node that answers calls itself."""
    ids = [node["id"] for node in status["nodes"]]
    mine = status.get("localID")
    return _named(status)[ids.index(mine)] if mine in ids else None


def _version(http: PilosaHttp, host: Host) -> str:
    return str(http.json_of(host, "/version", NODE_SECONDS)["version"]).removeprefix("v")


def _replicas(http: PilosaHttp, host: Host) -> int:
    """How many nodes hold each shard."""
    path = f"/internal/fragment/nodes?index={ACCESS_FIELD}&shard=0"
    return len(http.json_of(host, path, NODE_SECONDS) or [])
