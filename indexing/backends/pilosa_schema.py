"""A Pilosa cluster's schema: what our fields are there, made and checked."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from indexing.backends.base import ACCESS_FIELD, BackendError, FieldSchema
from indexing.backends.names import check_same
from indexing.backends.pilosa_http import PilosaHttp, refused

# Rows that a fragment's TopN cache holds. A field with one value a packet cannot have more rows in a shard of 2^20 columns, so
# it never outgrows it; memory goes with the rows that are there (some 60 bytes a row and fragment), not with this number.
CACHE_SIZE = 1 << 20
_OUTGROWN_SECONDS = 30.0
_BELIEVED_SECONDS = 10.0  # how long the schema is believed; what is not in it is looked up at once


@dataclass
class Index:
    """An index as the cluster has it. It is also what pilosa_ask needs to know of the TopN caches."""

    fields: dict[str, FieldSchema]
    options: dict[str, dict[str, Any]]
    index_options: dict[str, Any]
    known: dict[str, tuple[bool, float]] = field(default_factory=dict)

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


def read(http: PilosaHttp) -> dict[str, Index]:
    """All indexes of the cluster. Raises BackendAway, BackendError."""
    found: dict[str, Index] = {}
    for index in http.json("GET", "/schema")["indexes"] or []:
        options = {one["name"]: one["options"] for one in index["fields"] or []}
        fields = {
            name: FieldSchema(name, "int", o["min"], o["max"]) if o["type"] == "int" else FieldSchema(name, "set")
            for name, o in options.items()
        }
        found[index["name"]] = Index(fields, options, index["options"])
    return found


class Schemas:
    """What this process knows of the schema of the cluster behind `http`."""

    def __init__(self, http: PilosaHttp) -> None:
        self._http = http
        self._known: tuple[float, dict[str, Index]] = (-1e9, {})

    def read(self) -> dict[str, Index]:
        """All indexes, asked for now."""
        found = read(self._http)
        for name, index in found.items():
            before = self._known[1].get(name)
            if before is not None:
                index.known = before.known
        self._known = (time.monotonic(), found)
        return found

    def index(self, name: str, fields: Iterable[str] = ()) -> Index | None:
        """An index, asked for anew if what is known is old or lacks the index or one of the fields."""
        when, found = self._known
        index = found.get(name)
        if time.monotonic() - when > _BELIEVED_SECONDS or index is None or any(field not in index.fields for field in fields):
            index = self.read().get(name)
        return index


def ensure(http: PilosaHttp, name: str, fields: Iterable[FieldSchema]) -> None:
    """Creates what is missing; checks what is there. Raises BackendAway, BackendError."""
    index = read(http).get(name)
    if index is None:
        _create(http, f"/index/{name}", {"keys": False, "trackExistence": True})
        index = read(http).get(name) or Index({}, {}, {"keys": False, "trackExistence": True})
    if index.index_options.get("keys") or not index.index_options.get("trackExistence"):
        needed = "keys=false, trackExistence=true are needed"
        raise BackendError(f"index {name} exists in Pilosa with options {index.index_options}: {needed}")
    for wanted in (*fields, FieldSchema(ACCESS_FIELD, "set")):
        options = index.options.get(wanted.name)
        if options is None:
            _create(http, f"/index/{name}/field/{wanted.name}", _options(wanted))
            continue
        if wanted.kind == "set" and (options["type"] != "set" or options.get("keys")):
            kind = options["type"] + (" with keys" if options.get("keys") else "")
            raise BackendError(f"field {wanted.name} of index {name} exists as {kind}, a set without keys is wanted")
        check_same(name, index.fields[wanted.name], wanted)
        if wanted.kind == "set" and wanted.name != ACCESS_FIELD and options.get("cacheType") != "ranked":
            raise BackendError(f"field {wanted.name} of index {name} has cacheType {options.get('cacheType')}, ranked is wanted")


def ensure_like(http: PilosaHttp, base: Index, name: str, make: bool = True) -> None:
    """Makes the fields of `base` in another index, with the same options, as far as they are missing there; `access` last.

    make: the index itself, too; else nothing is made where there is none. Raises BackendAway, BackendError."""
    index = read(http).get(name)
    if index is None:
        if not make:
            return
        _create(http, f"/index/{name}", {one: base.index_options[one] for one in ("keys", "trackExistence")})
    missing = [one for one in base.options if index is None or one not in index.options]
    for one in sorted(missing, key=lambda one: one == ACCESS_FIELD):
        _create(http, f"/index/{name}/field/{one}", _given(base.options[one]))


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


def _create(http: PilosaHttp, path: str, options: dict[str, Any]) -> None:
    status, body = http.ask("POST", path, json.dumps({"options": options}).encode())
    if status >= 300 and status != 409:  # 409: another process made it just now
        raise refused(f"POST {path}", status, body)
