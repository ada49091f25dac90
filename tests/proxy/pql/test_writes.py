"""Packet indexes cannot be written through queries, wherever in a query the write stands."""

from __future__ import annotations

import pytest

from indexing.calls import QueryError
from proxy.pql.parse import parse
from proxy.pql.writes import readable


@pytest.mark.parametrize(
    ("text", "name", "position"),
    [
        ("Set(1, a=2)", "Set", 0),
        ("Count(Row(a=1)) Clear(1, a=2)", "Clear", 16),
        ("ClearRow(a=1)", "ClearRow", 0),
        ("Store(Row(a=1), b=2)", "Store", 0),
        ("SetRowAttrs(a, 1, b=2)", "SetRowAttrs", 0),
        ("SetColumnAttrs(1, b=2)", "SetColumnAttrs", 0),
        ("Options(Set(1, a=2))", "Set", 8),
        ("Count(Union(Row(a=1), Set(1, a=2)))", "Set", 22),
        ("GroupBy(Rows(a), filter=Store(Row(a=1), b=2))", "Store", 24),
        ("SetBit(frame=a, row=1, col=2)", "Set", 0),
        ("SetFieldValue(frame=a, col=2, b=3)", "Set", 0),
    ],
)
def test_writes_are_refused(text: str, name: str, position: int) -> None:
    with pytest.raises(QueryError) as caught:
        readable(parse(text))
    assert str(caught.value) == f"{name}: writes to packet indexes are not allowed"
    assert (caught.value.position, caught.value.status) == (position, 400)


def test_reads_are_let_through() -> None:
    readable(parse("Row(a=1) TopN(a) GroupBy(Rows(a), filter=Row(b=1)) Options(Count(Not(Row(a=1))))"))
