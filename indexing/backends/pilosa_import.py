"""Bits into a Pilosa cluster and out of it again.

Sets go by import-roaring, which any node takes and passes to the owners; ints by /import, which each owner must be sent.
Existence (field `_exists`) is imported like a set, as import-roaring does not keep it; `access` last.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import urlencode

import numpy as np
from numpy.typing import NDArray

from indexing.backends import pilosa_protobuf
from indexing.backends.base import (
    ACCESS_FIELD,
    LIVE_ROW,
    SHARD_WIDTH,
    BackendError,
    BatchBits,
    BatchRange,
    FieldSchema,
    SetBits,
)
from indexing.backends.pilosa_http import PilosaHttp, refused
from indexing.backends.ranges import merged, pieces
from indexing.roaring import SHARD_EXPONENT, U64, encode_bits, encode_ranges

EXISTS_FIELD = "_exists"
_VALUES_AT_ONCE = 500_000
_ROWS_AT_ONCE = 50_000  # rows of one clear mask: at most 352 bytes each for a whole shard
_ROW_0 = np.array([LIVE_ROW], np.uint64)


class Importer:
    """Writes to the cluster behind `http`."""

    def __init__(self, http: PilosaHttp) -> None:
        self._http = http

    def import_batch(self, index: str, bits: BatchBits) -> None:
        """All bits of a batch, then existence, then `access`: only the last makes it visible."""
        places = list(pieces(BatchRange(bits.batch, bits.first_column, bits.count)))
        for shard, _, _ in places:
            for name, some in bits.fields.items():
                inside = (some.column >> np.uint64(SHARD_EXPONENT)) == np.uint64(shard)
                if not inside.any():
                    continue
                column = some.column[inside]
                if isinstance(some, SetBits):
                    self._roaring(index, name, shard, encode_bits(some.row[inside], column))
                else:
                    self._values(index, name, shard, column, some.value[inside])
        for field in (EXISTS_FIELD, ACCESS_FIELD):
            for shard, first, last in places:
                self._roaring(index, field, shard, encode_ranges(_ROW_0, [(first, last)]))

    def hide(self, index: str, batches: Sequence[BatchRange]) -> None:
        """Clears the batches' columns of `access`."""
        for shard, ranges in merged(batches).items():
            self._roaring(index, ACCESS_FIELD, shard, encode_ranges(_ROW_0, ranges), clear=True)

    def mark(self, index: str, field: str, row: int, clear: bool = False) -> None:
        """Sets or clears one bit, that of a row at column 0; the column is no packet's for that."""
        self._roaring(index, field, 0, encode_ranges(np.array([row], np.uint64), [(0, 0)]), clear)

    def clear(self, index: str, fields: Iterable[FieldSchema], batches: Sequence[BatchRange]) -> None:
        """Clears the batches' columns of every field, of existence last."""
        fields = list(fields)
        for shard, ranges in merged(batches).items():
            for field in fields:
                if field.kind == "int":
                    columns = np.concatenate([np.arange(first, last + 1, dtype=np.uint64) for first, last in ranges])
                    columns += np.uint64(shard * SHARD_WIDTH)
                    self._values(index, field.name, shard, columns, np.zeros(columns.size, np.int64), clear=True)
                    continue
                rows = self._rows(index, field.name, shard)
                for i in range(0, rows.size, _ROWS_AT_ONCE):
                    self._roaring(index, field.name, shard, encode_ranges(rows[i : i + _ROWS_AT_ONCE], ranges), clear=True)
            for name in (ACCESS_FIELD, EXISTS_FIELD):
                self._roaring(index, name, shard, encode_ranges(_ROW_0, ranges), clear=True)

    def _rows(self, index: str, field: str, shard: int) -> U64:
        """Row ids that the field has in a shard, ascending."""
        answer = self._http.json("POST", f"/index/{index}/query?shards={shard}", f"Rows({field})".encode())
        return np.array(answer["results"][0]["rows"] or [], np.uint64)

    def _roaring(self, index: str, field: str, shard: int, data: bytes, clear: bool = False) -> None:
        path = f"/index/{index}/field/{field}/import-roaring/{shard}"
        status, body = self._http.ask("POST", path, pilosa_protobuf.import_roaring(data, clear), proto=True)
        if status != 200:
            raise refused(f"POST {path}", status, body)

    def _values(self, index: str, field: str, shard: int, column: U64, value: NDArray[np.int64], clear: bool = False) -> None:
        path = f"/index/{index}/field/{field}/import" + ("?clear=true" if clear else "")
        owners = self._owners(index, shard)
        for i in range(0, column.size, _VALUES_AT_ONCE):
            some = slice(i, i + _VALUES_AT_ONCE)
            body = pilosa_protobuf.import_values(index, field, shard, column[some], value[some])
            for owner in owners:
                if owner is None:
                    status, answer = self._http.ask("POST", path, body, proto=True)
                else:
                    status, answer = self._http.ask_host(owner, "POST", path, body, proto=True)
                if status != 200:
                    raise refused(f"POST {path}", status, answer)

    def _owners(self, index: str, shard: int) -> list[tuple[str, int] | None]:
        """The nodes that hold a shard; [None] in a cluster of one: whoever answers, under whatever name we know it."""
        nodes = self._http.json("GET", "/internal/fragment/nodes?" + urlencode({"index": index, "shard": shard}))
        if not nodes:
            raise BackendError(f"no node of Pilosa owns shard {shard} of index {index}")
        if len(nodes) == 1 and len(self._http.json("GET", "/internal/nodes")) == 1:
            return [None]
        return [(node["uri"]["host"], int(node["uri"]["port"])) for node in nodes]
