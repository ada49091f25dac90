"""The Pilosa backend: bitmaps in a Pilosa 1.4.1 cluster, over plain keep-alive HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from indexing.backends import pilosa_schema
from indexing.backends.base import ACCESS_FIELD, BackendAway, BackendError, BatchBits, BatchRange, FieldSchema
from indexing.backends.check import check
from indexing.backends.names import check_bits, check_names
from indexing.backends.pilosa_ask import Asking, ask
from indexing.backends.pilosa_http import Host, PilosaHttp, refused
from indexing.backends.pilosa_import import Importer
from indexing.calls import Call, QueryError, Result
from indexing.roaring import U64, sorted_unique

_SCHEMA_SECONDS = 10.0  # how long the schema is believed; what is not in it is looked up at once
_ALONE_SECONDS = 5.0  # how long a cluster of one node is believed to be one
_COLUMNS_AT_ONCE = 500
_STATE_WORDS = {
    "DEGRADED": "a node is away: answers may be too small unless every node has all data (replicas = nodes)",
    "STARTING": "the cluster is starting",
    "RESIZING": "the cluster is moving data between nodes",
}


class PilosaBackend:
    """See indexing.backends.base.Backend. Its batches are visible only through the `access` mask: every read must carry it."""

    name = "pilosa"
    masked = True

    def __init__(self, hosts: Sequence[Host], degraded_is_safe: bool = False, read_seconds: float = 300.0) -> None:
        """hosts: (host, port) of nodes, asked in turn. degraded_is_safe: the cluster's replicas equal its nodes, so that
        what is left of it answers in full; /status does not tell. read_seconds: patience with one answer."""
        self._http = PilosaHttp(hosts, read_seconds)
        self._importer = Importer(self._http)
        self._degraded_is_safe = degraded_is_safe
        self._schema: tuple[float, dict[str, pilosa_schema.Index]] = (-1e9, {})
        self._alone = -1e9

    def close(self) -> None:
        """See Backend."""
        self._http.close()

    # Schema

    def ensure_index(self, index: str, fields: Iterable[FieldSchema]) -> None:
        """See Backend."""
        fields = [field for field in fields if field.name != ACCESS_FIELD]
        check_names(index, fields)
        pilosa_schema.ensure(self._http, index, fields)
        self._read_schema()

    def drop_index(self, index: str) -> None:
        """See Backend."""
        status, body = self._http.ask("DELETE", f"/index/{index}")
        if status >= 300 and status != 404:
            raise refused(f"DELETE /index/{index}", status, body)
        self._read_schema()

    def indexes(self) -> dict[str, list[FieldSchema]]:
        """See Backend."""
        found = self._read_schema()
        return {name: [field for field in index.fields.values() if field.name != ACCESS_FIELD] for name, index in found.items()}

    def _read_schema(self) -> dict[str, pilosa_schema.Index]:
        found = pilosa_schema.read(self._http)
        for name, index in found.items():
            before = self._schema[1].get(name)
            if before is not None:
                index.known = before.known
        self._schema = (time.monotonic(), found)
        return found

    def _index(self, name: str, fields: Iterable[str] = ()) -> pilosa_schema.Index | None:
        """An index of the schema, read anew if it is old or lacks the index or one of the fields."""
        when, found = self._schema
        index = found.get(name)
        if time.monotonic() - when > _SCHEMA_SECONDS or index is None or any(field not in index.fields for field in fields):
            index = self._read_schema().get(name)
        return index

    # Batches

    def import_batch(self, index: str, bits: BatchBits) -> None:
        """See Backend. A retry adds to what is there: the same bits give the same index."""
        known = self._index(index, bits.fields)
        if known is None:
            raise BackendError(f"index {index} does not exist")
        check_bits(index, known.fields, bits)
        self._importer.import_batch(index, bits)

    def hide_batches(self, index: str, batches: Sequence[BatchRange]) -> None:
        """See Backend."""
        if batches and self._index(index) is not None:
            self._importer.hide(index, batches)

    def clear_batches(self, index: str, batches: Sequence[BatchRange]) -> None:
        """See Backend. Bytes on Pilosa's disks are not freed by it; only drop_index does that."""
        known = self._index(index)
        if batches and known is not None:
            fields = [field for field in known.fields.values() if field.name != ACCESS_FIELD]
            self._importer.clear(index, fields, batches)

    def merge_batches(self, index: str, batches: Sequence[BatchRange], into: BatchRange) -> None:
        """See Backend. Pilosa has columns and knows of no batches: there is nothing to do."""

    # Questions

    def query(self, index: str, calls: Sequence[Call], shards: Sequence[int] | None = None) -> list[Result]:
        """See Backend. Raises BackendError while the cluster is DEGRADED, unless that was said to be safe."""
        known = self._index(index)
        if known is None:
            raise QueryError("index not found")
        try:
            for call in calls:
                check(call, known.fields)
        except QueryError:
            known = self._read_schema().get(index)  # a field may be younger than our schema
            if known is None:
                raise QueryError("index not found") from None
            for call in calls:
                check(call, known.fields)
        if shards is not None and not shards:
            shards = [(1 << 43) - 1]  # none: an empty list would mean all
        return self._run(index, [ask(call, known.fields, known) for call in calls], shards)

    def _run(self, index: str, asking: list[Asking], shards: Sequence[int] | None) -> list[Result]:
        """Runs the generators, all of a round in one request."""
        results: dict[int, Result] = {}
        asked: dict[int, list[str]] = {}

        def step(i: int, answers: list[Any] | None) -> None:
            try:
                asked[i] = asking[i].send(answers) if answers is not None else next(asking[i])
            except StopIteration as end:
                results[i] = end.value

        for i in range(len(asking)):
            step(i, None)
        while asked:
            texts = [text for some in asked.values() for text in some]
            answers = self._post(index, "".join(texts), shards)
            taken, asked = asked, {}
            at = 0
            for i, some in taken.items():
                step(i, answers[at : at + len(some)])
                at += len(some)
        return [results[i] for i in range(len(asking))]

    def _post(self, index: str, pql: str, shards: Sequence[int] | None) -> list[Any]:
        path = f"/index/{index}/query" + ("" if shards is None else "?shards=" + ",".join(map(str, shards)))
        status, body = self._http.ask("POST", path, pql.encode())
        if status == 400:
            raise _query_error(body)
        if status != 200:
            raise refused(f"POST {path}", status, body)
        self._check_state()
        results: list[Any] = json.loads(body)["results"]
        return results

    def rows_of_columns(self, index: str, field: str, columns: U64) -> tuple[U64, U64]:
        """See Backend. One Rows(column=) a column, many in a request."""
        known = self._index(index, [field])
        if known is None:
            raise QueryError("index not found")
        if field not in known.fields:
            raise QueryError("field not found")
        out_columns, out_rows = [np.zeros(0, np.uint64)], [np.zeros(0, np.uint64)]
        if known.fields[field].kind == "set":
            columns = sorted_unique(np.asarray(columns, np.uint64))
            for i in range(0, columns.size, _COLUMNS_AT_ONCE):
                some = columns[i : i + _COLUMNS_AT_ONCE]
                answers = self._post(index, "".join(f"Rows({field},column={column})" for column in some.tolist()), None)
                rows = [np.array(answer["rows"] or [], np.uint64) for answer in answers]
                out_columns.append(np.repeat(some, [row.size for row in rows]))
                out_rows.extend(rows)
        return np.concatenate(out_columns), np.concatenate(out_rows)

    # State

    def status(self) -> dict[str, Any]:
        """See Backend; besides: nodes, [{"host", "state"}]."""
        answer = self._http.json("GET", "/status")
        state = answer["state"]
        nodes = [{"host": f"{n['uri']['host']}:{n['uri']['port']}", "state": n.get("state", "")} for n in answer["nodes"]]
        detail = f"{len(nodes)} node{'s' if len(nodes) != 1 else ''}"
        if state != "NORMAL":
            away = ", ".join(node["host"] for node in nodes if node["state"] not in ("READY", ""))
            detail += f"; {_STATE_WORDS.get(state, state)}" + (f" (not ready: {away})" if away else "")
        return {"name": self.name, "state": state, "detail": detail, "nodes": nodes}

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
