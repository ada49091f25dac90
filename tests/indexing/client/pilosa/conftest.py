"""Client indexes on a real Pilosa, each test with an index of its own; ids alone, no Django."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import pytest

from indexing.backends.pilosa import PilosaBackend
from indexing.calls import Result
from indexing.client.contract import ClientIndex, FieldOptions, IndexOptions, Wanted
from indexing.client.pilosa import PilosaClients
from proxy.pql.parse import parse
from tests.pilosa import PilosaServer

_numbers = count(1)


@dataclass
class Bench:
    """One index and the engine that has it."""

    clients: PilosaClients
    index: ClientIndex

    def results(self, text: str, **wanted: Any) -> list[Result]:
        return self.clients.query(self.index, parse(text), Wanted(**wanted)).results

    def ask(self, text: str, **wanted: Any) -> Any:
        (result,) = self.results(text, **wanted)
        return result

    def columns(self, text: str, **wanted: Any) -> list[int]:
        found: list[int] = self.ask(text, **wanted).columns.tolist()
        return found

    def pairs(self, text: str) -> list[tuple[int, int]]:
        return [(pair.id, pair.count) for pair in self.ask(text).pairs]

    def bits(self, field: str, *bits: tuple[int, int], clear: bool = False) -> None:
        """(row, column) by import."""
        rows, columns = np.array(bits, np.uint64).reshape(-1, 2).T.copy()
        self.clients.import_bits(self.index, field, rows, columns, None, clear)

    def values(self, field: str, values: dict[int, int], clear: bool = False) -> None:
        """{column: value} by import."""
        columns = np.array(list(values), np.uint64)
        self.clients.import_values(self.index, field, columns, np.array(list(values.values()), np.int64), clear)


class Make:
    """Makes indexes; removes them at the end."""

    def __init__(self, clients: PilosaClients) -> None:
        self.clients = clients
        self.made: list[ClientIndex] = []

    def __call__(self, track_existence: bool = True, **fields: FieldOptions) -> Bench:
        index = ClientIndex(f"bench{next(_numbers)}", IndexOptions(False, track_existence), fields)
        self.clients.create_index(index)
        self.made.append(index)
        return Bench(self.clients, index)


@pytest.fixture(scope="module")
def clients(pilosa_server: PilosaServer) -> Iterator[PilosaClients]:
    backend = PilosaBackend([(pilosa_server.host, pilosa_server.port)])
    yield backend.clients
    backend.close()


@pytest.fixture
def make(clients: PilosaClients) -> Iterator[Make]:
    made = Make(clients)
    yield made
    for index in made.made:
        clients.delete_index(index)
