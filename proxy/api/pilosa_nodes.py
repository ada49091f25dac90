"""/status, /info, /version, /internal/nodes, /internal/fragment/nodes, /internal/shards/max, /recalculate-caches.

Clients send imports and keyed queries to the nodes that these name, past whom they asked: so the one node is this server, under
the address by which the client reached it.
"""

from __future__ import annotations

import platform
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import psutil
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from capture import sight
from indexing import store
from indexing.backends.base import SHARD_WIDTH, BackendAway
from indexing.client import names, tables
from indexing.client.engine import engine
from proxy.api.pilosa_http import argument, json_answer, json_only, no_content, plain, route, unsigned
from proxy.ask import is_packet_index
from proxy.by_record.batches import visible

# Whose API this is. Clients compare it with what they know.
PILOSA_VERSION = "1.4.1"
_PORTS = {"http": 80, "https": 443}


def _node_id() -> str:
    """The same for every process of this server, and for ever."""
    return str(UUID(salted_hmac("proxy.api.pilosa_nodes", "node", algorithm="sha256").hexdigest()[:32]))


def _node(request: HttpRequest, state: str = "READY") -> dict[str, Any]:
    scheme = request.scheme or "http"
    parts = urlsplit(f"//{request.get_host()}")
    name = parts.hostname or "localhost"
    host = f"[{name}]" if ":" in name else name
    uri = {"scheme": scheme, "host": host, "port": parts.port or _PORTS[scheme]}
    return {"id": _node_id(), "uri": uri, "isCoordinator": True, "state": state}


@json_only
def _get_status(request: HttpRequest) -> HttpResponse:
    try:
        state = str(store.backend().status()["state"])
    except BackendAway:
        state = "DOWN"
    node = _node(request, "DOWN" if state == "DOWN" else "READY")
    return json_answer({"state": state, "nodes": [node], "localID": node["id"]})


@json_only
def _get_nodes(request: HttpRequest) -> HttpResponse:
    return json_answer([_node(request)])


@json_only
def _get_fragment_nodes(request: HttpRequest) -> HttpResponse:
    if unsigned(argument(request, "shard")) is None:
        return plain("shard should be an unsigned integer", 400)
    return json_answer([_node(request)])


def _columns(index: str, columns: int) -> int:
    """One more than the last column that whoever asks may see."""
    if not sight.is_bounded():
        return columns
    last = visible(index).order_by("-first_column").first()
    return 0 if last is None else last.first_column + last.packets


@json_only
def _get_shards_max(request: HttpRequest) -> HttpResponse:
    found = {
        name: max(0, _columns(name, columns) - 1) // SHARD_WIDTH
        for name, columns in names.packet_indexes().items()
        if is_packet_index(name)
    }
    for index in tables.read_all():
        found[index.name] = max(engine().shards(index), default=0)
    return json_answer({"standard": dict(sorted(found.items()))})


@json_only
def _get_info(request: HttpRequest) -> HttpResponse:
    logical = psutil.cpu_count() or 1
    # go-pilosa reads it as an unsigned number, and Pilosa says -1 where it does not know.
    frequency = psutil.cpu_freq() if hasattr(psutil, "cpu_freq") else None
    return json_answer(
        {
            "shardWidth": SHARD_WIDTH,
            "memory": psutil.virtual_memory().total,
            "cpuType": platform.processor() or platform.machine(),
            "cpuPhysicalCores": psutil.cpu_count(logical=False) or logical,
            "cpuLogicalCores": logical,
            "cpuMHz": max(1, int(frequency.current)) if frequency else 1,
        }
    )


@json_only
def _get_version(request: HttpRequest) -> HttpResponse:
    return json_answer({"version": PILOSA_VERSION})


def _recalculate(request: HttpRequest) -> HttpResponse:
    """Nothing to do: what the counts of TopN come from is never older than the last write (indexing.client.contract)."""
    return no_content()


status = route(GET=_get_status)
info = route(GET=_get_info)
version = route(GET=_get_version)
nodes = route(GET=_get_nodes)
fragment_nodes = route(GET=_get_fragment_nodes, required=("shard", "index"))
shards_max = route(GET=_get_shards_max, optional=None)
recalculate_caches = route(POST=_recalculate)
