"""The registry and the translation table, as the query language wants to see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from capture.packets.fields import Field
from capture.packets.registry import FIELDS
from indexing import limits, store, translation, translation_predicates
from indexing.calls import Call, RowSet, RowsResult
from indexing.predicates import Predicate


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

    def matching(self, field: Field, predicate: Predicate) -> RowSet:
        """The rows of the values for which a predicate holds. Raises PredicateError, LimitExceeded (504), QueryError."""
        left = limits.current().left()
        seconds = translation_predicates.SECONDS if left is None else min(left, translation_predicates.SECONDS)
        try:
            return translation_predicates.rows_matching(self.index, field, predicate, lambda: self._rows_of(field), seconds)
        except translation_predicates.PredicateTooLong as error:
            raise limits.LimitExceeded(str(error), status=limits.TIME_STATUS) from None

    def _rows_of(self, field: Field) -> list[int]:
        """The rows that a field has in the index, of packets that may be hidden too."""
        (found,) = store.ensure_index(self.index).query(self.index, [Call("Rows", args={"field": field.name})])
        assert isinstance(found, RowsResult)
        return found.ids
