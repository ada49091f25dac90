"""The same request to the product and to a real Pilosa beside it; the product runs on each backend."""

from __future__ import annotations

import http.client
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.test import Client

from indexing import store
from indexing.client import tables
from tests.pilosa import PilosaServer, start_pilosa

PROTOBUF = {"Content-Type": "application/x-protobuf", "Accept": "application/x-protobuf"}


class Answer(NamedTuple):
    """What a client sees. type: the Content-Type, None for none."""

    status: int
    body: bytes
    type: str | None


@dataclass
class Product:
    """The product, asked as a client of Pilosa does. index: a name that no index has yet."""

    client: Client
    index: str = field(default_factory=lambda: f"i{uuid.uuid4().hex[:12]}")

    def ask(self, method: str, path: str, body: bytes | str = b"", **headers: str) -> Answer:
        """headers: with _ for -."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        kind = named.pop("Content-Type", "")
        data = body.encode() if isinstance(body, str) else body
        # Django's client says a type only where there is a body.
        answer = self.client.generic(method, path, data, headers=named, CONTENT_TYPE=kind)
        return Answer(answer.status_code, answer.content, answer.headers.get("Content-Type"))

    def make(self, fields: dict[str, dict[str, Any]] | None = None, **options: Any) -> str:
        """Makes an index with fields (their options), and gives its name."""
        answer = self.ask("POST", f"/index/{self.index}", json.dumps({"options": options}))
        assert answer.status == 200, answer
        for name, one in (fields or {}).items():
            answer = self.ask("POST", f"/index/{self.index}/field/{name}", json.dumps({"options": one}))
            assert answer.status == 200, answer
        return self.index

    def protobuf(self, path: str, body: bytes) -> Answer:
        return self.ask("POST", path, body, **PROTOBUF)

    def exported(self, field: str, shard: int = 0) -> list[str]:
        """The lines of a field's export."""
        answer = self.ask("GET", f"/export?index={self.index}&field={field}&shard={shard}", Accept="text/csv")
        assert answer.status == 200, answer
        return answer.body.decode().splitlines()

    def query(self, text: str, index: str | None = None) -> Any:
        """Results of a query in JSON."""
        answer = self.ask("POST", f"/index/{index or self.index}/query", text)
        assert answer.status == 200, answer
        return json.loads(answer.body)["results"]


class Reference(Product):
    """A real Pilosa 1.4.1, asked in the same way."""

    def __init__(self, server: PilosaServer, index: str) -> None:
        self.server, self.index = server, index

    def ask(self, method: str, path: str, body: bytes | str = b"", **headers: str) -> Answer:
        connection = http.client.HTTPConnection(self.server.host, self.server.port, timeout=60)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body.encode() if isinstance(body, str) else body, named)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read(), answer.headers.get("Content-Type"))
        finally:
            connection.close()


@dataclass
class Both:
    """Asks both, and demands that they answer the same."""

    ours: Product
    theirs: Reference

    @property
    def index(self) -> str:
        return self.ours.index

    def ask(self, method: str, path: str, body: bytes | str = b"", **headers: str) -> Answer:
        ours = self.ours.ask(method, path, body, **headers)
        assert ours == self.theirs.ask(method, path, body, **headers)
        return ours

    def make(self, fields: dict[str, dict[str, Any]] | None = None, **options: Any) -> str:
        self.ours.make(fields, **options)
        return self.theirs.make(fields, **options)

    def protobuf(self, path: str, body: bytes) -> Answer:
        return self.ask("POST", path, body, **PROTOBUF)

    def exported(self, field: str, shard: int = 0) -> list[str]:
        ours = self.ours.exported(field, shard)
        assert ours == self.theirs.exported(field, shard)
        return ours


@pytest.fixture(scope="session")
def reference_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PilosaServer]:
    """Another one than that which holds the product's bitmaps."""
    server = start_pilosa(tmp_path_factory.mktemp("reference"))
    yield server
    server.stop()


@pytest.fixture(params=["embedded", "pilosa"])
def product(request: pytest.FixtureRequest, data: Path, settings: Any) -> Iterator[Product]:
    """On each backend; the schema is empty."""
    if request.param == "pilosa":
        settings.INDEX_URL = request.getfixturevalue("pilosa_server").url
        store.close()
    yield Product(Client(headers={"host": "localhost:11000"}))
    for index in tables.read_all():
        tables.delete_index(index.name)


@pytest.fixture
def both(product: Product, reference_server: PilosaServer) -> Iterator[Both]:
    reference = Reference(reference_server, product.index)
    yield Both(product, reference)
    for index in json.loads(reference.ask("GET", "/schema").body)["indexes"] or []:
        reference.ask("DELETE", f"/index/{index['name']}")
