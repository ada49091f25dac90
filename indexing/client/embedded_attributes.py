"""Attributes of rows and columns of client indexes, as the embedded store has them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from indexing.backends import embedded_keys as keys
from indexing.backends.embedded_snapshot import Snapshot
from indexing.client.contract import Attributes
from indexing.client.embedded_fields import store_name

COLUMNS = ""  # the field of the attributes of columns
_FEW = 64  # of ids that are looked up one by one


def of(snapshot: Snapshot, index: str, field: str, number: int) -> dict[str, Any]:
    """The attributes of a row, or, with COLUMNS, of a column."""
    if number >> 64:
        return {}
    value = snapshot.noted_at(keys.attributes_key(store_name(index), field) + keys.NUMBER.pack(number))
    found: dict[str, Any] = {} if value is None else json.loads(value)
    return found


def every(snapshot: Snapshot, index: str, field: str) -> dict[int, dict[str, Any]]:
    """All of a field's rows, or of the columns, by id, ascending."""
    prefix = keys.attributes_key(store_name(index), field)
    found = snapshot.noted(prefix)
    return {keys.NUMBER.unpack(key[len(prefix) :])[0]: json.loads(bytes(value)) for key, value in found}


def of_columns(snapshot: Snapshot, index: str, columns: Iterable[int]) -> list[tuple[int, Attributes]]:
    """Of those of these columns that have any, ascending."""
    wanted = set(columns)
    if len(wanted) <= _FEW:
        each = ((column, of(snapshot, index, COLUMNS, column)) for column in sorted(wanted))
        return [(column, attrs) for column, attrs in each if attrs]
    return [(column, attrs) for column, attrs in every(snapshot, index, COLUMNS).items() if column in wanted]


def merged(before: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """None takes an attribute away."""
    return {name: value for name, value in {**before, **more}.items() if value is not None}
