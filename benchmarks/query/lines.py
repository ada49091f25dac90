"""The queries that are asked: each as we ask it, in values, and as Pilosa is asked it, in row ids, for the same bits."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import psycopg

from benchmarks.live.product import Product
from capture.packets.registry import FIELDS
from capture.packets.values import row_of_text
from picapweb.embedded import postgres
from picapweb.embedded.data import DataFolder

OTHERS = 200  # other values in turn, where a line asks for another row each time
MANY, FEW = 2000, 100  # columns of the row that has about so many; of rows that have few

Ids = Mapping[tuple[str, str], int]  # (field, value) -> row id


@dataclass(frozen=True)
class Line:
    """One line of the table. text: the i-th query, its rows written by `row(field, value)`."""

    name: str
    text: Callable[[int, Callable[[str, str], str]], str]
    large: bool = False  # the answer is megabytes: asked fewer times

    def values(self, i: int) -> str:
        """As we are asked."""
        return self.text(i, lambda field, value: f'Row({field}="{value}")')

    def ids(self, i: int, ids: Ids) -> str:
        """As Pilosa is asked."""
        return self.text(i, lambda field, value: f"Row({field}={ids[field, value]})")


def lines(product: Product) -> list[Line]:
    """The list, with values that the index of a product has."""
    sources = _top(product, "netsrc", 2000)
    hosts = [host for host, _ in _top(product, "http-hostname", OTHERS)]
    protocols = [protocol for protocol, _ in _top(product, "transproto", 6)]
    network = _top(product, "netproto", 1)[0][0]
    some = [value for value, count in sources if count <= sources[0][1] // 10][:OTHERS]
    many = min(
        (abs(count - MANY), field, value) for field in ("netsrc", "transdst") for value, count in _top(product, field, 2000)
    )
    largest = protocols[0]

    def other(values: list[str], i: int) -> str:
        return values[i % len(values)]

    return [
        Line("TopN(http-hostname, n=10)", lambda i, row: "TopN(http-hostname, n=10)"),
        Line("Count(Row(netsrc=)), another each time", lambda i, row: f"Count({row('netsrc', other(some, i))})"),
        Line(
            "Count(Intersect()) of two small rows, others each time",
            lambda i, row: f"Count(Intersect({row('netsrc', other(some, i))}, {row('http-hostname', other(hosts, i))}))",
        ),
        Line(
            "Count(Intersect()) of two large rows",
            lambda i, row: f"Count(Intersect({row('netproto', network)}, {row('transproto', largest)}))",
        ),
        Line(
            "TopN(netsrc, Row(transproto=), n=10), another each time",
            lambda i, row: f"TopN(netsrc, {row('transproto', other(protocols, i))}, n=10)",
        ),
        Line("GroupBy(Rows(netproto), Rows(transproto))", lambda i, row: "GroupBy(Rows(netproto), Rows(transproto))"),
        Line(f"Row of about {MANY:,} columns", lambda i, row: row(many[1], many[2])),
        Line("Row of three quarters of all columns", lambda i, row: row("transproto", largest), large=True),
        Line("Sum(length)", lambda i, row: "Sum(field=length)"),
        Line("Count(length > n), another n each time", lambda i, row: f"Count(Row(length > {1000 + i % 300}))"),
    ]


def ids_of(product: Product, asked: list[Line]) -> dict[tuple[str, str], int]:
    """Row ids of the values that lines name, as the translation table of a product has them."""
    wanted: set[tuple[str, str]] = set()
    for line, i in itertools.product(asked, range(OTHERS)):
        line.text(i, lambda field, value: wanted.add((field, value)) or "")  # type: ignore[func-returns-value]
    ids: dict[tuple[str, str], int] = {}
    with psycopg.connect(postgres.url(DataFolder(product.data)), autocommit=True) as database:
        for field, value in wanted:
            if FIELDS[field].encoding != "text":
                row: int | None = row_of_text(FIELDS[field], value)
            else:
                found = database.execute(
                    "SELECT v.row FROM indexing_translationvalue v JOIN indexing_translationfield f ON f.id = v.field_id"
                    " WHERE f.index = 'net' AND f.field = %s AND v.value = %s",
                    [field, value.encode()],
                ).fetchone()
                row = int(found[0]) if found else None
            if row is None:
                raise RuntimeError(f"{field}={value!r} has no row id")
            ids[field, value] = row
    return ids


def _top(product: Product, field: str, n: int) -> list[tuple[str, int]]:
    """(value, columns) of the rows of a field that have most."""
    pairs = product.connection.pql(f"TopN({field}, n={n})")[0]
    return [(pair["key"], pair["count"]) for pair in pairs if '"' not in pair["key"] and "\\" not in pair["key"]]
