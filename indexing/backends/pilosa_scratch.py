"""Columns that a question says itself, on Pilosa: PQL 1.4.1 cannot say them, so they are a row for as long as the question lasts.

The rows are in a field of their own, one a day: what a killed process left goes with the field. It is asked for through the mask
as everything is, and none of the index's fields as users see them.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from indexing.backends.base import BackendAway, BackendError
from indexing.backends.pilosa_cluster import Cluster
from indexing.backends.pilosa_import import Importer
from indexing.backends.pilosa_schema import Index, Schemas, drop_field, make
from indexing.calls import Call, RowRef
from indexing.columns import NAME, ColumnSet
from indexing.fragment import bitmap_of_ranges, columns_of
from indexing.roaring import SHARD_EXPONENT, encode, encode_ranges

logger = logging.getLogger(__name__)

PREFIX = "scratch-"
_ROW_BITS = 40  # of a row's random number: two questions at once have the same one in a million years
_MOST_RANGES = 1000  # of a shard, written as such
_OPTIONS = {"type": "set", "cacheType": "none"}  # never asked for its top rows


def is_scratch(field: str) -> bool:
    """Whether a field is one of these."""
    return field.startswith(PREFIX)


def has_columns(call: Call) -> bool:
    """Whether a call, or one below it, says its columns itself."""
    todo = [call]
    while todo:
        node = todo.pop()
        if node.name == NAME:
            return True
        todo += node.children
        if isinstance(only := node.args.get("filter"), Call):
            todo.append(only)
    return False


class Scratch:
    """Makes and unmakes such rows."""

    def __init__(self, cluster: Cluster, schemas: Schemas, importer: Importer) -> None:
        self._cluster, self._schemas, self._importer = cluster, schemas, importer

    @contextmanager
    def rows(self, names: Sequence[str], calls: Sequence[Call]) -> Iterator[list[Call]]:
        """The calls with rows for columns, while it lasts. names: the physical indexes that are going to be asked.

        Raises BackendAway, BackendError."""
        made: dict[int, tuple[int, ColumnSet]] = {}
        field = PREFIX + _day(0)
        out = [_replaced(call, field, made) for call in calls]
        names = [name for name in names if self._ensure(name, field)]
        try:
            for row, columns in made.values():
                for name in names:
                    self._write(name, field, row, columns)
            yield out
        finally:
            try:
                for row, columns in made.values():
                    for name in names:
                        self._write(name, field, row, columns, clear=True)
            except (BackendAway, BackendError) as error:
                logger.warning("columns of a question stay in field %s until the day after tomorrow: %s", field, error)

    def _ensure(self, name: str, field: str) -> bool:
        """False: there is no such index (any more)."""
        known = self._schemas.index(name, [field])
        if known is not None and field not in known.fields:
            make(self._cluster, name, known.index_options, {field: _OPTIONS})
            self._drop_old(name, known)
            self._schemas.read()
        return known is not None

    def _drop_old(self, name: str, known: Index) -> None:
        """A question of yesterday may be at work still."""
        for old in [one for one in known.fields if is_scratch(one) and one < PREFIX + _day(-1)]:
            drop_field(self._cluster, name, old)

    def _write(self, name: str, field: str, row: int, columns: ColumnSet, clear: bool = False) -> None:
        try:
            for shard in columns.shards():
                self._importer.set_bits(name, field, shard, _bytes(row, columns, shard), clear)
        except BackendError:
            if name in self._schemas.read():
                raise  # else a generation has gone meanwhile, and nobody is going to be asked


def _bytes(row: int, columns: ColumnSet, shard: int) -> bytes:
    ranges = columns.ranges(shard)
    if len(ranges) <= _MOST_RANGES:
        return encode_ranges(np.array([row], np.uint64), ranges)
    return encode(columns_of(bitmap_of_ranges(ranges), row << SHARD_EXPONENT))


def _day(days: int) -> str:
    return (datetime.fromtimestamp(time.time(), UTC) + timedelta(days=days)).strftime("%Y%m%d")


def _replaced(call: Call, field: str, made: dict[int, tuple[int, ColumnSet]]) -> Call:
    """The call with rows; `made` gets them, by the identity of their set."""
    done: list[Call] = []
    todo: list[tuple[Call, bool]] = [(call, False)]
    while todo:
        node, ready = todo.pop()
        only = node.args.get("filter")
        below = [*node.children, *([only] if isinstance(only, Call) else [])]
        if not ready and below:
            todo.append((node, True))
            todo += [(child, False) for child in reversed(below)]
            continue
        fresh = done[len(done) - len(below) :] if below else []
        if below:
            del done[len(done) - len(below) :]
        if node.name == NAME:
            columns: ColumnSet = node.args["columns"]
            if columns.first.size == 0:
                done.append(Call("Union", position=node.position))
                continue
            row, _ = made.setdefault(id(columns), (secrets.randbits(_ROW_BITS), columns))
            done.append(Call("Row", args={"row": RowRef(field, row)}, legacy=node.legacy, position=node.position))
            continue
        copy = replace(node, children=fresh[: len(node.children)])
        if isinstance(only, Call):
            copy.args = {**node.args, "filter": fresh[-1]}
        done.append(copy)
    return done[0]
