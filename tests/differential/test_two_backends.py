"""One capture in the product on either backend: 200 queries of all calls, in values, are answered byte for byte alike."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tests.product_servers import Peer
from tests.server import Server

CAPTURE = "pcaps/large/derived__merged-home-and-web-mix.pcap"
SETS = ["netsrc", "netdst", "netproto", "tcp", "transsrc", "transdst", "http-hostname", "time-hour", "job"]
INTS = ["length"]


class Texts:
    """A seeded source of queries; values: some of each set field, as TopN named them."""

    def __init__(self, seed: int, values: dict[str, list[str]]) -> None:
        self.random, self.values = random.Random(seed), values

    def row(self) -> str:
        pick = self.random
        if pick.random() < 0.25:
            low, high = sorted(pick.sample([0, 40, 60, 61, 100, 1000, 1500, 70000], 2))
            return pick.choice(
                [
                    *(f"Row(length > {low})", f"Row(length <= {high})", f"Row(length == {low})", f"Row(length != {high})"),
                    *(f"Row(length >< [{low},{high}])", f"Row({low} < length <= {high})", "Row(length != null)"),
                ]
            )
        field = pick.choice(list(self.values))
        return f"Row({field}={json.dumps(pick.choice([*self.values[field], 'nobody has this']))})"

    def bitmap(self, depth: int = 0) -> str:
        if depth > 2 or self.random.random() < 0.3:
            return self.row()
        name = self.random.choice(["Union", "Intersect", "Difference", "Xor", "Not"])
        inputs = 1 if name == "Not" else self.random.choice([1, 2, 2, 3])
        return f"{name}({', '.join(self.bitmap(depth + 1) for _ in range(inputs))})"

    def rows(self, field: str) -> str:
        value = json.dumps(self.random.choice(self.values[field]))
        more = [
            "",
            "",
            f", limit={self.random.choice([1, 3])}",
            f", previous={value}",
            f", column={self.random.choice([0, 7, 99])}",
        ]
        return f"Rows({field}{self.random.choice(more)})"

    def one(self) -> str:
        pick = self.random
        field, other = pick.sample(list(self.values), 2)
        value = json.dumps(pick.choice(self.values[field]))
        return pick.choice(
            [
                lambda: self.bitmap(),
                lambda: f"Count({self.bitmap()})",
                lambda: f"TopN({field}, n={pick.choice([1, 5, 100])})",
                lambda: f"TopN({field}, {self.bitmap(2)})",
                lambda: f"TopN({field}, ids=[{value}], n=2)",
                lambda: f"TopN({field}, {self.row()}, threshold=3)",
                lambda: self.rows(field),
                lambda: f"GroupBy(Rows({field}, limit=4), Rows({other}, limit=4))",
                lambda: f"GroupBy(Rows({field}, limit=4), Rows({other}), Rows(netproto), filter={self.bitmap(2)}, limit=9)",
                lambda: f"GroupBy({self.rows(field)}, filter={self.bitmap(2)}, limit=5)",
                lambda: f"{pick.choice(['Sum', 'Min', 'Max'])}({pick.choice(['', self.bitmap(2) + ', '])}field=length)",
                lambda: f"{pick.choice(['MinRow', 'MaxRow'])}({pick.choice(['', self.bitmap(2) + ', '])}field={field})",
                lambda: f"Options({self.bitmap(2)}, shards=[{pick.choice([0, 1])}])",
                lambda: f"Options({self.bitmap(2)}, excludeColumns=true)",
                lambda: f"Count(Shift({self.bitmap(2)}, n={pick.choice([0, 1, 5])}))",
                lambda: f"Bitmap(frame={field}, rowID={value})",
                lambda: f"TopN(frame={field}, n=3)Count(Bitmap(frame={field}, rowID={value}))",
                lambda: f"Row({field}={value}, from=2012-01-01T00:00, to=2013-01-01T00:00)",
                lambda: f"Set(1, {field}={value})",
                lambda: f"Clear(1, {field}={value})",
                lambda: f"Store({self.row()}, {field}={value})",
                lambda: f"ClearRow({field}={value})",
                lambda: f"SetRowAttrs({field}, {value}, a=1)",
                lambda: f"{self.row()}Row(there-is-no={value})",
            ]
        )()


def _indexed(peer: Peer, capture: Path) -> None:
    server = peer.server
    assert isinstance(server, Server)
    job = server.upload(capture, "?max_packets=3000")
    ended = server.until(lambda: (one := server.job(job["id"]))["state"] in ("done", "failed") and one)
    assert (ended["state"], ended["packets"]["indexed"]) == ("done", 3000), ended


@pytest.fixture(scope="module")
def both(embedded_product: Peer, pilosa_product: Peer, shared: Path) -> tuple[Peer, Peer]:
    for peer in (embedded_product, pilosa_product):
        _indexed(peer, shared / CAPTURE)
    return embedded_product, pilosa_product


def test_two_hundred_queries(both: tuple[Peer, Peer]) -> None:
    embedded, pilosa = both
    values = {}
    for field in SETS:
        status, body = embedded.query("net", f"TopN({field}, n=8)")
        assert status == 200, body
        if named := [pair["key"] for pair in json.loads(body)["results"][0]]:
            values[field] = named
    assert len(values) > 5
    texts = Texts(1, values)
    answered, differ = 0, []
    for _ in range(200):
        text = texts.one()
        one, other = embedded.query("net", text), pilosa.query("net", text)
        answered += one[0] == 200
        if one != other:
            differ.append(f"{text}\n    embedded {one[0]} {one[1][:300]!r}\n    Pilosa   {other[0]} {other[1][:300]!r}")
    assert not differ, f"{len(differ)} of 200:\n" + "\n".join(differ)
    assert answered > 100
