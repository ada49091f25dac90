"""Random query trees, on both backends, against Python sets."""

from __future__ import annotations

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from indexing.calls import Call
from tests.indexing.backends.conftest import Bench, compare, of, row
from tests.long import examples

_bounds = st.sampled_from([-2000, -1000, -70, -64, -63, -2, -1, 0, 1, 2, 39, 40, 60, 61, 1500, 69998, 69999, 70000, 70001, 10**6])
_leaves = st.one_of(
    st.builds(row, st.just("proto"), st.integers(1, 8)),
    st.builds(row, st.just("host"), st.one_of(st.integers(0, 12), st.integers(0, 600), st.none())),
    st.builds(compare, st.sampled_from(["length", "delta"]), st.sampled_from(["<", "<=", "==", "!=", ">", ">="]), _bounds),
    st.builds(compare, st.sampled_from(["length", "delta"]), st.just("><"), st.lists(_bounds, min_size=2, max_size=2)),
    st.builds(compare, st.sampled_from(["length", "delta"]), st.just("!="), st.none()),
    st.builds(of, st.sampled_from(["Union", "Xor"])),
)


def _above(children: st.SearchStrategy[Call]) -> st.SearchStrategy[Call]:
    several = st.lists(children, min_size=1, max_size=4)
    return st.one_of(
        st.builds(lambda name, some: of(name, *some), st.sampled_from(["Union", "Intersect", "Difference", "Xor"]), several),
        st.builds(lambda some: of("Not", some), children),
    )


trees = st.recursive(_leaves, _above, max_leaves=12)
_quietly = settings(max_examples=examples(60, long=200), deadline=None, database=None, suppress_health_check=list(HealthCheck))


@seed(20240131)
@_quietly
@given(tree=trees)
def test_columns_and_counts(filled: Bench, tree: Call) -> None:
    want = sorted(filled.naive.columns(tree))
    assert filled.columns(tree) == want
    assert filled.count(tree) == len(want)


@seed(20240201)
@settings(_quietly, max_examples=examples(40, long=100))
@given(tree=trees, n=st.integers(0, 9))
def test_tops_sums_and_extremes_under_a_tree(filled: Bench, tree: Call, n: int) -> None:
    under = filled.naive.columns(tree)
    assert filled.pairs(tree, field="host", n=n) == filled.naive.topn("host", under, n)
    answer = filled.under("Sum", tree, field="length")
    assert (answer.value, answer.count) == filled.naive.sum("length", under)
    for field in ("length", "delta"):
        for name, pick in (("Min", min), ("Max", max)):
            answer = filled.under(name, tree, field=field)
            assert (answer.value, answer.count) == filled.naive.extreme(field, under, pick)


def test_a_tree_of_20000_levels(filled: Bench) -> None:
    deep = row("proto", 1)
    for level in range(20_000 if filled.backend.name == "embedded" else 2_000):  # Pilosa takes 20 s to read 20,000
        deep = of(("Union", "Intersect", "Xor")[level % 3], row("proto", level % 5 + 1), deep)
    assert filled.count(deep) == len(filled.naive.columns(deep))
