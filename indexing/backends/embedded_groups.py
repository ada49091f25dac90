"""GroupBy within a shard: how many columns have each combination of one row of each field.

Two ways, the cheaper one for each shard: with few combinations of all fields but the largest, these are intersected as bitmaps,
and the largest field's rows counted under each; else the bits of every field are put in the order of their columns, and what
one column has is paired.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from indexing import fragment_kernels as kernels
from indexing.backends.embedded_shard import Shard
from indexing.fragment import WORDS
from indexing.limits import Budget
from indexing.roaring import SHARD_EXPONENT, SHARD_WIDTH, U64, sorted_unique

Groups = tuple[list[U64], NDArray[np.int64]]  # rows of each field (g,), and the columns that have them all (g,)
Only = Sequence[U64 | None]

_FEW_PREFIXES = 64
_FEW_PAIRS = 256  # intersected pair by pair, container by container
_PAIR_BYTES = 24  # of a combination that a column has: its number, and a copy of it in order
_BITS_A_PREFIX = 300_000  # of the largest field: a pass over so many costs about as much as ordering all of them once


def size(some: Sequence[Groups]) -> int:
    """Bytes of groups."""
    return sum(counts.nbytes * (1 + len(rows)) for rows, counts in some)


def groups(shard: Shard, fields: Sequence[str], only: Only, mask: U64 | None, budget: Budget) -> Iterator[Groups]:
    """The combinations that have a column in the mask (None: all), of rows in `only` (None: all); some may come twice.

    Raises LimitExceeded."""
    rows: list[U64] = []
    bits: list[int] = []
    for field, allowed in zip(fields, only, strict=True):
        found = [part.counts(mask) for part in shard.sets(field)]
        some = sorted_unique(np.concatenate([ids for ids, _ in found])) if found else np.zeros(0, np.uint64)
        rows.append(some if allowed is None else some[np.isin(some, allowed)])
        bits.append(sum(int(counts.sum()) for _, counts in found))
        if rows[-1].size == 0:
            return
    budget.check()
    if len(fields) == 2 and mask is None and rows[0].size * rows[1].size <= _FEW_PAIRS:
        a, b = shard.cached(fields[0]), shard.cached(fields[1])
        if a is not None and b is not None:
            pairs = a.cross(rows[0], b, rows[1])
            its, other = np.nonzero(pairs)
            yield [rows[0][its], rows[1][other]], pairs[its, other]
            return
    largest = max(range(len(fields)), key=lambda i: (rows[i].size, bits[i]))
    prefixes = 1
    for i, some in enumerate(rows):
        prefixes *= 1 if i == largest else int(some.size)
    if prefixes <= _FEW_PREFIXES and prefixes * bits[largest] <= _BITS_A_PREFIX * _FEW_PREFIXES:
        yield from _by_rows(shard, fields, rows, largest, mask, only[largest] is not None, budget)
    else:
        found_groups = _by_columns(shard, fields, rows, mask, budget)
        if found_groups is not None:
            yield found_groups


def _by_rows(
    shard: Shard, fields: Sequence[str], rows: list[U64], largest: int, mask: U64 | None, only_some: bool, budget: Budget
) -> Iterator[Groups]:
    """only_some: the largest field has other rows than those of `rows`."""
    others = [i for i in range(len(fields)) if i != largest]
    bitmaps = {i: [_bitmap(shard, fields[i], row) for row in rows[i]] for i in others}

    def count(at: int, chosen: dict[int, np.uint64], within: U64 | None) -> Iterator[Groups]:
        if at < len(others):
            i = others[at]
            for row, words in zip(rows[i], bitmaps[i], strict=True):
                both = words if within is None else words & within
                if at == 0 or both.any():
                    yield from count(at + 1, {**chosen, i: row}, both)
            return
        budget.check()
        for part in shard.sets(fields[largest]):
            ids, counts = part.counts(within)
            if only_some:
                keep = np.isin(ids, rows[largest])
                ids, counts = ids[keep], counts[keep]
            yield [ids if i == largest else np.full(ids.size, chosen[i]) for i in range(len(fields))], counts

    yield from count(0, {}, mask)


def _bitmap(shard: Shard, field: str, row: np.uint64) -> U64:
    words = np.zeros(WORDS, np.uint64)
    for part in shard.sets(field):
        part.add_rows(np.array([row], np.uint64), words)
    return words


def _by_columns(shard: Shard, fields: Sequence[str], rows: list[U64], mask: U64 | None, budget: Budget) -> Groups | None:
    start, code = np.zeros(0, np.int32), np.zeros(0, np.int64)
    taken = 0
    known: list[U64] = []  # of each code so far: the row of each field
    for field, chosen in zip(fields, rows, strict=True):
        budget.check()
        position: U64 = np.concatenate([part.positions(mask) for part in shard.sets(field)])
        position.sort(kind="stable")
        row = position >> np.uint64(SHARD_EXPONENT)
        keep = np.isin(row, chosen)
        if not keep.all():
            position, row = position[keep], row[keep]
        ids = row[np.flatnonzero(np.append(True, row[1:] != row[:-1]))] if row.size else row
        its_start, number = np.zeros(SHARD_WIDTH + 1, np.int32), np.empty(position.size, np.int32)
        kernels.order_by_column(position, its_start, number)
        if not known:
            start, code, known = its_start, number.astype(np.int64), [ids]
            continue
        out_start = np.zeros(SHARD_WIDTH + 1, np.int32)
        some = np.zeros(0, np.int64)
        pairs = kernels.cross(start, code, its_start, number, ids.size, out_start, some)
        budget.take(_PAIR_BYTES * pairs, f"the combinations of {' and '.join(fields)} in shard {shard.shard}")
        taken += _PAIR_BYTES * pairs
        some = np.empty(pairs, np.int64)
        kernels.cross(start, code, its_start, number, ids.size, out_start, some)
        distinct, code = np.unique(some, return_inverse=True) if len(fields) > 2 else (some, some)
        if len(fields) > 2:
            known = [one[distinct // ids.size] for one in known] + [ids[distinct % ids.size]]
            start = out_start
            continue
        distinct, counts = _counted(some, known[0].size * ids.size)
        budget.free(taken)
        return [known[0][distinct // ids.size], ids[distinct % ids.size]], counts
    counts = np.bincount(code, minlength=known[0].size if known else 0)
    budget.free(taken)
    return (known, counts) if code.size else None


def _counted(code: NDArray[np.int64], codes: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The distinct codes (0..codes - 1), ascending, and how often each comes."""
    if codes <= 1 << 22:
        counts = np.bincount(code, minlength=1)
        distinct = np.flatnonzero(counts)
        return distinct, counts[distinct]
    distinct, counts = np.unique(code, return_counts=True)
    return distinct, counts
