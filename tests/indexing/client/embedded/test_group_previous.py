"""`previous` in a GroupBy is a place in the order of groups: which groups a filter leaves has no part in where that is."""

from __future__ import annotations

from itertools import product

import pytest

from indexing.calls import Call, GroupCountsResult
from tests.indexing.client.embedded.conftest import Asker, W, row

BITS = {
    "s": {1: {0, 1, 2, W}, 2: {3, 4, W + 1}, 5: {2 * W}},
    "m": {1: {0, 1, 3}, 3: {2, 4, W}, 4: {W + 1}},
    "t": {0: {0, 2, W}, 2: {1, 3, 2 * W}, 7: {4, W + 1}},
}
FILTERS = {None: None, ("s", 2): BITS["s"][2], ("t", 7): BITS["t"][7], ("m", 99): set()}


@pytest.mark.parametrize(
    ("fields", "previous", "begin"),
    [
        ("sm", (None, 1), [1, 2]),
        ("sm", (None, 4), [1, 5]),
        ("sm", (2, None), [2]),
        ("st", (2, 7), [2, 8]),
        ("st", (3, 7), [5]),
        ("smt", (None, None, 7), [1, 1, 8]),
        ("smt", (2, None, 0), [2, 1, 1]),
        ("smt", (2, 3, None), [2, 3]),
        ("smt", (6, None, None), [6]),
    ],
)
@pytest.mark.parametrize("under", list(FILTERS), ids=str)
def test_it_is_a_place(
    people: Asker, fields: str, previous: tuple[int | None, ...], begin: list[int], under: tuple[str, int] | None
) -> None:
    for field, rows in BITS.items():
        people.add(field, [(number, column) for number, columns in rows.items() for column in columns])
    children = [
        Call("Rows", [], {"field": field} | ({} if given is None else {"previous": given}))
        for field, given in zip(fields, previous, strict=True)
    ]
    said = people.one(Call("GroupBy", children, {} if under is None else {"filter": row(*under)}))
    assert isinstance(said, GroupCountsResult)
    wanted = []
    for rows in product(*(sorted(BITS[field]) for field in fields)):
        columns = set.intersection(*(BITS[field][number] for field, number in zip(fields, rows, strict=True)))
        count = len(columns if FILTERS[under] is None else columns & FILTERS[under])
        if count and list(rows) >= begin:
            wanted.append((list(rows), count))
    assert [([number for _, number, _ in group.group], group.count) for group in said.groups] == wanted
