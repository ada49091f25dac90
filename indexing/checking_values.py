"""Row ids against the translation table: a row that it does not know has no value that could be shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from capture.packets.registry import FIELDS
from indexing.backends.base import Backend
from indexing.calls import Call, GroupCountsResult
from indexing.checking_existence import LIVE
from indexing.checking_findings import Finding, agreed

U64 = NDArray[np.uint64]


@dataclass(frozen=True)
class _Known:
    """A field's rows, from 1 to `last` without a gap if `dense`."""

    id: int
    last: int
    dense: bool


class Translations:
    """The rows that the table of an index knows. Counted when made; what is younger is asked for."""

    def __init__(self, index: str) -> None:
        self.index = index
        self.findings: list[Finding] = []
        with connection.cursor() as cursor:
            cursor.execute(
                """SELECT f.field, f.id, f.next_row, count(v.row), coalesce(min(v.row), 1), coalesce(max(v.row), 0)
                   FROM indexing_translationfield f LEFT JOIN indexing_translationvalue v ON v.field_id = f.id
                   WHERE f.index = %s GROUP BY f.id""",
                [index],
            )
            rows = cursor.fetchall()
        self._fields: dict[str, _Known] = {}
        for field, number, next_row, count, first, last in rows:
            self._fields[field] = _Known(number, last, count == last and first == 1)
            if last >= next_row:
                words = f"the next row to be given out is {next_row}, and rows up to {last} have a value"
                self.findings.append(Finding("rows would be given out twice", words, {"index": index, "field": field}))

    def unknown(self, field: str, rows: U64) -> list[int]:
        """Those of a text field's rows (any order, each once) that have no value."""
        known = self._fields.get(field)
        if known is not None and known.dense:
            rows = rows[(rows < 1) | (rows > known.last)]
        if rows.size == 0:
            return []
        with connection.cursor() as cursor:
            cursor.execute(
                """SELECT asked.row FROM unnest(%s::bigint[]) AS asked(row) WHERE NOT EXISTS (
                       SELECT FROM indexing_translationvalue v JOIN indexing_translationfield f ON f.id = v.field_id
                       WHERE f.index = %s AND f.field = %s AND v.row = asked.row) ORDER BY 1""",
                [rows.astype(np.int64).tolist(), self.index, field],
            )
            return [int(row) for (row,) in cursor.fetchall()]


def is_text(field: str) -> bool:
    """Whether the rows of a field stand for values of the translation table."""
    return field in FIELDS and FIELDS[field].encoding == "text"


def rows(backend: Backend, known: Translations) -> list[Finding]:
    """Rows of live packets that the backend has of text fields and the table does not; field by field, all of a field at once.

    A row that lost its packets stays in Pilosa's Rows, and its value may have gone: hence the groups under the mask."""

    def look(field: str) -> list[Finding]:
        groups = Call("GroupBy", [Call("Rows", args={"field": field})], {"filter": LIVE})
        (answer,) = backend.query(known.index, [groups])
        assert isinstance(answer, GroupCountsResult)
        there = np.array([one.group[0][1] for one in answer.groups], np.uint64)
        unknown = known.unknown(field, there)
        return [no_value({"index": known.index, "field": field}, unknown)] if unknown else []

    found: list[Finding] = list(known.findings)
    for field in backend.indexes().get(known.index, []):
        if field.kind == "set" and is_text(field.name):
            found += agreed(lambda name=field.name: look(name))  # type: ignore[misc]
    return found


def no_value(where: dict[str, object], unknown: list[int]) -> Finding:
    """What is said of rows without a value."""
    return Finding("rows without a value", f"{len(unknown)} rows, the first is {unknown[0]}", where)
