"""Generations on Pilosa: physical indexes beside an index, made with their first batch and dropped whole.

Cleared shards are never freed by Pilosa, dropped indexes are. Which generations are to be asked stands in the index itself: row n
of its `access` (at column 0) says that generation n is there. Every question to the index brings these rows along, so that a
process knows of a generation that another one has just made, and needs no request of its own for that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np

from indexing.backends.base import ACCESS_FIELD, LIVE_ROW, BackendError, BatchBits, BatchRange, FieldSchema
from indexing.backends.generation_names import MOST, generation_name, generations_among
from indexing.backends.pilosa_cluster import Cluster
from indexing.backends.pilosa_import import Importer
from indexing.backends.pilosa_query import Questions
from indexing.backends.pilosa_schema import Index, Schemas, drop, ensure_like
from indexing.calls import QueryError
from indexing.roaring import U64

# Asked with every question; with a column, whatever shards the question is of.
REGISTERED = f"Rows({ACCESS_FIELD},previous={LIVE_ROW},column=0)"
_FOUND_SECONDS = 10.0  # how long it is believed which generation holds a column
_FOUND_AT_MOST = 100_000

T = TypeVar("T")


class Generations:
    """Makes, asks and drops generations."""

    def __init__(self, cluster: Cluster, schemas: Schemas, importer: Importer, questions: Questions, grace: float) -> None:
        """grace: seconds between the last question to a generation that may begin and its end."""
        self._cluster, self._schemas, self._importer, self._questions = cluster, schemas, importer, questions
        self._grace = grace
        self._made: set[str] = set()  # physical indexes that this process knows to be registered
        self._seen: dict[str, list[int]] = {}  # those of an index when it was last asked
        self._found: tuple[float, dict[tuple[str, int], int]] = (-1e9, {})

    def present(self, index: str) -> list[int]:
        """The generations that have a physical index now."""
        return generations_among(self._schemas.read(), index)

    # Batches

    def import_batch(self, index: str, base: Index, bits: BatchBits) -> None:
        """Imports into the physical index, which is made if it is missing, or was dropped since we looked."""
        name = generation_name(index, bits.generation)
        for again in (True, False):
            self._ensure(index, base, bits.generation)
            try:
                self._importer.import_batch(name, bits)
                return
            except BackendError:
                if not again or name in self._schemas.read():
                    raise

    def import_more(self, index: str, base: Index, bits: BatchBits, cleared: Sequence[FieldSchema]) -> None:
        """Bits of some fields of a batch; there is nothing to do if the generation is gone."""
        name = generation_name(index, bits.generation)

        def complete(known: Index) -> None:
            if base.fields.keys() - known.fields.keys():
                ensure_like(self._cluster, base, name, make=False)
            self._importer.import_more(name, bits, cleared)

        self._while_there(name, complete)

    def hide(self, index: str, generation: int, batches: Sequence[BatchRange]) -> None:
        """Takes batches out of the mask; there is nothing to do if the generation is gone."""
        name = generation_name(index, generation)
        self._while_there(name, lambda _: self._importer.hide(name, batches))

    def _ensure(self, index: str, base: Index, generation: int) -> None:
        """The physical index with all fields; then that it is there, in the index."""
        name = generation_name(index, generation)
        known = self._schemas.index(name, base.fields)
        if known is None or base.fields.keys() - known.fields.keys():
            if known is None:
                self._made.discard(name)
            ensure_like(self._cluster, self._schemas.read().get(index, base), name)
            self._schemas.read()
        if name not in self._made:
            self._importer.mark(index, ACCESS_FIELD, LIVE_ROW + generation)
            self._made.add(name)

    def ensure_fields(self, index: str, base: Index) -> None:
        """Fields that the index got later, in every generation."""
        found = self._schemas.read()
        for generation in generations_among(found, index):
            name = generation_name(index, generation)
            if base.fields.keys() - found[name].fields.keys():
                ensure_like(self._cluster, base, name, make=False)

    def drop(self, index: str, generation: int) -> None:
        """No question is asked of it any more; then it is removed. Pilosa unmaps what it removes, whoever may be reading it."""
        name = generation_name(index, generation)
        found = self._schemas.read()
        if index in found:
            self._importer.mark(index, ACCESS_FIELD, LIVE_ROW + generation, clear=True)
        self._made.discard(name)
        if name in found:
            time.sleep(self._grace)
            self.delete(name)
            self._schemas.read()

    def drop_all(self, index: str) -> None:
        """Removes every generation of an index that is about to be dropped."""
        for generation in self.present(index):
            name = generation_name(index, generation)
            self._made.discard(name)
            self.delete(name)

    def delete(self, name: str) -> None:
        """Removes a physical index, if it is there."""
        drop(self._cluster, name)

    # Questions

    def seen(self, index: str) -> list[int]:
        """The generations to be asked, as the index said when it was last asked."""
        return self._seen.get(index, [])

    def look(self, index: str) -> list[int]:
        """The generations to be asked, as the index says now."""
        (registered,) = self._questions.post(index, REGISTERED)
        return self.see(index, registered)

    def see(self, index: str, registered: Mapping[str, Any] | None) -> list[int]:
        """The generations to be asked now: of the answer to REGISTERED."""
        rows = (registered or {}).get("rows") or []
        self._seen[index] = [row - LIVE_ROW for row in rows if row - LIVE_ROW <= MOST]
        return self._seen[index]

    def ask(self, index: str, base: Index, generation: int, question: Callable[[str, Index], T]) -> T | None:
        """What a generation answers; None if it is gone. It has all fields of the index then, if need be from now on."""
        name = generation_name(index, generation)

        def complete(known: Index) -> T | None:
            if base.fields.keys() - known.fields.keys():
                ensure_like(self._cluster, base, name, make=False)
                again = self._schemas.read().get(name)
                if again is None:
                    return None
                known = again
            return question(name, known)

        return self._while_there(name, complete)

    def _while_there(self, name: str, do: Callable[[Index], T]) -> T | None:
        """What `do` gives; None if the physical index is not there (any more)."""
        for again in (True, False):
            known = self._schemas.index(name)
            if known is None:
                return None
            try:
                return do(known)
            except (QueryError, BackendError):
                if name not in self._schemas.read():
                    return None
                if not again:
                    raise
        raise AssertionError

    def holders(self, index: str, base: Index, columns: U64) -> dict[int, U64]:
        """Which generation (0: the index itself) holds which of these columns; those that none holds visibly are left out.

        A column never moves, and a packet's page asks for the same ones, field by field: the answers are kept for a while."""
        when, found = self._found
        if time.monotonic() - when > _FOUND_SECONDS or len(found) > _FOUND_AT_MOST:
            found = {}
            self._found = (time.monotonic(), found)

        def left() -> list[int]:
            return [column for column in columns.tolist() if (index, column) not in found]

        def keep(generation: int, asked: list[int], answers: Sequence[Any]) -> None:
            for column, answer in zip(asked, answers, strict=True):
                if LIVE_ROW in (answer["rows"] or []):
                    found[index, column] = generation

        if asked := left():
            *answers, registered = self._questions.post(index, _which(asked) + REGISTERED)
            keep(0, asked, answers)
            for generation in reversed(self.see(index, registered)):  # the youngest first: it is the most looked at
                if not (asked := left()):
                    break
                text = _which(asked)
                there = self.ask(index, base, generation, partial(self._post, text))
                keep(generation, asked if there is not None else [], there or [])
        of = [found.get((index, column), -1) for column in columns.tolist()]
        which = np.array(of, np.int64)
        return {generation: columns[which == generation] for generation in sorted(set(of)) if generation >= 0}

    def _post(self, text: str, name: str, known: Index) -> list[Any]:
        return self._questions.post(name, text)


def _which(columns: Sequence[int]) -> str:
    return "".join(f"Rows({ACCESS_FIELD},column={column})" for column in columns)


def by_generation(batches: Sequence[BatchRange]) -> dict[int, list[BatchRange]]:
    """The batches of each generation."""
    found: dict[int, list[BatchRange]] = {}
    for batch in batches:
        found.setdefault(batch.generation, []).append(batch)
    return dict(sorted(found.items()))
