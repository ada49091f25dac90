"""Random texts, right and wrong, given to our parser and to a real Pilosa: read by both, or refused by both in the same words."""

from __future__ import annotations

import http.client
import json
import random
from collections import Counter

from indexing.calls import QueryError
from proxy.pql.parse import parse
from tests.pilosa import PilosaServer

STAMP = "2018-01-01T00:00"
VALUES = (
    '1 -5 007 1.5 .5 - a a-b true null false truex "a" \'a\' "a\\"b" \'it\\\'s\' "\\q" 1_0 1a [1,2] [true,false] [] '
    f"2018-01-01 :x _x 99999999999999999999 {STAMP} '{STAMP}' \"{STAMP}\" {STAMP}:00"
).split()
FIELDS = ["s", "i", "k", "from", "to", "a-b", "_row", "_col", "_field", "_timestamp", "_exists", "field", "n", "limit"]


class Texts:
    """A seeded source of PQL-like text. It avoids the differences that docs/query-language.md lists."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def space(self) -> str:
        return self.random.choice(["", "", "", "", "", " ", "\n", "\t", "  "])

    def value(self, depth: int) -> str:
        # As a value Pilosa reads a call in its general form only
        return self.random.choice([*VALUES, self.call(depth + 1, ("Row", "Count", "X1")) if depth < 3 else "1"])

    def arg(self, depth: int, field: str) -> str:
        pick, s = self.random.choice, self.space
        kind = self.random.random()
        if kind < 0.6:
            return field + s() + "=" + s() + self.value(depth)
        if kind < 0.85:
            return field + s() + pick(["<", ">", "<=", ">=", "==", "!=", "><"]) + s() + self.value(depth)
        low = pick(["1", "-3", "0", "05", "-0"]) + s() + pick(["<", "<="])
        return low + s() + field + s() + pick(["<", "<=", ">"]) + s() + pick(["5", "-1", "0"])

    def call(
        self, depth: int = 0, names: tuple[str, ...] = ("Row", "Row", "Count", "Union", "TopN", "Rows", "Range", "X1")
    ) -> str:
        pick, s = self.random.choice, self.space
        fields = self.random.sample(FIELDS, 3)
        items = []
        for i in range(pick([0, 1, 1, 1, 2, 2, 3])):
            kind = self.random.random()
            if kind < 0.25 and depth < 3:
                items.append(self.call(depth + 1))
            else:
                items.append(self.arg(depth, fields[i]) if kind < 0.8 else pick(["s", "s", "k", "5", STAMP, "'x'", '"y"']))
        if self.random.random() < 0.5:
            items.sort(key=lambda item: not item.endswith(")"))
        inside = (s() + "," + s()).join(items)
        return pick(names) + pick([""] * 20 + [" "]) + "(" + s() + inside + s() + pick(["", "", "", "", ","]) + s() + ")"

    def query(self) -> str:
        text = self.space().join(self.call() for _ in range(self.random.choice([1, 1, 2])))
        if self.random.random() < 0.15:
            at = self.random.randrange(len(text))
            text = text[:at] + self.random.choice(["", ",", "(", ")", '"', "'", "=", " ", "x", "\r"]) + text[at + 1 :]
        return text


def outcome(error: str) -> str:
    if error.startswith("parsing: parsing: \nparse error near"):
        return "syntax error"
    return error if error.startswith("parsing: ") else "read"


def test_the_same_texts_are_read_and_refused(pilosa_server: PilosaServer) -> None:
    connection = http.client.HTTPConnection(pilosa_server.host, pilosa_server.port, timeout=60)
    texts, seen = Texts(20240301), Counter()
    for _ in range(2500):
        text = texts.query()
        connection.request("POST", "/index/none/query", text.encode())
        response = connection.getresponse()
        body = response.read()
        if response.status == 500:
            continue  # Pilosa's parser panics on some that it has read
        theirs = outcome(json.loads(body).get("error", ""))
        try:
            parse(text)
            ours = "read"
        except QueryError as error:
            ours = outcome(str(error))
        if "duplicate argument" not in ours:  # which of two errors comes first is not worth being the same
            assert ours == theirs, text
        seen[theirs[:12]] += 1
    assert seen["read"] > 300
    assert seen["syntax error"] > 300
