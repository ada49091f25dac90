"""How a client index lies in the embedded store: its name there, its fields' physical fields, and the schema of these.

A field has one physical field for its standard view (rows of a set, time, mutex or bool field; values of an int field), and a
time field one more for each time view that has been written. Names in the store have a "." or ":", which no name of a client or
of a packet index has: so an index may have a field called `access`, and the store's other indexes stay apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from indexing.backends.base import FieldSchema
from indexing.client.contract import ClientIndex

_INDEX = "client:"
EXISTENCE = "_exists"


def store_name(index: str) -> str:
    """The index's name in the store."""
    return _INDEX + index


def is_client(store_index: str) -> bool:
    """Whether an index of the store is a client index."""
    return store_index.startswith(_INDEX)


def physical(field: str, view: str = "") -> str:
    """The physical field of a view: "" is the standard view, else a time view's end ("2018", "201801")."""
    return f"{field}.{view}"


def logical(physical_field: str) -> str:
    """The field of a physical field."""
    return physical_field.partition(".")[0]


def views_of(field: str, have: Iterable[str]) -> list[str]:
    """The time views of a field among physical fields, ascending."""
    prefix = physical(field)
    return sorted(name[len(prefix) :] for name in have if name.startswith(prefix) and name != prefix)


def kind_of(index: ClientIndex, field: str) -> str:
    """The kind of a field's physical field."""
    return "int" if index.fields[field].type == "int" else "set"


def schema_of(index: ClientIndex) -> dict[str, FieldSchema]:
    """The physical fields of an index but those of time views, of which there may be thousands."""
    return {physical(field): FieldSchema(physical(field), kind_of(index, field)) for field in index.fields}


def physical_fields(field: str, have: Iterable[str]) -> Iterator[str]:
    """All physical fields of a field among those that the store knows, and the standard one."""
    yield physical(field)
    for view in views_of(field, have):
        yield physical(field, view)
