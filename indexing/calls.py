"""The one AST of all query languages (PQL of today, legacy PQL, display filters, the pages' chips) and its result model.

Before translation, rows are values (`Value`); after it, row ids (`int`). Backends only see row ids.
Nothing here imports Django. Trees can be 20,000 levels deep: walk them with `postorder`, never by recursion.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from typing import Any, Literal

Operator = Literal["<", "<=", "==", "!=", ">", ">=", "><"]


@dataclass(frozen=True)
class Condition:
    """A comparison of an int field: `value` is an int, `[low, high]` for "><" (both inclusive), or None (`!= null`)."""

    op: Operator
    value: int | list[int] | None


@dataclass(frozen=True)
class RowRef:
    """One row of a set field: `row` is an id, or a value (str: text form; bool/int as written) before translation.

    row None after translation: the value is unknown, the row is empty.
    """

    field: str
    row: int | str | bool | None


@dataclass(frozen=True, eq=False)
class RowSet:
    """Rows of a set field, all together: what a predicate on values becomes. Only after translation.

    rows: uint64 (n,), ascending, each once; changed by nobody.
    same: what they were made of; where that is equal, the rows are. None: look at them."""

    field: str
    rows: Any
    same: Hashable = None

    @cached_property
    def key(self) -> Hashable:
        """Equal for equal rows."""
        return blake2b(self.rows.tobytes(), digest_size=16).digest() if self.same is None else self.same


@dataclass
class Call:
    """One PQL call.

    name: today's canonical name ("Row", "Union", "Intersect", "Difference", "Xor", "Not", "Count", "TopN", "Rows",
        "Sum", "Min", "Max", "GroupBy", ...).
    children: calls that are its input.
    args: everything else: `field` (str) for TopN, Rows, Sum; `row` (RowRef, RowSet) or `condition` ((field, Condition)) for Row;
        `n`, `ids`, `limit`, `previous`, `column` as Python values.
        Writes: `row` (RowRef; of an int field its `row` is the value, which may be negative) for Set, Clear, ClearRow and Store,
        with `column` (int) for Set and Clear, and the source as the one child of Store.
    legacy: written in picap's or v0.x syntax, so its result takes the old shape.
    position: character offset of the call in the query text.
    written: the name in the text, where it is another than `name` ("Range", "SetFieldValue" ...).
    unframed: it has an old name and no frame=, which v0.x demands and today's Pilosa does not know.
    """

    name: str
    children: list[Call] = field(default_factory=list)
    args: dict[str, Any] = field(default_factory=dict)
    legacy: bool = False
    position: int = 0
    written: str = field(default="", compare=False)
    unframed: bool = field(default=False, compare=False)


def postorder(call: Call) -> Iterator[Call]:
    """All calls of a tree, children before parents, without recursion."""
    stack: list[tuple[Call, bool]] = [(call, False)]
    while stack:
        node, done = stack.pop()
        if done or not node.children:
            yield node
        else:
            stack.append((node, True))
            stack.extend((child, False) for child in reversed(node.children))


# Results. One type per kind of answer; renderers turn them into JSON, protobuf or a page.


@dataclass
class RowResult:
    """Columns of a bitmap call, ascending. attrs: row attributes (top-level Row only).

    keys: of an index whose columns have names, filled by translation, in the order of columns."""

    columns: Any  # uint64 array
    attrs: dict[str, Any] = field(default_factory=dict)
    keys: list[str] | None = None


@dataclass
class Pair:
    """A row and how many columns it has. `key` is filled by translation (fields with keys)."""

    id: int
    count: int
    key: str | None = None


@dataclass
class PairsResult:
    """TopN: pairs by count descending, equal counts by id ascending. exact False: a count may be off (see DESIGN)."""

    pairs: list[Pair]
    field: str
    exact: bool = True


@dataclass
class CountResult:
    count: int


@dataclass
class ValCountResult:
    """Sum, Min, Max: the value and how many columns count for it."""

    value: int
    count: int


@dataclass
class RowsResult:
    """Rows: ids ascending; keys beside them after translation."""

    ids: list[int]
    field: str
    keys: list[str] | None = None


@dataclass
class GroupCount:
    group: list[tuple[str, int, str | None]]  # field, row id, key
    count: int


@dataclass
class GroupCountsResult:
    groups: list[GroupCount]


@dataclass
class BoolResult:
    changed: bool


@dataclass
class NoResult:
    """SetRowAttrs and its kin answer null."""


Result = RowResult | PairsResult | CountResult | ValCountResult | RowsResult | GroupCountsResult | BoolResult | NoResult


class QueryError(Exception):
    """A query that cannot be answered; the text is worded as Pilosa words it.

    position: character offset in the query text where known. status: HTTP status (400 unless said).
    """

    def __init__(self, message: str, position: int | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.position = position
        self.status = status
