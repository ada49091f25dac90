"""Parquet with typed columns; of each field a list, for a packet may have several values."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from capture.packets.fields import Field
from capture.packets.registry import FIELDS
from proxy.export import arrow
from proxy.export.csv import BASE, SAID
from proxy.export.packets import Records
from proxy.export.values import Values

TIME_TYPE = pa.timestamp("ns", "UTC")


class Parquet:
    """See proxy.export.formats.TableFile."""

    content_type, extension = "application/vnd.apache.parquet", "parquet"

    def __init__(self, index: str, names: Sequence[str]) -> None:
        self.fields = [name for name in names if name not in SAID]
        base = [(name, TIME_TYPE if row is None else pa.int64()) for name, row in BASE.items()]
        self._schema = pa.schema([*base, *((name, pa.list_(value_type(FIELDS[name]))) for name in self.fields)])
        self._sink = _Sink()
        self._writer = pq.ParquetWriter(self._sink, self._schema, compression="zstd")

    def begin(self) -> bytes:
        """The file's first bytes."""
        return self._sink.take()

    def rows(self, records: Records, values: dict[str, Values]) -> bytes:
        """A row group of these packets."""
        columns = [arrow.times(records) if row is None else pa.array(records[row]) for row in BASE.values()]
        columns += [arrow.lists(values[name], _distinct(values[name])) for name in self.fields]
        columns = [column.cast(kind) for column, kind in zip(columns, self._schema.types, strict=True)]
        self._writer.write_table(pa.Table.from_arrays(columns, schema=self._schema), row_group_size=records.shape[1])
        return self._sink.take()

    def end(self) -> bytes:
        """The footer, without which nothing of the file can be read."""
        self._writer.close()
        return self._sink.take()

    def broken(self, why: str) -> bytes:
        """Nothing: there is no footer."""
        return b""


def value_type(field: Field) -> Any:
    """Of the values of a field: int64, timestamp[ms, UTC] (Parquet has no seconds) or string."""
    kinds = {"number": pa.int64(), "int": pa.int64(), "time": pa.timestamp("ms", "UTC")}
    return kinds.get(field.encoding, pa.string())


def _distinct(values: Values) -> Any:
    if values.field.encoding in ("number", "int"):
        return pa.array(values.rows.view(np.int64))
    if values.field.encoding == "time":
        return pa.array(values.rows.astype(np.int64) * values.field.seconds * 1000).cast(pa.timestamp("ms"))
    return pa.array(values.texts, pa.string())


class _Sink(io.RawIOBase):
    """What the writer writes, until it is taken."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._at = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        self._at += len(self._parts[-1])
        return len(self._parts[-1])

    def tell(self) -> int:
        return self._at

    def take(self) -> bytes:
        """All that was written since it was last taken."""
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken
