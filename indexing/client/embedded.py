"""Client indexes in the embedded store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np

from indexing.backends import embedded_keys as keys
from indexing.backends.base import FieldSchema
from indexing.backends.embedded_keys import EXISTS_FIELD
from indexing.backends.embedded_overlay_client import ClientTables
from indexing.backends.embedded_overlays import unpacked_set
from indexing.backends.embedded_snapshot import Snapshot
from indexing.backends.embedded_store import Store
from indexing.calls import Call, QueryError, Result, RowResult
from indexing.client import embedded_attributes
from indexing.client.contract import I64, U64, Answered, Attributes, ClientIndex, Wanted
from indexing.client.embedded_fields import EXISTENCE, kind_of, physical, physical_fields, store_name
from indexing.client.embedded_imports import Importer
from indexing.client.embedded_reads import Reader
from indexing.client.embedded_writes import WRITES, Writer
from indexing.roaring import SHARD_EXPONENT, SHARD_WIDTH

MAX_WRITES = 5000
_COUNTED = frozenset({"Set", "Clear", "SetRowAttrs", "SetColumnAttrs"})


@dataclass(frozen=True)
class _Asked:
    """A call without the Options() around it, and what these ask for."""

    call: Call
    wanted: Wanted

    @property
    def writes(self) -> bool:
        return self.call.name in WRITES


class EmbeddedClients:
    """See indexing.client.contract.ClientEngine."""

    def __init__(self, opened: Callable[[], Store]) -> None:
        """opened: gives the store of this process."""
        self._opened = opened

    # Schema

    def create_index(self, index: ClientIndex) -> None:
        """See ClientEngine."""
        with self._opened().client_tables(store_name(index.name)) as tables:
            tables.declare({physical(field): kind_of(index, field) for field in index.fields})

    def create_field(self, index: ClientIndex, name: str) -> None:
        """See ClientEngine."""
        with self._opened().client_tables(store_name(index.name)) as tables:
            tables.declare({physical(name): kind_of(index, name)})

    def delete_index(self, index: ClientIndex) -> None:
        """See ClientEngine."""
        with self._opened().client_tables(store_name(index.name)) as tables:
            tables.drop()

    def delete_field(self, index: ClientIndex, name: str) -> None:
        """See ClientEngine."""
        with self._opened().client_tables(store_name(index.name)) as tables:
            if name == EXISTENCE:
                tables.forget_fields([EXISTS_FIELD], None)
                return
            have = tables.snapshot().fields(store_name(index.name)) or {}
            tables.forget_fields(physical_fields(name, have), name)

    # Questions

    def query(self, index: ClientIndex, calls: Sequence[Call], wanted: Wanted) -> Answered:
        """See ClientEngine. Calls that write and follow each other are one transaction."""
        if sum(call.name in _COUNTED for call in calls) > MAX_WRITES:
            raise QueryError("too many write commands")
        results: list[Result] = []
        asked = (_asked(call, wanted) for call in calls)  # one after the other: an error is raised where its call stands
        for writing, some in groupby(_until_error(asked), lambda one: isinstance(one, _Asked) and one.writes):
            answer = self._write if writing else self._read
            results += answer(index, some)
        column_attrs = wanted.column_attrs or any(_asked(call, wanted).wanted.column_attrs for call in calls)
        return Answered(results, self._column_attrs(index, results) if column_attrs else [])

    def _read(self, index: ClientIndex, asked: Iterator[_Asked | QueryError]) -> list[Result]:
        with self._reading(index) as (snapshot, have):
            reader = Reader.of(snapshot, index, have)
            results = []
            for one in asked:
                if isinstance(one, QueryError):
                    raise one
                results.append(reader.answer(one.call, one.wanted))
            return results

    def _write(self, index: ClientIndex, asked: Iterator[_Asked | QueryError]) -> list[Result]:
        """The first error ends it; what was written before is committed."""
        wrong: QueryError | None = None
        results: list[Result] = []
        with self._writing(index) as (tables, have):
            writer = Writer(tables, index, have)
            writes = [(one.call, one.wanted.shards) for one in asked if isinstance(one, _Asked)]
            writer.prepare(writes)
            for call, shards in writes:
                try:
                    results.append(writer.write(call, shards))
                except QueryError as error:
                    wrong = error
                    break
            writer.finish()
        if wrong is not None:
            raise wrong
        return results

    def _column_attrs(self, index: ClientIndex, results: Sequence[Result]) -> list[tuple[int, Attributes]]:
        rows = [result.columns for result in results if isinstance(result, RowResult)]
        if not rows:
            return []
        with self._reading(index) as (snapshot, _):
            return embedded_attributes.of_columns(snapshot, index.name, np.unique(np.concatenate(rows)).tolist())

    # Bulk

    def import_bits(
        self, index: ClientIndex, name: str, rows: U64, columns: U64, timestamps: I64 | None = None, clear: bool = False
    ) -> None:
        """See ClientEngine."""
        with self._writing(index) as (tables, have):
            Importer(tables, index, name, have).bits(rows, columns, timestamps, clear)

    def import_values(self, index: ClientIndex, name: str, columns: U64, values: I64, clear: bool = False) -> None:
        """See ClientEngine."""
        with self._writing(index) as (tables, have):
            Importer(tables, index, name, have).values(columns, values, clear)

    def import_roaring(
        self, index: ClientIndex, name: str, shard: int, views: Sequence[tuple[str, bytes]], clear: bool = False
    ) -> None:
        """See ClientEngine."""
        with self._writing(index) as (tables, have):
            Importer(tables, index, name, have).roaring(shard, views, clear)

    def export(self, index: ClientIndex, name: str, shard: int) -> tuple[U64, U64]:
        """See ClientEngine."""
        none = np.zeros(0, np.uint64)
        if index.fields[name].type == "int":
            return none, none
        store, field = store_name(index.name), physical(name)
        with self._reading(index) as (snapshot, _):
            value = snapshot.overlay(store, field, shard)
            if value is None:
                return none, none
            position = unpacked_set(value, store, field, shard).fragment().positions()
        column = (position & np.uint64(SHARD_WIDTH - 1)) + np.uint64(shard << SHARD_EXPONENT)
        return position >> np.uint64(SHARD_EXPONENT), column

    def shards(self, index: ClientIndex) -> list[int]:
        """See ClientEngine."""
        with self._opened().read() as snapshot:
            return sorted(snapshot.overlaid(store_name(index.name)))

    def bit_depths(self, index: ClientIndex) -> dict[str, int]:
        """See ClientEngine."""
        with self._opened().read() as snapshot:
            names = [name for name, options in index.fields.items() if options.type == "int"]
            return {name: int(snapshot.noted_at(keys.depth_key(store_name(index.name), name)) or b"0") for name in names}

    def attributes(self, index: ClientIndex, name: str | None) -> dict[int, dict[str, Any]]:
        """See ClientEngine."""
        with self._opened().read() as snapshot:
            return embedded_attributes.every(snapshot, index.name, embedded_attributes.COLUMNS if name is None else name)

    @contextmanager
    def _reading(self, index: ClientIndex) -> Iterator[tuple[Snapshot, dict[str, FieldSchema]]]:
        with self._opened().read() as snapshot:
            have = snapshot.fields(store_name(index.name))
            if have is None:
                raise QueryError("index not found")
            yield snapshot, have

    @contextmanager
    def _writing(self, index: ClientIndex) -> Iterator[tuple[ClientTables, dict[str, FieldSchema]]]:
        """Refused where the index is gone, so that nobody who knew it brings it back."""
        store, name = self._opened(), store_name(index.name)
        with store.read() as snapshot:  # what is committed is read once a process
            version, have = snapshot.schema_version(), snapshot.fields(name)
        with store.client_tables(name) as tables:
            if tables.snapshot().schema_version() != version:
                have = tables.snapshot().fields(name)
            if have is None:
                raise QueryError("index not found")
            yield tables, dict(have)


def _until_error(asked: Iterator[_Asked]) -> Iterator[_Asked | QueryError]:
    """The last one may be what is wrong with the next."""
    try:
        yield from asked
    except QueryError as error:
        yield error


def _asked(call: Call, wanted: Wanted) -> _Asked:
    """Raises QueryError for Options() that cannot be."""
    while call.name == "Options":
        if len(call.children) != 1:
            raise QueryError("Options() requires an input call", call.position)
        given: dict[str, Any] = {}
        for written, name in _FLAGS.items():
            if written in call.args:
                if not isinstance(call.args[written], bool):
                    raise QueryError(f"Query(): {written} must be a bool", call.position)
                given[name] = call.args[written]
        if "shards" in call.args:
            shards = call.args["shards"]
            if not isinstance(shards, list) or not all(type(shard) is int and shard >= 0 for shard in shards):
                raise QueryError("Query(): shards must be a list of unsigned integers", call.position)
            given["shards"] = shards
        wanted = replace(wanted, **given)
        call = call.children[0]
    return _Asked(call, wanted)


_FLAGS = {"columnAttrs": "column_attrs", "excludeRowAttrs": "exclude_row_attrs", "excludeColumns": "exclude_columns"}
