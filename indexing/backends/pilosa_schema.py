"""A Pilosa cluster's schema: what our fields are there, made and checked."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from indexing.backends.base import ACCESS_FIELD, BackendAway, BackendError, FieldSchema
from indexing.backends.names import check_same
from indexing.backends.pilosa_cluster import Cluster
from indexing.backends.pilosa_http import Host, name_of, refused
from indexing.backends.pilosa_top import SETTLED_SECONDS

logger = logging.getLogger(__name__)

# Rows that a fragment's TopN cache holds. A field with one value a packet cannot have more rows in a shard of 2^20 columns, so
# it never outgrows it; memory goes with the rows that are there (some 60 bytes a row and fragment), not with this number.
CACHE_SIZE = 1 << 20
_OUTGROWN_SECONDS = 30.0
_BELIEVED_SECONDS = 10.0  # how long the schema is believed; what is not in it is looked up at once


@dataclass
class Covering:
    """shards: so many have all columns of the mask. counts: of columns, the same since then."""

    shards: int | None = None
    counts: tuple[int, ...] = ()
    since: float = 0.0


@dataclass
class Warmth:
    """Whether fields' caches hold every row, since the nodes were started. A node that was killed lost what it had not written.

    starts: of the nodes, as Cluster.starts says; (): nobody asked yet."""

    starts: tuple[tuple[Host, float], ...] = ()
    of: dict[str, tuple[bool, float]] = field(default_factory=dict)

    def started(self, starts: tuple[tuple[Host, float], ...]) -> None:
        """The nodes are not those that they were: nothing is known of their caches."""
        self.starts, self.of = starts, {}


@dataclass
class Index:
    """An index as the cluster has it. It is also what pilosa_ask needs to know of the TopN caches."""

    fields: dict[str, FieldSchema]
    options: dict[str, dict[str, Any]]
    index_options: dict[str, Any]
    known: dict[str, tuple[bool, float]] = field(default_factory=dict)
    warmth: Warmth = field(default_factory=Warmth)
    covering: Covering = field(default_factory=Covering)

    def size(self, name: str) -> int:
        """Rows that the field's cache holds per fragment; 0: no cache."""
        options = self.options[name]
        return int(options.get("cacheSize") or 0) if options.get("cacheType") in ("ranked", "lru") else 0

    def fits(self, name: str) -> bool | None:
        """Whether the field has no more rows than its cache holds: a no is for ever, a yes for half a minute."""
        fits, when = self.known.get(name, (True, -1e9))
        return fits if not fits or time.monotonic() - when < _OUTGROWN_SECONDS else None

    def remember(self, name: str, fits: bool) -> None:
        """Keeps an answer for `fits`."""
        self.known[name] = (fits, time.monotonic())

    def warm(self, name: str) -> bool | None:
        """Whether the field's cache holds every row, in each shard: a yes as long as the nodes run, a no for half a minute."""
        warm, when = self.warmth.of.get(name, (False, -1e9))
        return warm if warm or time.monotonic() - when < _OUTGROWN_SECONDS else None

    def remember_warm(self, name: str, warm: bool) -> None:
        """Keeps an answer for `warm`."""
        self.warmth.of[name] = (warm, time.monotonic())

    def shards(self) -> int | None:
        """See pilosa_ask.Caches. It is held against the columns whenever it is used: a guess may be old."""
        return self.covering.shards

    def remember_shards(self, shards: int | None) -> None:
        """Keeps an answer for `shards`, or forgets it."""
        self.covering.shards = shards

    def settled(self, counts: tuple[int, ...]) -> bool:
        """See pilosa_ask.Caches. What covers the columns no more is asked for anew."""
        covering, now = self.covering, time.monotonic()
        if counts != covering.counts:
            covering.counts, covering.since, covering.shards = counts, now, None
        return now - covering.since > SETTLED_SECONDS


def read(cluster: Cluster) -> dict[str, Index]:
    """All indexes of the cluster: what any node has that has opened its data. Raises BackendAway, BackendError."""
    found: dict[str, Index] = {}
    for indexes in cluster.opened(lambda host: _indexes_of(cluster, host)):
        for name, index in indexes.items():
            known = found.setdefault(name, index)
            for one in index.options.keys() - known.options.keys():
                known.options[one], known.fields[one] = index.options[one], index.fields[one]
    return found


def _indexes_of(cluster: Cluster, host: Host) -> dict[str, Index]:
    found: dict[str, Index] = {}
    for index in cluster.http.json_of(host, "/schema")["indexes"] or []:
        options = {one["name"]: one["options"] for one in index["fields"] or []}
        fields = {
            name: FieldSchema(name, "int", o["min"], o["max"]) if o["type"] == "int" else FieldSchema(name, "set")
            for name, o in options.items()
        }
        found[index["name"]] = Index(fields, options, index["options"])
    return found


class Schemas:
    """What this process knows of the schema of a cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._known: tuple[float, dict[str, Index]] = (-1e9, {})

    def read(self) -> dict[str, Index]:
        """All indexes, asked for now."""
        found = read(self._cluster)
        for name, index in found.items():
            before = self._known[1].get(name)
            if before is not None:
                index.known, index.covering, index.warmth = before.known, before.covering, before.warmth
        self._known = (time.monotonic(), found)
        return found

    def index(self, name: str, fields: Iterable[str] = ()) -> Index | None:
        """An index, asked for anew if what is known is old or lacks the index or one of the fields."""
        when, found = self._known
        index = found.get(name)
        if time.monotonic() - when > _BELIEVED_SECONDS or index is None or any(field not in index.fields for field in fields):
            index = self.read().get(name)
        return index


def ensure(cluster: Cluster, name: str, fields: Iterable[FieldSchema]) -> None:
    """Creates what is missing, on every node; checks what is there. Raises BackendAway, BackendError."""
    index = read(cluster).get(name)
    made = Index({}, {}, {"keys": False, "trackExistence": True})
    wanted_fields = (*fields, FieldSchema(ACCESS_FIELD, "set"))
    if index is not None:
        _check(name, index, wanted_fields)
    for wanted in wanted_fields:
        if index is None or wanted.name not in index.options:
            made.options[wanted.name] = _options(wanted)
    _make(cluster, name, index, made)
    if index is None or made.options:  # another process may have made some of it at the same time, otherwise
        _check(name, read(cluster).get(name) or made, wanted_fields)


def _check(name: str, index: Index, fields: Iterable[FieldSchema]) -> None:
    """Raises BackendError if the index, or a field of it that is there, was made otherwise than is wanted."""
    if index.index_options.get("keys") or not index.index_options.get("trackExistence"):
        needed = "keys=false, trackExistence=true are needed"
        raise BackendError(f"index {name} exists in Pilosa with options {index.index_options}: {needed}")
    for wanted in fields:
        options = index.options.get(wanted.name)
        if options is None or wanted.name not in index.fields:
            continue
        if wanted.kind == "set" and (options["type"] != "set" or options.get("keys")):
            kind = options["type"] + (" with keys" if options.get("keys") else "")
            raise BackendError(f"field {wanted.name} of index {name} exists as {kind}, a set without keys is wanted")
        check_same(name, index.fields[wanted.name], wanted)
        if wanted.kind == "set" and wanted.name != ACCESS_FIELD and options.get("cacheType") != "ranked":
            raise BackendError(f"field {wanted.name} of index {name} has cacheType {options.get('cacheType')}, ranked is wanted")
        if wanted.kind == "set" and 0 < index.size(wanted.name) < CACHE_SIZE:
            # Its answers say so themselves, once it has more rows than that (PairsResult.exact).
            kept = f"has a cacheSize of {index.size(wanted.name)}, not {CACHE_SIZE}"
            logger.warning("field %s of index %s %s: counts of its top values may be too small", wanted.name, name, kept)


def ensure_like(cluster: Cluster, base: Index, name: str, make: bool = True) -> None:
    """Makes the fields of `base` in another index, with the same options, as far as they are missing there; `access` last.

    make: the index itself, too; else nothing is made where there is none. Raises BackendAway, BackendError."""
    index = read(cluster).get(name)
    if index is None and not make:
        return
    missing = [one for one in base.options if index is None or one not in index.options]
    made = Index({}, {}, {one: base.index_options[one] for one in ("keys", "trackExistence")})
    for one in sorted(missing, key=lambda one: one == ACCESS_FIELD):
        made.options[one] = _given(base.options[one])
    _make(cluster, name, index, made)


def make(cluster: Cluster, name: str, index_options: dict[str, Any], options: dict[str, dict[str, Any]]) -> None:
    """Makes an index and fields, as far as they are missing. Raises BackendAway, BackendError."""
    index = read(cluster).get(name)
    missing = {one: given for one, given in options.items() if index is None or one not in index.options}
    _make(cluster, name, index, Index({}, missing, index_options))


def drop_field(cluster: Cluster, name: str, one: str) -> None:
    """Removes a field from every node. Raises BackendAway, BackendError."""
    members = cluster.members()
    path = f"/index/{name}/field/{one}"
    status, body = cluster.http.ask("DELETE", path)
    if status >= 300 and status != 404:
        raise refused(f"DELETE {path}", status, body)
    if not members.alone:
        for host in members.hosts:
            code, answer = cluster.http.ask_host(host, "DELETE", path)
            if code >= 300 and code != 404:
                raise refused(f"DELETE {path}", code, answer, host)
        cluster.same(members)


def _make(cluster: Cluster, name: str, there: Index | None, made: Index) -> None:
    """Makes an index, if it is not there, and the fields of `made`; and sees that every node has them."""
    if there is not None and not made.options:
        return
    members = cluster.members()
    if there is None:
        _create(cluster, f"/index/{name}", made.index_options)
    for one, options in made.options.items():
        _create(cluster, f"/index/{name}/field/{one}", options)
    if not members.alone:
        for host in members.hosts:
            _complete(cluster, host, name, made)
        cluster.same(members)


def _complete(cluster: Cluster, host: Host, name: str, made: Index) -> None:
    """What a node has missed, it is told: another has told it already, if all went well."""

    def missing() -> list[str]:
        index = _indexes_of(cluster, host).get(name)
        fields = [f"/index/{name}/field/{one}" for one in made.options if index is None or one not in index.options]
        return [f"/index/{name}", *fields] if index is None else fields

    for path in (paths := missing()):
        options = made.index_options if path == paths[0] and path == f"/index/{name}" else made.options[path.rpartition("/")[2]]
        cluster.http.ask_host(host, "POST", path, json.dumps({"options": options}).encode())
    if paths and (paths := missing()):
        raise BackendAway(f"Pilosa at {name_of(host)} has no {', '.join(paths)}")


def drop(cluster: Cluster, name: str) -> None:
    """Removes an index from every node: one that kept it would give it back to the others. Raises BackendAway, BackendError."""
    members = cluster.members()
    path = f"/index/{name}"
    status, body = cluster.http.ask("DELETE", path)
    if members.alone:
        if status >= 300 and status != 404:
            raise refused(f"DELETE {path}", status, body)
        return
    for host in members.hosts:
        if name in _indexes_of(cluster, host):
            cluster.http.ask_host(host, "DELETE", path)
            if name in _indexes_of(cluster, host):
                raise BackendAway(f"Pilosa at {name_of(host)} still has index {name}")
    cluster.same(members)


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """The options that a field was made with, of those that the schema shows."""
    derived = {"base", "bitDepth", *(("cacheSize",) if options.get("cacheType") == "none" else ())}
    return {one: value for one, value in options.items() if one not in derived and value is not False}


def _options(wanted: FieldSchema) -> dict[str, Any]:
    if wanted.kind == "int":
        return {"type": "int", "min": wanted.minimum, "max": wanted.maximum}
    if wanted.name == ACCESS_FIELD:  # never asked for its top rows
        return {"type": "set", "cacheType": "none"}
    return {"type": "set", "cacheType": "ranked", "cacheSize": CACHE_SIZE}


def _create(cluster: Cluster, path: str, options: dict[str, Any]) -> None:
    status, body = cluster.http.ask("POST", path, json.dumps({"options": options}).encode())
    if status >= 300 and status != 409:  # 409: another process made it just now
        raise refused(f"POST {path}", status, body)
