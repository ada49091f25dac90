"""What the naive engine holds: Python dicts and sets, one bit at a time."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.differential import naive_time

SHARD = 1 << 20
Rows = defaultdict[int, set[int]]


class Unsaid(Exception):
    """The naive engine has no answer: the query is an error, or answered at random."""


def _rows() -> Rows:
    return defaultdict(set)


class Names:
    """Keys and their ids: from 1, the first seen first."""

    def __init__(self) -> None:
        self.ids: dict[str, int] = {}
        self.keys: dict[int, str] = {}

    def id(self, key: str, make: bool) -> int | None:
        if make and key not in self.ids:
            self.ids[key] = len(self.ids) + 1
            self.keys[self.ids[key]] = key
        return self.ids.get(key)


@dataclass
class Field:
    """options: as Pilosa's HTTP API takes them."""

    options: dict[str, Any]
    names: Names = field(default_factory=Names)
    standard: Rows = field(default_factory=_rows)
    views: dict[str, Rows] = field(default_factory=lambda: defaultdict(_rows))
    values: dict[int, int] = field(default_factory=dict)
    attrs: dict[int, dict[str, Any]] = field(default_factory=dict)

    @property
    def type(self) -> str:
        return str(self.options.get("type", "set"))

    @property
    def keys(self) -> bool:
        return bool(self.options.get("keys", False))

    @property
    def quantum(self) -> str:
        return str(self.options.get("timeQuantum", ""))

    @property
    def all_views(self) -> list[Rows]:
        return [self.standard, *self.views.values()]

    def set(self, row: int, column: int, at: datetime | None = None) -> bool:
        """One bit; whether anything changed."""
        if self.type in ("mutex", "bool"):
            for other, columns in self.standard.items():
                if other != row:
                    columns.discard(column)
        changed = False
        if not self.options.get("noStandardView"):
            changed = column not in self.standard[row]
            self.standard[row].add(column)
        if at is not None and self.type == "time":
            for name in naive_time.views_of(at, self.quantum):
                changed = changed or column not in self.views[name][row]
                self.views[name][row].add(column)
        return changed

    def clear(self, row: int, column: int) -> bool:
        """One bit of all views; a field without a standard view is not cleared (as in Pilosa)."""
        if self.options.get("noStandardView"):
            return False
        held = [rows[row] for rows in self.all_views if column in rows.get(row, ())]
        for columns in held:
            columns.discard(column)
        return bool(held)


@dataclass
class Index:
    """exists: columns that came to be. column_attrs by column id."""

    options: dict[str, Any]
    fields: dict[str, Field]
    names: Names = field(default_factory=Names)
    exists: set[int] = field(default_factory=set)
    column_attrs: dict[int, dict[str, Any]] = field(default_factory=dict)

    @property
    def keys(self) -> bool:
        return bool(self.options.get("keys", False))

    def add(self, name: str, row: int | str | bool, column: int | str, seconds: int | None = None) -> None:
        """One bit or value as an import brings it, in values."""
        into = self.fields[name]
        at = naive_time.parse(seconds) if seconds else None
        number = self.column(column, make=True)
        assert number is not None
        self.exists.add(number)
        if into.type == "int":
            into.values[number] = int(row)
            return
        which = into.names.id(str(row), make=True) if into.keys else int(row)
        assert which is not None
        into.set(which, number, at)

    def column(self, given: Any, make: bool = False) -> int | None:
        """The id of a column; None: nobody has this key. Raises Unsaid."""
        if isinstance(given, str) is not self.keys or isinstance(given, bool) or given is None:
            raise Unsaid("column")
        return self.names.id(given, make) if self.keys else given

    def row(self, name: str, given: Any, make: bool = False) -> int | None:
        """The id of a row; None: nobody has this key. Raises Unsaid."""
        into = self.field(name)
        if into.type == "bool":
            if not isinstance(given, bool):
                raise Unsaid("bool")
            return int(given)
        if into.keys:
            if not isinstance(given, str) or not given:
                raise Unsaid("key")
            return into.names.id(given, make)
        if not isinstance(given, int) or isinstance(given, bool):
            raise Unsaid("row")
        if given < 0 and into.type != "int":
            raise Unsaid("negative row")
        return given

    def field(self, name: Any) -> Field:
        if name not in self.fields:
            raise Unsaid(f"no field {name}")
        return self.fields[name]


def loaded(load: Any) -> dict[str, Index]:
    """The indexes that load.py (the module) makes, keys numbered in the order in which its imports bring them."""
    indexes = {
        name: Index(load.INDEX_OPTS[name], {field: Field(options) for field, options in fields})
        for name, fields in load.FIELDS.items()
    }
    groups: dict[tuple[str, str, int], list[tuple[Any, Any, Any]]] = {}
    for index, name, row, column, seconds in load.bits():
        shard = column // SHARD if isinstance(column, int) else 0
        groups.setdefault((index, name, shard), []).append((row, column, seconds))
    for (index, name, _), bits in groups.items():
        for row, column, seconds in bits:
            indexes[index].add(name, row, column, seconds)
    return indexes
