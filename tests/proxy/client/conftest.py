"""Client indexes on a real Pilosa and a real Postgres, asked as the proxy asks them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from indexing import store, translation
from indexing.client.contract import ClientIndex, FieldOptions, IndexOptions, Wanted
from indexing.client.engine import engine
from proxy.client.ask import ask_client
from proxy.pql.render import render_json
from tests.pilosa import PilosaServer

_numbers = count(1)
FIELDS = {
    "s": FieldOptions(),
    "k": FieldOptions(keys=True),
    "l": FieldOptions(keys=True),
    "i": FieldOptions("int", minimum=-100, maximum=100),
    "t": FieldOptions("time", time_quantum="YMD"),
    "m": FieldOptions("mutex", keys=True),
    "b": FieldOptions("bool"),
    "c": FieldOptions(cache_type="none"),
}


@dataclass
class Asker:
    """One index; answers are Pilosa's JSON without `{"results":` around it."""

    index: ClientIndex

    def __call__(self, text: str, **wanted: Any) -> str:
        answer = ask_client(self.index, text, Wanted(**wanted))
        body = render_json(answer.results, answer.calls, False, answer.column_attrs).decode()
        return body.removeprefix('{"results":').removesuffix("}\n")


class Make:
    """Makes indexes; removes them at the end."""

    def __init__(self) -> None:
        self.made: list[ClientIndex] = []

    def __call__(self, keys: bool = False, track_existence: bool = True) -> Asker:
        index = ClientIndex(f"asked{next(_numbers)}", IndexOptions(keys, track_existence), FIELDS)
        engine().create_index(index)
        self.made.append(index)
        return Asker(index)


@pytest.fixture
def make(transactional_db: None, pilosa_server: PilosaServer, settings: Any) -> Iterator[Make]:
    settings.INDEX_URL = pilosa_server.url
    translation.clear_cache()
    made = Make()
    yield made
    for index in made.made:
        engine().delete_index(index)
    store.close()


@pytest.fixture
def ask(make: Make) -> Asker:
    """An index whose columns have ids."""
    return make()


@pytest.fixture
def keyed(make: Make) -> Asker:
    """An index whose columns have keys."""
    return make(keys=True)
