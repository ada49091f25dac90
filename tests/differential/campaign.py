"""The same queries to the product and to a real Pilosa 1.4.1 over the same data; every difference is documented, or a failure.

A difference is documented if a rule of rules.py allows it *and* the product's answer is that of the naive engine.
"""

from __future__ import annotations

import functools
import http.client
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from indexing.calls import Call, QueryError
from proxy.pql.parse import parse
from tests.differential.judging import PARSE_ERROR, ties_sorted
from tests.differential.naive import Asked, Naive
from tests.differential.naive_data import Field, Index, Unsaid, loaded
from tests.differential.queries import KEYED, WRITTEN, Kind, Queries, Query, options_of
from tests.differential.rules import OTHER_BYTES, OVER_AN_END, excused, excused_refusal, may_never_end, same
from tests.differential.shrinking import smaller
from tests.product_servers import Peer, load_module

# What is said of GroupBy's children, which Pilosa looks at one after the other
OF_A_CHILD = (
    b"getting group by iterator",
    b"Rows() field required",
    b"group by filter for shard",
    b"is not a valid child query for GroupBy",
    b" in Call.UintArg",
)
WRITES_BITS = ("Set(", "Clear(", "ClearRow(", "Store(")
WRITES = (*WRITES_BITS, "SetRowAttrs(", "SetColumnAttrs(")


@dataclass
class Failure:
    """A difference that no rule allows."""

    number: int
    query: Query
    why: str
    pilosa: str
    product: str
    naive: str

    def __str__(self) -> str:
        shown = f"{self.query.index}{self.query.parameters} {self.query.text!r}"
        answers = f"  Pilosa:  {self.pilosa}\n  product: {self.product}\n  naive:   {self.naive}"
        return f"query {self.number}: {self.why}\n  {shown}\n{answers}"


@dataclass
class Report:
    """asked: queries; same: answered alike; documented: differences by rule; refused: by both; alone: not asked of Pilosa."""

    asked: int = 0
    same: int = 0
    refused: int = 0
    alone: int = 0
    documented: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)


class Campaign:
    """product None: Pilosa alone is held against the naive engine, which shows that the judge is right."""

    def __init__(self, pilosa: Peer, product: Peer | None, shared: Path, revive: Callable[[], None] | None = None) -> None:
        self.pilosa, self.product, self.shared = pilosa, product, shared
        self.revive = revive
        self.in_doubt = False  # after an error: which of a query's writes were carried out
        self.report = Report()
        self._naive: dict[str, Index] = {}

    @property
    def peers(self) -> list[Peer]:
        return [self.pilosa, *([self.product] if self.product else [])]

    def load(self) -> None:
        """The data, the same everywhere."""
        for peer in self.peers:
            peer.load(self.shared)
        self._naive = dict(_read(self.shared))
        self.empty_scratch()

    def empty_scratch(self, indexes: Iterable[str] = WRITTEN) -> None:
        """Indexes that are written, anew. All their keys are seen once, so that reading one changes no order."""
        for name in indexes:
            fields = WRITTEN[name]
            options = {"keys": name in KEYED}
            for peer in self.peers:
                peer.ask("DELETE", f"/index/{name}")
                _made(peer, f"/index/{name}", options)
                for one, kind in fields.items():
                    _made(peer, f"/index/{name}/field/{one}", options_of(kind))
            self._naive[name] = Index(options, {one: Field(options_of(kind)) for one, kind in fields.items()})
            for query in _seeds(name, fields):
                for peer in self.peers:
                    status, body = peer.query(name, query)
                    assert status == 200, (peer.name, query, body)
                Naive(self._naive[name]).answer(parse(query))

    def run(self, seed: int, valid: int, mutated: int, progress: Callable[[Report], None] | None = None) -> Report:
        """`valid` queries and `mutated` ones, of a seed. The written indexes begin anew every thousand."""
        queries = Queries(seed)
        for number in range(valid + mutated):
            if number and number % 1000 == 0:
                self.empty_scratch()
            # Mutated ones in between: they meet written indexes in every state
            wrong = (number + 1) * mutated // (valid + mutated) > number * mutated // (valid + mutated)
            self.one(number, queries.mutated() if wrong else queries.valid())
            if progress and self.report.asked % 500 == 0:
                progress(self.report)
        return self.report

    def one(self, number: int, query: Query) -> None:
        """Asks one query of all, and judges."""
        self.report.asked += 1
        writes = any(name in query.text for name in WRITES)
        try:
            calls: list[Call] | None = parse(query.text)
        except QueryError:
            calls = None
        if may_never_end(calls, query.text):
            if not writes and self.product and (wrong := self._judge_alone(number, query, calls)):
                self.report.failures.append(wrong)
            return
        failure = self._judge(number, query, calls, writes)
        # Of two fields in one call each may have written another one, and said the same; Store writes what a wrong answer is
        other = excused_refusal(calls, query.text, query.index) or ("Store(" in query.text and excused(calls or (), query.index))
        if writes and (failure or self.in_doubt or other):
            self.empty_scratch({query.index} & WRITTEN.keys())
        if failure is None:
            return
        if not writes:
            failure = self._shrunk(failure)
        self.report.failures.append(failure)

    def _shrunk(self, failure: Failure) -> Failure:
        for query in smaller(failure.query):
            kept = Report(self.report.asked, self.report.same, self.report.refused, Counter(self.report.documented))
            try:
                again = self._judge(failure.number, query, _parsed(query.text), False)
            finally:
                self.report.asked, self.report.same, self.report.refused = kept.asked, kept.same, kept.refused
                self.report.documented = kept.documented
            if again is not None and again.why == failure.why:
                return self._shrunk(again)
        return failure

    def _judge(self, number: int, query: Query, calls: list[Call] | None, writes: bool) -> Failure | None:
        pilosa = self._ask_pilosa(query, writes)
        product = self._ask_product(query)
        self.in_doubt = pilosa[0] != 200 or (product is not None and product[0] != 200)
        sane: Any = None
        if writes or product is None or pilosa != product:
            sane = self._sane(query, calls)
            if sane is None and not writes and pilosa[0] == 200:
                sane = self._sane_in_parts(query, calls or [], json.loads(pilosa[1]))
        if product is None:
            product = (200, json.dumps(sane).encode()) if sane is not None else pilosa
        alike = same(pilosa[1], product[1]) if pilosa[0] == product[0] else None
        if alike is not None and not (alike == OTHER_BYTES and self.product):
            if alike and alike != OTHER_BYTES:
                self.report.documented[alike] += 1
            self.report.same += pilosa[0] == 200
            self.report.refused += pilosa[0] != 200
            return None
        rule, why = self._rule(query, calls, pilosa, product, sane)
        if rule:
            self.report.documented[rule] += 1
            return None
        shown = [f"{status} {body.decode('utf-8', 'replace')[:400]}" for status, body in (pilosa, product)]
        return Failure(number, query, why, *shown, json.dumps(sane)[:400])

    def _judge_alone(self, number: int, query: Query, calls: list[Call] | None) -> Failure | None:
        """Where Pilosa must not be asked: the naive engine has the word."""
        product = self._ask_product(query)
        assert product is not None
        sane = self._sane(query, calls)
        carried = self._sane(query, calls, carries=True)
        right = [one for one in (sane, carried) if one is not None]
        if product[0] == 200 and (not right or any(_alike(json.loads(product[1]), one) for one in right)):
            self.report.alone += 1
            return None
        if product[0] == 400 and not right:
            self.report.alone += 1
            return None
        shown = f"{product[0]} {product[1].decode('utf-8', 'replace')[:400]}"
        return Failure(number, query, "not as the naive engine", "not asked", shown, json.dumps(sane)[:400])

    def _rule(
        self, query: Query, calls: list[Call] | None, pilosa: tuple[int, bytes], product: tuple[int, bytes], sane: Any
    ) -> tuple[str, str]:
        """(the rule, "") or ("", why it is a failure)."""
        if refusal := excused_refusal(calls, query.text, query.index):
            return (refusal, "") if product[0] in (200, 400) else ("", f"status {product[0]}")
        if pilosa[0] == 500 or pilosa[0] == 0:
            return ("Pilosa falls over", "") if product[0] in (200, 400) else ("", f"status {product[0]}")
        if same(pilosa[1], product[1]) == OTHER_BYTES:
            return "", OTHER_BYTES
        rules = excused(calls or (), query.index)
        if OVER_AN_END in rules:
            rules.remove(OVER_AN_END)
            writes = any(name in query.text for name in WRITES_BITS)  # twice, it would not be the same
            carried = None if writes or product[0] != 200 else self._sane(query, calls, carries=True)
            if carried is not None and carried != sane and _alike(json.loads(product[1]), carried):
                return OVER_AN_END, ""
        if product[0] == 200 and sane is not None and _alike(json.loads(product[1]), sane):
            if pilosa[0] != 200 and b"invalid date: " in pilosa[1]:
                return "a timestamp in quotes in Set", ""
            told = any(b" of type %s to uint64 in Call.UintArg" % kind in pilosa[1] for kind in (b"string", b"bool"))
            if pilosa[0] != 200 and told and "field=" in query.text:
                return "keys in Rows(field=...)", ""
            if pilosa[0] != 200 and json.loads(pilosa[1])["error"].startswith(PARSE_ERROR) and "=Range(" in query.text:
                return "a call as the value of an argument", ""
            if pilosa[0] != 200 and "keys inside of Options" not in rules:
                return "", "Pilosa refuses it"
            return (rules[0], "") if rules else ("", "Pilosa says otherwise, and no rule allows it")
        if product[0] == 400 and "GroupBy" in query.text and any(one in product[1] for one in OF_A_CHILD):
            return "a wrong child of GroupBy, where the one before it has nothing", ""
        if product[0] == 400 and pilosa[0] == 200 and b"not found" in product[1] and re.search(r"Options\(\s*TopN\(", query.text):
            return "an unknown field in TopN inside of Options", ""
        if (
            product[0] == 400
            and b"shards must be a list of unsigned" in product[1]
            and re.search(r"shards=\[[^\]]*-", query.text)
        ):
            return "shards below 0 in Options", ""
        nothing = product[0] == 200 and [] in json.loads(product[1])["results"]
        if nothing and b"cannot compute TopN(), field has no cache" in pilosa[1]:
            return "TopN of a field without a cache, where nothing is left", ""
        if product[0] == 400 and b"getting bool key: missing" in product[1] and "field=" in query.text:
            return "keys in Rows(field=...)", ""
        if product[0] == 200 and b" of type bool to uint64 in Call.UintArg" in pilosa[1] and "field=" in query.text:
            return "keys in Rows(field=...)", ""
        if pilosa[0] != product[0]:
            return "", f"status {product[0]} for {pilosa[0]}"
        if pilosa[0] != 200:
            if query.damaged or len(calls or ()) > 1:
                return "which error of a damaged query is told", ""
            parsing = [json.loads(body)["error"].startswith(PARSE_ERROR) for _, body in (pilosa, product)]
            return "", "one cannot read it" if any(parsing) else "another error text"
        return "", "another answer"

    def _ask_pilosa(self, query: Query, writes: bool) -> tuple[int, bytes]:
        try:
            answer = self.pilosa.query(query.index, query.text, query.parameters)
            if writes:  # its TopN would be 10 seconds behind
                self.pilosa.ask("POST", "/recalculate-caches")
            return answer
        except (OSError, http.client.HTTPException):
            if self.revive is None:
                raise
            self.revive()
            return 0, b"{}"

    def _ask_product(self, query: Query) -> tuple[int, bytes] | None:
        try:
            return self.product.query(query.index, query.text, query.parameters) if self.product else None
        except (OSError, http.client.HTTPException) as error:
            return 0, json.dumps({"broke off": repr(error)}).encode()

    def _sane(self, query: Query, calls: list[Call] | None, carries: bool = False) -> Any:
        """The naive engine's answer, which carries out writes too; None: it has none."""
        if calls is None or query.index not in self._naive:
            return None
        parameters = parse_qs(query.parameters.removeprefix("?"))
        flags = [parameters.get(name) == ["true"] for name in ("columnAttrs", "excludeRowAttrs", "excludeColumns")]
        shards = [int(part) for part in parameters["shards"][0].split(",")] if "shards" in parameters else None
        try:
            return Naive(self._naive[query.index], carries).answer(calls, Asked(shards, *flags))
        except Unsaid:
            return None

    def _sane_in_parts(self, query: Query, calls: list[Call], pilosa: Any) -> Any:
        """Of a query that the naive engine cannot answer whole: its results where it has one, Pilosa's where it has none."""
        if len(calls) < 2 or pilosa.keys() != {"results"}:
            return None
        own = [self._sane(query, [call]) for call in calls]
        return {
            "results": [theirs if one is None else one["results"][0] for one, theirs in zip(own, pilosa["results"], strict=True)]
        }


@functools.cache
def _read(shared: Path) -> dict[str, Index]:
    """The naive engine's indexes that no campaign writes to."""
    load = load_module(shared)
    indexes = loaded(load)
    for index, attributes in load.ATTRS:
        Naive(indexes[index]).answer(parse(attributes))
    return indexes


def _alike(one: Any, other: Any) -> bool:
    return bool(ties_sorted(one) == ties_sorted(json.loads(json.dumps(other))))


def _parsed(text: str) -> list[Call] | None:
    try:
        return parse(text)
    except QueryError:
        return None


def _made(peer: Peer, path: str, options: dict[str, Any]) -> None:
    status, body = peer.ask("POST", path, json.dumps({"options": options}).encode())
    assert status == 200, (peer.name, path, options, body)


def _seeds(index: str, fields: dict[str, Kind]) -> list[str]:
    """Queries that show every key of an index once, and take back what that wrote."""
    columns = ['"x"', '"y z"', '"col0001"', '"q\'"', '"7"'] if index in KEYED else ["0"]
    queries = [f"Set({column}, s=1)Clear({column}, s=1)" for column in columns]
    for name, kind in fields.items():
        if kind.keys:
            queries += [f"Set({columns[0]}, {name}={json.dumps(key)})ClearRow({name}={json.dumps(key)})" for key in kind.rows]
    return queries
