"""The registry and the translation table, as the query language wants to see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from capture.packets.fields import Field
from capture.packets.registry import FIELDS
from indexing import translation


class TableTranslator:
    """Values <-> row ids of one index; never allocates."""

    def __init__(self, index: str) -> None:
        self.index = index

    def field(self, name: str) -> Field | None:
        return FIELDS.get(name)

    def rows(self, pairs: Mapping[str, Iterable[bytes]]) -> dict[str, dict[bytes, int]]:
        return translation.lookup(self.index, pairs)

    def values(self, ids: Mapping[str, Iterable[int]]) -> dict[str, dict[int, bytes]]:
        return translation.values_of(self.index, ids)
