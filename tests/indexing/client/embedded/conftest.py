"""Client indexes in an embedded store of their own, and short spellings of calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexing.backends.embedded import EmbeddedBackend
from indexing.calls import BoolResult, Call, Result, RowRef, RowResult
from indexing.client.contract import Answered, ClientIndex, FieldOptions, IndexOptions, Wanted
from indexing.client.embedded import EmbeddedClients

W = 1 << 20
FIELDS = {
    "s": FieldOptions(),
    "none": FieldOptions(cache_type="none", cache_size=0),
    "m": FieldOptions("mutex"),
    "b": FieldOptions("bool"),
    "i": FieldOptions("int", minimum=-1000, maximum=1000),
    "far": FieldOptions("int", minimum=100, maximum=10**6),
    "t": FieldOptions("time", time_quantum="YMDH"),
    "n": FieldOptions("time", time_quantum="MD", no_standard_view=True),
}
INDEX = ClientIndex("people", IndexOptions(), FIELDS)


def change(name: str, column: int, field: str, row: int, timestamp: str | None = None) -> Call:
    """Set or Clear."""
    return Call(
        name, [], {"row": RowRef(field, row), "column": column, **({} if timestamp is None else {"timestamp": timestamp})}
    )


def row(field: str, number: int | None, **args: Any) -> Call:
    return Call("Row", [], {"row": RowRef(field, number), **args})


@dataclass
class Asker:
    """One index of an engine."""

    clients: EmbeddedClients
    index: ClientIndex

    def query(self, *calls: Call, **wanted: Any) -> Answered:
        return self.clients.query(self.index, calls, Wanted(**wanted))

    def one(self, call: Call, **wanted: Any) -> Result:
        return self.query(call, **wanted).results[0]

    def changed(self, *calls: Call) -> list[bool]:
        """What writes return."""
        results = self.query(*calls).results
        assert all(isinstance(result, BoolResult) for result in results)
        return [result.changed for result in results if isinstance(result, BoolResult)]

    def columns(self, call: Call, **wanted: Any) -> list[int]:
        result = self.one(call, **wanted)
        assert isinstance(result, RowResult)
        found: list[int] = result.columns.tolist()
        return found

    def add(self, field: str, bits: Sequence[tuple[int, int]], clear: bool = False) -> None:
        """Imports (row, column) pairs."""
        rows, columns = (np.array(some, np.uint64) for some in zip(*bits, strict=True))
        self.clients.import_bits(self.index, field, rows, columns, clear=clear)


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[EmbeddedBackend]:
    backend = EmbeddedBackend(tmp_path / "store", 1 << 30)
    yield backend
    backend.close()


@pytest.fixture
def people(backend: EmbeddedBackend) -> Asker:
    """An index with a field of every kind."""
    backend.clients.create_index(INDEX)
    return Asker(backend.clients, INDEX)
