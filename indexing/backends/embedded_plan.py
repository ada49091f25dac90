"""Bitmap calls -> a program for a stack machine that answers one shard at a time.

A tree is compiled once and run per shard. Operands are ordered so that few bitmaps are held at once (the heaviest first, as
Sethi and Ullman number registers), whatever the depth: a chain of 20,000 nested calls holds two. Rows of one field under a
Union are fetched in one step. An Intersect or Difference that has become empty skips its other operands.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from indexing.calls import Call, Condition, RowRef, RowSet, postorder
from indexing.columns import ColumnSet
from indexing.roaring import MAX_ROW, U64, sorted_unique

INT64_MIN, INT64_MAX = -(1 << 63), (1 << 63) - 1


@dataclass(frozen=True)
class Empty:
    """Pushes no columns."""


@dataclass(frozen=True)
class Rows:
    """Pushes the union of these rows (ascending, distinct) of a set field."""

    field: str
    rows: U64


@dataclass(frozen=True, eq=False)
class Given:
    """Pushes columns that the query says itself."""

    columns: ColumnSet


@dataclass(frozen=True)
class Compare:
    """Pushes the columns whose value is in low..high (both inclusive), or with `outside` those with another value."""

    field: str
    low: int
    high: int
    outside: bool = False


@dataclass(frozen=True)
class Narrow:
    """Leaves of the top the columns that `compare` would push: where few are left, only these are looked at."""

    compare: Compare


@dataclass(frozen=True)
class Combine:
    """Pops b, then a; pushes a op b. op: "or", "and", "xor", "without" (a and not b), "from" (b and not a)."""

    op: str


@dataclass(frozen=True)
class Complement:
    """Replaces the top by the existing columns that are not in it."""


@dataclass(frozen=True)
class Shift:
    """Moves the top's columns up by n; `serial` tells the program's shifts apart."""

    n: int
    serial: int


@dataclass
class SkipIfEmpty:
    """Goes on at step `to` if the top is empty (and leaves it)."""

    to: int = -1


Step = Empty | Rows | Given | Compare | Narrow | Combine | Complement | Shift | SkipIfEmpty


@dataclass
class _Leaf:
    step: Step


def interval(condition: Condition) -> tuple[int, int, bool]:
    """(low, high, outside) of a condition that was checked."""
    value = condition.value
    if condition.op == "><":
        low, high = value  # type: ignore[misc]  # checked: a list of two
        return low, high, False
    if value is None:
        return INT64_MIN, INT64_MAX, False
    assert isinstance(value, int)
    return {
        "<": (INT64_MIN, value - 1, False),
        "<=": (INT64_MIN, value, False),
        ">": (value + 1, INT64_MAX, False),
        ">=": (value, INT64_MAX, False),
        "==": (value, value, False),
        "!=": (value, value, True),
    }[condition.op]


def compile_bitmap(call: Call) -> list[Step]:
    """The program of a checked bitmap call; it leaves one bitmap on the stack."""
    units: dict[int, list[Call | _Leaf]] = {}
    need: dict[int, int] = {}
    for node in postorder(call):
        mine = _units(node)
        units[id(node)] = mine
        needs = sorted((need[id(u)] if isinstance(u, Call) else 1 for u in mine), reverse=True)
        need[id(node)] = max(needs[0], needs[1] + 1) if len(needs) > 1 else needs[0] if needs else 1

    def weight(unit: Call | _Leaf) -> int:
        return need[id(unit)] if isinstance(unit, Call) else 1

    program: list[Step] = []
    serials = count()
    todo: list[Any] = [call]
    while todo:
        item = todo.pop()
        if isinstance(item, _Leaf):
            program.append(item.step)
        elif isinstance(item, tuple):  # the end of a SkipIfEmpty
            item[0].to = len(program)
        elif isinstance(item, Call):
            todo.extend(reversed(_emit(item, units[id(item)], weight, next(serials))))
        else:
            program.append(item)
    return program


def _emit(node: Call, units: list[Call | _Leaf], weight: Any, serial: int) -> list[Any]:
    """What to emit for a node, in order: units to be expanded, steps, and (skip,) marks."""
    if not units:
        return [Empty()]
    if node.name == "Not":
        return [units[0], Complement()]
    if node.name == "Shift":
        return [units[0], Shift(node.args.get("n") or 0, serial)]
    if len(units) == 1:
        return [units[0]]
    skip = SkipIfEmpty()
    out: list[Any] = []
    if node.name == "Difference":
        base, rest = units[0], sorted(units[1:], key=weight, reverse=True)
        if weight(base) < weight(rest[0]):
            out.append(rest[0])
            for unit in rest[1:]:
                out += [unit, Combine("or")]
            return [*out, base, Combine("from")]
        out.append(base)
        for unit in rest:
            out += [skip, unit, Combine("without")]
            out.append((skip,))
            skip = SkipIfEmpty()
        return out
    op = {"Union": "or", "Intersect": "and", "Xor": "xor"}[node.name]
    narrow: list[Compare] = []
    if op == "and":
        compares = [_compare(unit) for unit in units]
        if not all(compares):
            narrow = [step for step in compares if step is not None]
            units = [unit for unit, step in zip(units, compares, strict=True) if step is None]
    first, *rest = sorted(units, key=weight, reverse=True)
    out.append(first)
    for unit in rest:
        if op == "and":
            skip = SkipIfEmpty()
            out += [skip, unit, Combine(op), (skip,)]
        else:
            out += [unit, Combine(op)]
    for step in narrow:
        skip = SkipIfEmpty()
        out += [skip, Narrow(step), (skip,)]
    return out


def _compare(unit: Call | _Leaf) -> Compare | None:
    """The comparison that an operand is; None: it is something else."""
    step = unit.step if isinstance(unit, _Leaf) else _leaf(unit) if unit.name == "Row" else None
    return step if isinstance(step, Compare) else None


def _units(node: Call) -> list[Call | _Leaf]:
    """A node's operands; rows of one field under a Union become one."""
    if node.name == "Row":
        return [_Leaf(_leaf(node))]
    if node.name == "Columns":
        return [_Leaf(Given(node.args["columns"]))]
    if node.name != "Union":
        return list(node.children)
    rows: dict[str, list[int]] = {}
    out: list[Call | _Leaf] = []
    for child in node.children:
        ref = child.args.get("row") if child.name == "Row" and "condition" not in child.args else None
        if not isinstance(ref, RowRef):
            out.append(child)
        elif ref.row is not None and int(ref.row) <= MAX_ROW:
            rows.setdefault(ref.field, []).append(int(ref.row))
    out.extend(_Leaf(Rows(field, sorted_unique(np.array(ids, np.uint64)))) for field, ids in rows.items())
    return out


def _leaf(node: Call) -> Step:
    if "condition" in node.args:
        field, condition = node.args["condition"]
        low, high, outside = interval(condition)
        return Compare(field, low, high, outside)
    if isinstance(node.args["row"], RowSet):
        some: RowSet = node.args["row"]
        return Rows(some.field, some.rows) if some.rows.size else Empty()
    ref: RowRef = node.args["row"]
    return Empty() if ref.row is None or int(ref.row) > MAX_ROW else Rows(ref.field, np.array([int(ref.row)], np.uint64))
