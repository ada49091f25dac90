"""The Pilosa backend: bitmaps in a Pilosa 1.4.1 cluster, over plain keep-alive HTTP."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from indexing.backends import pilosa_schema
from indexing.backends.base import ACCESS_FIELD, BackendAway, BackendError, BatchBits, BatchRange, FieldSchema
from indexing.backends.check import check
from indexing.backends.generation_names import generation_name, is_generation_name
from indexing.backends.merge_results import divided
from indexing.backends.names import check_bits, check_names
from indexing.backends.pilosa_ask import Caches, OfSomeShards, ask, goes_by_cache
from indexing.backends.pilosa_cluster import Cluster
from indexing.backends.pilosa_generations import REGISTERED, Generations, by_generation
from indexing.backends.pilosa_http import Host, PilosaHttp
from indexing.backends.pilosa_import import Importer
from indexing.backends.pilosa_query import Questions
from indexing.backends.pilosa_scratch import Scratch, has_columns, is_scratch
from indexing.calls import Call, Condition, QueryError, Result, RowResult, ValCountResult
from indexing.client import pilosa_names
from indexing.client.pilosa import PilosaClients
from indexing.columns import of_columns
from indexing.roaring import SHARD_EXPONENT, U64, encode, sorted_unique

_COLUMNS_AT_ONCE = 500
_TRIES = 4

# Written by people, and by no batch.
TAG_FIELD = "tag"


class PilosaBackend:
    """See indexing.backends.base.Backend. Its batches are visible only through the `access` mask: every read must carry it.

    Batches of a generation lie in a physical index of their own, see pilosa_generations; answers are those of one index."""

    name = "pilosa"
    masked = True
    generational = True

    def __init__(
        self,
        hosts: Sequence[Host],
        read_seconds: float = 60.0,
        drop_grace_seconds: float = 1.0,
    ) -> None:
        """hosts: (host, port) of nodes, asked in turn. read_seconds: patience with one answer.
        drop_grace_seconds: how long a generation that is dropped remains for questions that have begun."""
        self._http = PilosaHttp(hosts, read_seconds)
        self._cluster = Cluster(self._http)
        self._importer = Importer(self._cluster)
        self._schemas = pilosa_schema.Schemas(self._cluster)
        self._questions = Questions(self._cluster)
        self._scratch = Scratch(self._cluster, self._schemas, self._importer)
        self._generations = Generations(self._cluster, self._schemas, self._importer, self._questions, drop_grace_seconds)

    def close(self) -> None:
        """See Backend."""
        self._importer.close()
        self._http.close()

    @cached_property
    def clients(self) -> PilosaClients:
        """The engine of client indexes, on the same cluster."""
        return PilosaClients(self._cluster, self._importer)

    # Schema

    def ensure_index(self, index: str, fields: Iterable[FieldSchema]) -> None:
        """See Backend."""
        fields = [field for field in fields if field.name != ACCESS_FIELD]
        check_names(index, fields)
        pilosa_schema.ensure(self._cluster, index, fields)
        known = self._schemas.read().get(index)
        if known is not None:
            self._generations.ensure_fields(index, known)

    def drop_index(self, index: str) -> None:
        """See Backend. Its generations go first: they would come back with an index of the same name."""
        self._generations.drop_all(index)
        self._generations.delete(index)
        self._schemas.read()

    def indexes(self) -> dict[str, list[FieldSchema]]:
        """See Backend."""
        return {
            name: [field for field in index.fields.values() if field.name != ACCESS_FIELD and not is_scratch(field.name)]
            for name, index in self._schemas.read().items()
            if not is_generation_name(name) and not pilosa_names.is_physical(name)
        }

    def generations(self, index: str) -> list[int]:
        """See Backend."""
        return self._generations.present(index)

    def compact(self) -> bool:
        """See Backend: Pilosa does so itself."""
        return False

    def drop_generation(self, index: str, generation: int) -> None:
        """See Backend. Takes `drop_grace_seconds`."""
        if generation < 1:
            raise BackendError(f"generation {generation} of index {index} cannot be dropped: it is the index itself")
        self._generations.drop(index, generation)

    # Batches

    def import_batch(self, index: str, bits: BatchBits) -> None:
        """See Backend. A retry adds to what is there: the same bits give the same index."""
        known = self._known(index, bits.fields)
        if known is None:
            raise BackendError(f"index {index} does not exist")
        check_bits(index, known.fields, bits)
        if bits.generation:
            self._generations.import_batch(index, known, bits)
        else:
            self._importer.import_batch(index, bits)

    def import_again(self, index: str, bits: BatchBits) -> None:
        """A visible batch's bits in place of those that it has: it is hidden meanwhile. What queries wrote as tags stays."""
        known = self._known(index, bits.fields)
        if known is None:
            raise BackendError(f"index {index} does not exist")
        check_bits(index, known.fields, bits)
        if not bits.generation or bits.generation in self._generations.present(index):
            name = generation_name(index, bits.generation) if bits.generation else index
            fields = [field for field in known.fields.values() if field.name not in (ACCESS_FIELD, TAG_FIELD)]
            self._importer.clear(name, fields, [BatchRange(bits.batch, bits.first_column, bits.count)])
        self.import_batch(index, bits)

    def import_more(self, index: str, bits: BatchBits, fields: Collection[str], again: bool = False) -> None:
        """See Backend. Without `again`, what comes is added to what is there."""
        known = self._known(index, fields)
        if known is None:
            raise BackendError(f"index {index} does not exist")
        check_bits(index, known.fields, bits)
        of = [known.fields[name] for name in fields if name in known.fields]
        if bits.generation:
            self._generations.import_more(index, known, bits, of if again else [])
        else:
            self._importer.import_more(index, bits, of if again else [])

    def hide_batches(self, index: str, batches: Sequence[BatchRange]) -> None:
        """See Backend."""
        if batches and self._known(index) is not None:
            for generation, some in by_generation(batches).items():
                if generation:
                    self._generations.hide(index, generation, some)
                else:
                    self._importer.hide(index, some)

    def clear_batches(self, index: str, batches: Sequence[BatchRange]) -> None:
        """See Backend. Bytes on Pilosa's disks are not freed by it; only drop_generation and drop_index do that.

        So batches of a generation are hidden, once more, and no field is cleared."""
        known = self._known(index)
        if batches and known is not None:
            fields = [field for field in known.fields.values() if field.name != ACCESS_FIELD]
            for generation, some in by_generation(batches).items():
                if generation:
                    self._generations.hide(index, generation, some)
                else:
                    self._importer.clear(index, fields, some)

    def merge_batches(self, index: str, batches: Sequence[BatchRange], into: BatchRange) -> None:
        """See Backend. Pilosa has columns and knows of no batches: there is nothing to do."""

    def _known(self, index: str, fields: Iterable[str] = ()) -> pilosa_schema.Index | None:
        """What is known of an index; a generation is none of its own."""
        return None if is_generation_name(index) else self._schemas.index(index, fields)

    # Questions

    def query(self, index: str, calls: Sequence[Call], shards: Sequence[int] | None = None) -> list[Result]:
        """See Backend. Exact, or an exception: see pilosa_cluster."""
        known = self._checked(index, calls)
        if shards is not None and not shards:
            shards = [(1 << 43) - 1]  # none: an empty list would mean all
        if not any(has_columns(call) for call in calls):
            return self._answers(index, known, calls, shards)
        # Generations that nobody knows of yet have no columns that the question can mean.
        parts = [generation_name(index, one) for one in self._generations.look(index)]
        with self._scratch.rows([index, *parts], calls) as calls:
            return self._answers(index, self._known(index) or known, calls, shards)

    def _answers(
        self, index: str, known: pilosa_schema.Index, calls: Sequence[Call], shards: Sequence[int] | None
    ) -> list[Result]:
        if not self._generations.seen(index):
            results, now = self._ask_base(index, known, calls, shards)
            if not now:
                return results
        # The parts are asked for more than the index alone; a first generation may have been made a moment ago.
        parts = [divided(call) for call in calls]
        asked = [one for part in parts for one in part.asked]
        results, now = self._ask_base(index, known, asked, shards)
        answers = [results]
        for generation in now:
            found = self._generations.ask(index, known, generation, partial(self._ask_part, asked, shards))
            if found is not None:
                answers.append(found)
        columns = iter(zip(*answers, strict=True))
        return [part.result([next(columns) for _ in part.asked]) for part in parts]

    def _checked(self, index: str, calls: Sequence[Call]) -> pilosa_schema.Index:
        """The index, for which these calls are well formed."""
        known = self._known(index)
        if known is None:
            raise QueryError("index not found")
        try:
            for call in calls:
                check(call, known.fields)
        except QueryError:
            known = self._schemas.read().get(index)  # a field may be younger than our schema
            if known is None:
                raise QueryError("index not found") from None
            for call in calls:
                check(call, known.fields)
        return known

    def _ask_base(
        self, index: str, known: pilosa_schema.Index, calls: Sequence[Call], shards: Sequence[int] | None
    ) -> tuple[list[Result], list[int]]:
        """The answers of the index itself, and which generations it has."""
        also = REGISTERED if ACCESS_FIELD in known.fields else ""
        caches = known if shards is None else OfSomeShards(known)
        results, registered = self._run(index, known, calls, caches, shards, also)
        return results, self._generations.see(index, registered)

    def _ask_part(
        self, calls: Sequence[Call], shards: Sequence[int] | None, name: str, known: pilosa_schema.Index
    ) -> list[Result]:
        caches = OfSomeShards(known)  # a generation is a part of the index, and TopN of a part has no end
        return self._run(name, known, calls, caches, shards)[0]

    def _run(
        self,
        name: str,
        known: pilosa_schema.Index,
        calls: Sequence[Call],
        caches: Caches,
        shards: Sequence[int] | None,
        also: str = "",
    ) -> tuple[list[Result], Any]:
        """The answers of one physical index. Those that go by caches were given by nodes of whose caches that is known."""
        by_caches = any(goes_by_cache(call) for call in calls)
        if by_caches and not known.warmth.starts:
            known.warmth.started(self._cluster.starts())
        for _ in range(_TRIES):
            results = self._questions.run(name, [ask(call, known.fields, caches) for call in calls], shards, also)
            if not by_caches or (now := self._cluster.starts()) == known.warmth.starts:
                return results
            known.warmth.started(now)
        raise BackendAway("nodes of Pilosa were started again, one after the other")

    def rows_of_columns(self, index: str, field: str, columns: U64) -> tuple[U64, U64]:
        """See Backend. One Rows(column=) a column, many in a request."""
        known = self._known(index, [field])
        if known is None:
            raise QueryError("index not found")
        if field not in known.fields:
            raise QueryError("field not found")
        out_columns, out_rows = [np.zeros(0, np.uint64)], [np.zeros(0, np.uint64)]
        if known.fields[field].kind == "set":
            columns = sorted_unique(np.asarray(columns, np.uint64))
            for i in range(0, columns.size, _COLUMNS_AT_ONCE):
                for column, rows in self._rows_of(index, known, field, columns[i : i + _COLUMNS_AT_ONCE]):
                    out_columns.append(np.full(rows.size, column, np.uint64))
                    out_rows.append(rows)
        return np.concatenate(out_columns), np.concatenate(out_rows)

    def _rows_of(self, index: str, known: pilosa_schema.Index, field: str, columns: U64) -> list[tuple[int, U64]]:
        """(column, its rows), ascending, of few columns."""
        if not self._generations.seen(index):
            *answers, registered = self._questions.post(index, _rows_text(field, columns) + REGISTERED)
            if not self._generations.see(index, registered):
                return _rows_of_answers(columns, answers)
        found: list[tuple[int, U64]] = []
        for generation, some in self._generations.holders(index, known, columns).items():
            if generation:
                found += self._generations.ask(index, known, generation, partial(self._rows_in, field, some)) or []
            else:
                found += self._rows_in(field, some, index, known)
        return sorted(found, key=lambda one: one[0])

    def _rows_in(self, field: str, columns: U64, name: str, known: pilosa_schema.Index) -> list[tuple[int, U64]]:
        return _rows_of_answers(columns, self._questions.post(name, _rows_text(field, columns)))

    def numbers_of_columns(self, index: str, field: str, columns: U64) -> tuple[U64, NDArray[np.int64]]:
        """See Backend. One Sum a column that has a value, many in a request."""
        known = self._known(index, [field])
        if known is None:
            raise QueryError("index not found")
        if field not in known.fields:
            raise QueryError("field not found")
        if known.fields[field].kind != "int":
            return np.zeros(0, np.uint64), np.zeros(0, np.int64)
        columns = sorted_unique(np.asarray(columns, np.uint64))
        has = Call("Row", args={"condition": (field, Condition("!=", None))})
        found, values = [np.zeros(0, np.uint64)], [0][:0]
        for i in range(0, columns.size, _COLUMNS_AT_ONCE):
            some = of_columns(columns[i : i + _COLUMNS_AT_ONCE]).call()
            (there,) = self.query(index, [Call("Intersect", [some, has])])
            assert isinstance(there, RowResult)
            each = [of_columns(np.array([column], np.uint64)).call() for column in there.columns.tolist()]
            sums = self.query(index, [Call("Sum", [one], {"field": field}) for one in each]) if each else []
            # Of one that has left meanwhile there is nothing to add up
            pairs = [(c, sum_.value) for c, sum_ in zip(there.columns.tolist(), sums, strict=True) if _has_one(sum_)]
            found.append(np.array([column for column, _ in pairs], np.uint64))
            values += [value for _, value in pairs]
        return np.concatenate(found), np.array(values, np.int64)

    # State

    def write_row(self, index: str, field: str, row: int, columns: Mapping[int, U64], there: bool = True) -> None:
        """See Backend."""
        known = self._known(index, [field])
        if known is None or field not in known.fields or known.fields[field].kind != "set":
            raise BackendError(f"index {index} has no set field {field}")
        for generation, some in columns.items():
            if generation:
                self._generations.ensure_fields(index, known)
            shards = some >> np.uint64(SHARD_EXPONENT)
            for shard in sorted_unique(shards).tolist():
                local = some[shards == np.uint64(shard)] & np.uint64((1 << SHARD_EXPONENT) - 1)
                data = encode(local | np.uint64(row << SHARD_EXPONENT))
                self._importer.set_bits(generation_name(index, generation), field, shard, data, clear=not there)

    def written_columns(self, index: str) -> U64:
        """See Backend: `access` has packets' columns only, and it is what tells what exists."""
        return np.zeros(0, np.uint64)

    def status(self) -> dict[str, Any]:
        """See Backend; besides: nodes, [{"host", "state"}]."""
        return {"name": self.name, **self._cluster.status()}


def _rows_text(field: str, columns: U64) -> str:
    return "".join(f"Rows({field},column={column})" for column in columns.tolist())


def _has_one(result: Result) -> TypeGuard[ValCountResult]:
    return isinstance(result, ValCountResult) and result.count == 1


def _rows_of_answers(columns: U64, answers: Sequence[Any]) -> list[tuple[int, U64]]:
    pairs = zip(columns.tolist(), answers, strict=True)
    return [(column, np.array(answer["rows"] or [], np.uint64)) for column, answer in pairs]
