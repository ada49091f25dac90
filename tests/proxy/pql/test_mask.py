"""A masked query answers what the query would answer if only the masked columns existed: held against plain sets."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexing.calls import (
    Call,
    Condition,
    CountResult,
    GroupCount,
    GroupCountsResult,
    Pair,
    PairsResult,
    Result,
    RowRef,
    RowResult,
    RowsResult,
    ValCountResult,
)
from proxy.pql.mask import mask, restrict
from proxy.pql.parse import parse
from proxy.pql.unparse import unparse
from tests.long import examples


def row(field: str, number: int) -> Call:
    return Call("Row", args={"row": RowRef(field, number)})


LIVE = row("access", 0)
PERMITTED = Call("Intersect", [LIVE, Call("Union", [row("job", 1), row("job", 3)])])


@dataclass
class World:
    """rows[field][row]: columns; ints: column -> value; all its columns. The whole of Pilosa, said in sets."""

    rows: dict[str, dict[int, set[int]]]
    ints: dict[int, int]
    columns: set[int]

    def only(self, seen: set[int]) -> World:
        rows = {field: {r: some & seen for r, some in held.items()} for field, held in self.rows.items()}
        return World(rows, {c: v for c, v in self.ints.items() if c in seen}, self.columns & seen)

    def set_of(self, call: Call) -> set[int]:
        below = [self.set_of(child) for child in call.children]
        if call.name == "Row" and "condition" in call.args:
            condition = call.args["condition"][1]
            return {c for c, v in self.ints.items() if (v > condition.value if condition.op == ">" else v <= condition.value)}
        if call.name == "Row":
            return set(self.rows[call.args["row"].field].get(call.args["row"].row, ()))
        if call.name == "Union":
            return set().union(*below)
        if call.name == "Intersect":
            return below[0].intersection(*below[1:])
        if call.name == "Difference":
            return below[0].difference(*below[1:])
        if call.name == "Xor":
            return {c for c, n in Counter(c for some in below for c in some).items() if n % 2}
        if call.name == "Not":
            return self.columns - below[0]
        if call.name == "Shift":
            return {c + call.args["n"] for c in below[0]}
        raise ValueError(call.name)

    def under(self, call: Call) -> set[int]:
        return self.set_of(call.children[0]) if call.children else self.columns

    def row_ids(self, call: Call, inclusive: bool = False) -> list[int]:
        args = call.args
        ids = sorted(r for r, some in self.rows[args["field"]].items() if some)
        if args.get("column") is not None:
            ids = [r for r in ids if args["column"] in self.rows[args["field"]][r]]
        if args.get("previous") is not None:
            ids = [r for r in ids if r > args["previous"] or (inclusive and r == args["previous"])]
        return ids if args.get("limit") is None else ids[: args["limit"]]

    def answer(self, call: Call) -> Result:
        args = call.args
        if call.name == "Options":
            return self.answer(call.children[0])
        if call.name == "Count":
            return CountResult(len(self.set_of(call.children[0])))
        if call.name in ("Sum", "Min", "Max"):
            chosen = [v for c, v in self.ints.items() if c in self.under(call)]
            if call.name == "Sum":
                return ValCountResult(sum(chosen), len(chosen))
            best = (min if call.name == "Min" else max)(chosen, default=0)
            return ValCountResult(best, chosen.count(best))
        if call.name in ("TopN", "MinRow", "MaxRow"):
            counts = {r: len(some & self.under(call)) for r, some in self.rows[args["field"]].items()}
            pairs = sorted(((r, n) for r, n in counts.items() if n), key=lambda pair: (-pair[1], pair[0]))
            if call.name == "TopN":
                chosen_pairs = [p for p in pairs if p[0] in args["ids"]] if "ids" in args else pairs[: args.get("n")]
                return PairsResult([Pair(r, n) for r, n in chosen_pairs], args["field"])
            pair = (min if call.name == "MinRow" else max)(pairs, default=(0, 0))
            return PairsResult([Pair(pair[0], pair[1] if call.children else min(pair[1], 1))], args["field"])
        if call.name == "Rows":
            return RowsResult(self.row_ids(call), args["field"])
        if call.name == "GroupBy":
            return self.groups(call)
        return RowResult(sorted(self.set_of(call)))

    def groups(self, call: Call) -> GroupCountsResult:
        last = len(call.children) - 1
        cut = [child.args.get("limit") is not None or child.args.get("column") is not None for child in call.children]
        ids = [self.row_ids(child, inclusive=i < last and not cut[i]) for i, child in enumerate(call.children)]
        fields = [child.args["field"] for child in call.children]
        only = self.columns if call.args.get("filter") is None else self.set_of(call.args["filter"])
        found = []
        for rows in product(*ids):
            count = len(only.intersection(*(self.rows[f][r] for f, r in zip(fields, rows, strict=True))))
            if count:
                found.append(GroupCount([(f, r, None) for f, r in zip(fields, rows, strict=True)], count))
        found = found[: call.args.get("limit")]
        offset = call.args.get("offset") or 0
        return GroupCountsResult(found[offset:] if offset < len(found) else found)


def comparable(result: Result) -> Any:
    return list(result.columns) if isinstance(result, RowResult) else result


_columns = st.sets(st.integers(0, 11), max_size=12)
_worlds = st.builds(
    lambda live, jobs, a, b, ints: World(
        {"access": {0: live}, "job": dict(enumerate(jobs)), "a": dict(enumerate(a)), "b": dict(enumerate(b))},
        ints,
        set(range(12)),
    ),
    _columns,
    st.lists(_columns, min_size=4, max_size=4),
    st.lists(_columns, min_size=3, max_size=3),
    st.lists(_columns, min_size=3, max_size=3),
    st.dictionaries(st.integers(0, 11), st.integers(-5, 9), max_size=12),
)
_leaf = st.one_of(
    st.builds(row, st.sampled_from(["a", "b"]), st.integers(0, 3)),
    st.builds(
        lambda op, v: Call("Row", args={"condition": ("n", Condition(op, v))}), st.sampled_from([">", "<="]), st.integers(-3, 5)
    ),
    st.just(Call("Union")),
)
_tree = st.recursive(
    _leaf,
    lambda below: st.one_of(
        st.builds(Call, st.sampled_from(["Union", "Intersect", "Difference", "Xor"]), st.lists(below, min_size=1, max_size=3)),
        st.builds(lambda x: Call("Not", [x]), below),
        st.builds(lambda x, n: Call("Shift", [x], {"n": n}), below, st.integers(0, 2)),
    ),
    max_leaves=8,
)
# A shifted column may leave the mask: what a restricted world answers there is not what may be shown
_unshifted = _tree.filter(lambda call: "Shift" not in unparse(call))
_maybe = st.lists(_unshifted, max_size=1)
_field = st.sampled_from(["a", "b"])
_rows = st.builds(
    lambda field, more: Call("Rows", args={"field": field, **more}),
    _field,
    st.fixed_dictionaries({}, optional={"limit": st.integers(0, 3), "previous": st.integers(0, 2), "column": st.integers(0, 11)}),
)
_calls = st.one_of(
    _unshifted,
    _rows,
    st.builds(lambda x: Call("Count", [x]), _unshifted),
    st.builds(lambda name, x: Call(name, x, {"field": "n"}), st.sampled_from(["Sum", "Min", "Max"]), _maybe),
    st.builds(lambda f, x, n: Call("TopN", x, {"field": f, "n": n}), _field, _maybe, st.integers(1, 4)),
    st.builds(
        lambda f, x, ids: Call("TopN", x, {"field": f, "ids": ids}), _field, _maybe, st.lists(st.integers(0, 3), min_size=1)
    ),
    st.builds(lambda name, f, x: Call(name, x, {"field": f}), st.sampled_from(["MinRow", "MaxRow"]), _field, _maybe),
    st.builds(
        lambda rows, more: Call("GroupBy", rows, more),
        st.lists(_rows, min_size=1, max_size=2),
        st.fixed_dictionaries(
            {"filter": st.one_of(st.none(), _unshifted)}, optional={"limit": st.integers(0, 4), "offset": st.integers(0, 3)}
        ),
    ),
)


@pytest.mark.parametrize("access", [LIVE, PERMITTED], ids=["live", "permitted"])
def test_answers_as_if_only_the_masked_columns_existed(access: Call) -> None:
    @settings(max_examples=examples(100, long=600), deadline=None, database=None, derandomize=True)
    @given(_worlds, st.lists(st.one_of(_calls, st.builds(lambda c: Call("Options", [c]), _calls)), max_size=3))
    def check(world: World, calls: list[Call]) -> None:
        masked = mask(calls, access)
        got = masked.results([world.answer(call) for call in masked.calls])
        seen = world.only(world.set_of(access))
        assert [comparable(r) for r in got] == [comparable(seen.answer(call)) for call in calls]

    check()


@settings(max_examples=examples(100, long=300), deadline=None, database=None, derandomize=True)
@given(_worlds, _tree)
def test_shifted_columns_come_from_the_mask_and_stay_in_it(world: World, tree: Call) -> None:
    seen = world.set_of(PERMITTED)
    got = world.set_of(restrict(tree, PERMITTED))
    assert got <= seen
    # What is outside of the mask makes no difference
    hidden = World(
        world.only(seen).rows | {"access": world.rows["access"], "job": world.rows["job"]}, world.only(seen).ints, seen
    )
    assert world.set_of(restrict(tree, PERMITTED)) == hidden.set_of(restrict(tree, PERMITTED))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Row(a=1)", ["Intersect(Row(a=1), Row(access=0))"]),
        ("Intersect(Row(a=1), Row(b=2))", ["Intersect(Row(a=1), Row(b=2), Row(access=0))"]),
        ("Union(Row(a=1), Row(b=2))", ["Intersect(Union(Row(a=1), Row(b=2)), Row(access=0))"]),
        ("Not(Row(a=1))", ["Difference(Row(access=0), Row(a=1))"]),
        ("Not(Not(Row(a=1)))", ["Difference(Row(access=0), Difference(Row(access=0), Row(a=1)))"]),
        ("Intersect(Row(b=1), Not(Row(a=1)))", ["Intersect(Row(b=1), Difference(Row(access=0), Row(a=1)))"]),
        ("Difference(Not(Row(a=1)), Row(b=1))", ["Difference(Difference(Row(access=0), Row(a=1)), Row(b=1))"]),
        ("Union()", ["Union()"]),
        ("Intersect()", ["Intersect(Intersect(), Row(access=0))"]),
        ("Count(Row(a=1))", ["Count(Intersect(Row(a=1), Row(access=0)))"]),
        ("Sum(field=n)", ["Sum(Row(access=0), field=n)"]),
        ("TopN(a, n=2)", ["TopN(a, Row(access=0), n=2)"]),
        ("TopN(a, Row(b=1))", ["TopN(a, Intersect(Row(b=1), Row(access=0)))"]),
        ("Rows(a, previous=1, limit=2)", ["GroupBy(Rows(a, previous=1), filter=Row(access=0), limit=2)"]),
        ("Rows(a, column=5)", ["GroupBy(Rows(a, column=5), filter=Row(access=0))", "Rows(access, column=5)"]),
        ("GroupBy(Rows(a), Rows(b), limit=3)", ["GroupBy(Rows(a), Rows(b), limit=3, filter=Row(access=0))"]),
        ("Options(Row(a=1), shards=[0])", ["Options(Intersect(Row(a=1), Row(access=0)), shards=[0])"]),
        ("Set(1, a=2)", ["Set(1, a=2)"]),
    ],
)
def test_one_intersection_where_one_is_enough(text: str, masked: list[str]) -> None:
    assert [unparse(call) for call in mask(parse(text), LIVE).calls] == masked


def test_twenty_thousand_levels() -> None:
    calls = parse("Count(" + "Not(Union(" * 10_000 + "Row(a=1)" + "))" * 10_000 + ")")
    (call,) = mask(calls, LIVE).calls
    levels = 0
    while call.children:
        call, levels = call.children[-1], levels + 1
    assert levels == 20_001


def test_an_answer_too_few_is_an_error() -> None:
    with pytest.raises(ValueError, match="1 answers to 2 calls"):
        mask(parse("Row(a=1)Row(a=2)"), LIVE).results([RowResult(np.zeros(0, np.uint64))])
