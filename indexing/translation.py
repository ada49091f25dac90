"""Values <-> row ids, in bulk, from one Postgres table, through a cache.

Ids are dense when allocated and never reused, so a row id never comes to stand for another value, as long as its field is there
(fields of client indexes may be deleted: the epoch moves then). A value that nobody used may have been freed and have come back
under a new id, though: what the cache says of values is of one epoch of the index (see
translation_epoch), and follows it. Pairs enter the cache only when they were read from, or committed to, the database: a rolled
back allocation leaves nothing behind.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from indexing import translation_epoch, translation_table
from indexing.translation_cache import Pairs
from indexing.translation_table import TranslationCollision, Wanted

__all__ = ["TranslationCollision", "catch_up", "clear_cache", "epoch", "lookup", "resolve", "shares_epoch", "values_of"]

# Longer values are always asked of the database.
MAX_CACHED_VALUE = 512
# Who only reads asks for the epoch so often. Values are freed no sooner than translation_freeing.GRACE_SECONDS after they were
# marked, which moves the epoch: what is believed for so long was right all the while.
TRUST_SECONDS = 1.0

_rows: Pairs[bytes, int] = Pairs()
_values: Pairs[int, bytes] = Pairs()
_lock = threading.Lock()
_epochs: dict[str, tuple[int, float]] = {}  # index -> what _rows is of, and when that was asked

Found = dict[str, list[int | None]]
Missing = dict[str, list[bytes]]


def clear_cache() -> None:
    """Forgets every cached pair (after the tables were emptied)."""
    with _lock:
        _rows.clear()
        _values.clear()
        _epochs.clear()


def epoch(index: str) -> int:
    """The epoch that this process knows: to be noted before values are resolved for an import."""
    known = _epochs.get(index)
    return known[0] if known is not None else catch_up(index)


def shares_epoch(index: str, noted: int) -> bool:
    """Whether what was resolved after `noted` still holds, and does until the caller's transaction ends: its bits may be
    imported. If not, call catch_up, note the epoch and resolve again."""
    return translation_epoch.share(index) == noted


def catch_up(index: str) -> int:
    """The epoch now; the cache is of it from now on."""
    asked = time.monotonic()
    return _follow(index, translation_epoch.read(index), asked)


def lookup(index: str, values: Mapping[str, Iterable[bytes]]) -> dict[str, dict[bytes, int]]:
    """Row ids of the known ones among `values`, by field. Allocates nothing."""
    known = _epochs.get(index)
    if known is None or time.monotonic() - known[1] > TRUST_SECONDS:
        catch_up(index)
    wanted = {field: list(some) for field, some in values.items()}
    found, missing = _from_cache(index, wanted)
    learned = _learn(index, missing, allocate=False) if missing else {}
    pairs: dict[str, dict[bytes, int]] = {}
    for field, some in wanted.items():
        pairs[field] = {value: row for value, row in zip(some, found[field], strict=True) if row is not None}
        pairs[field].update(learned.get(field, {}))
    return pairs


def resolve(index: str, values: Mapping[str, Sequence[bytes]]) -> dict[str, NDArray[np.uint64]]:
    """Row ids of all `values`, by field and in their order; unknown values get new ids.

    They are good for an import if shares_epoch says so of the epoch noted before. Allocation is a transaction of its own: call it
    outside of any transaction. Raises TranslationCollision.
    """
    found, missing = _from_cache(index, values)
    if missing:
        learned = _learn(index, missing, allocate=True)
        for field, some in learned.items():
            found[field] = [some[value] if row is None else row for value, row in zip(values[field], found[field], strict=True)]
    return {field: np.array(rows, np.uint64) for field, rows in found.items()}


def values_of(index: str, rows: Mapping[str, Iterable[int]]) -> dict[str, dict[int, bytes]]:
    """Values of row ids, by field. Ids that were never given out, or are free again, are left out."""
    known: dict[str, dict[int, bytes]] = {}
    missing: dict[str, list[int]] = {}
    of = _epochs.get(index, (0, 0.0))[0]
    for field, some in rows.items():
        wanted = list(some)
        found = _values.find((index, field), wanted)
        known[field] = {row: value for row, value in zip(wanted, found, strict=True) if value is not None}
        lacking = [row for row, value in zip(wanted, found, strict=True) if value is None]
        if lacking:
            missing[field] = lacking
    if missing:
        for field, pairs in translation_table.values_of(index, missing).items():
            known[field].update(pairs)
            short = {row: value for row, value in pairs.items() if len(value) <= MAX_CACHED_VALUE}
            with _lock:
                # Not if the cache has moved on meanwhile: ids of a field that was deleted come to stand for other values.
                if _epochs.get(index, (0, 0.0))[0] == of:
                    _values.put((index, field), list(short), list(short.values()), sum(map(len, short.values())))
    return known


def _from_cache(index: str, values: Mapping[str, Sequence[bytes]]) -> tuple[Found, Missing]:
    found: Found = {}
    missing: Missing = {}
    for field, wanted in values.items():
        found[field] = rows = _rows.find((index, field), wanted)
        if None in rows:
            lacking = (value for value, row in zip(wanted, rows, strict=True) if row is None)
            missing[field] = list(dict.fromkeys(lacking))
    return found, missing


def _learn(index: str, missing: Missing, allocate: bool) -> dict[str, dict[bytes, int]]:
    """What the database says of values that the cache does not know, by field; with `allocate`, of all of them."""
    asked = time.monotonic()
    state = translation_table.state(index, list(missing))
    _follow(index, state.epoch, asked)
    wanted = Wanted(missing)
    rows = translation_table.look_up(wanted, wanted.numbers(state), state.any_dying)
    if allocate and (rows <= 0).any():
        rows = translation_table.allocate(index, wanted, rows, state)
    learned: dict[str, dict[bytes, int]] = {}
    at = 0
    for field, values in missing.items():
        ids = rows[at : at + len(values)].tolist()
        at += len(values)
        pairs = dict(zip(values, ids, strict=True))
        if ids and min(ids) <= 0:
            # What is dying may be read, and not be kept: it comes back under another id without the epoch's moving again.
            learned[field] = {value: abs(row) for value, row in pairs.items() if row}
            pairs = {value: row for value, row in pairs.items() if row > 0}
        else:
            learned[field] = pairs
        _remember(index, field, pairs, state.epoch)
    return learned


def _remember(index: str, field: str, pairs: dict[bytes, int], of: int) -> None:
    size = sum(map(len, pairs))
    if size > MAX_CACHED_VALUE:
        lengths = map(len, pairs)
        if max(lengths) > MAX_CACHED_VALUE:
            pairs = {value: row for value, row in pairs.items() if len(value) <= MAX_CACHED_VALUE}
            size = sum(map(len, pairs))
    with _lock:
        # Not if another thread has moved the cache on meanwhile: these may have been marked as unused since.
        known = _epochs.get(index)
        if known is not None and known[0] == of:
            _rows.put((index, field), list(pairs), list(pairs.values()), size)


def _follow(index: str, now: int, asked: float) -> int:
    """The cache becomes one of the epoch `now`: values that were marked as unused since its own are forgotten."""
    known = _epochs.get(index)
    same = known is not None and known[0] == now
    marked = translation_epoch.marked_between(index, known[0], now) if known is not None and not same else None
    with _lock:
        if _epochs.get(index) != known:  # another thread has done so meanwhile, perhaps for a later epoch
            return _epochs.get(index, (now, asked))[0]
        if same:
            _epochs[index] = (now, asked)
            return now
        if marked is None:
            _rows.drop_index(index)
            _values.drop_index(index)
        else:
            for field, rows in marked.items():
                _rows.drop_values((index, field), set(rows.tolist()))
        _epochs[index] = (now, asked)
    return now
