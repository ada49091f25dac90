"""A table of what is open: numbered entries in the order they were made, found by a key of 128 bits.

Entries are not taken out one by one: they are marked dead, and left behind when the table is made anew.
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import numba
import numpy as np
from numba import types
from numpy.typing import NDArray

from capture.packets.compiling import borrowing, compiled, inlined
from capture.packets.fast.interning import mixed

# Words that an entry of every table has. STATE 0 is a dead one; CLOCK: the state's clock when it was made.
KEY, KEY2, COLUMN, CLOCK, STATE = range(5)
DEAD = 0
WIDTH = 10
NO_ENTRY = -1
_EMPTY = np.int32(-1)
_LEAST = 64


class Table(NamedTuple):
    """slots: int32 (power of 2,): number of an entry, or -1. rows: uint64 (slots / 2, WIDTH).

    used: int64 (4,): entries (dead ones too), the first that may be alive, how many are alive, how many were killed for want of
    room. seed: uint64 (1,), of this table:
    who sends packets cannot know which keys meet in a slot."""

    slots: NDArray[np.int32]
    rows: NDArray[np.uint64]
    used: NDArray[np.int64]
    seed: NDArray[np.uint64]


def make_table(capacity: int = _LEAST) -> Table:
    """An empty one with room for so many entries, a power of 2."""
    seed = np.frombuffer(os.urandom(8), np.uint64).copy()
    return Table(np.full(2 * capacity, _EMPTY), np.zeros((capacity, WIDTH), np.uint64), np.zeros(4, np.int64), seed)


TABLE = numba.typeof(make_table())


def emptied(table: Table) -> Table:
    """An empty one that has forgotten as many."""
    made = make_table()
    made.used[3] = table.used[3]
    return made


@borrowing()
def _slot(table, key, key2):  # type: ignore[no-untyped-def]
    """Where the key stands, or may be put."""
    mask = np.uint64(len(table.slots) - 1)
    at = mixed(mixed(key ^ table.seed[0]) ^ key2) & mask
    while True:
        number = table.slots[at]
        if number == _EMPTY or (table.rows[number, KEY] == key and table.rows[number, KEY2] == key2):
            return at
        at = (at + np.uint64(1)) & mask


@borrowing()
def find(table, key, key2):  # type: ignore[no-untyped-def]
    """The entry made last of this key if it is alive, else NO_ENTRY."""
    number = np.int64(table.slots[_slot(table, key, key2)])
    if number == NO_ENTRY or table.rows[number, STATE] == DEAD:
        return np.int64(NO_ENTRY)
    return number


@inlined()
def is_full(table):  # type: ignore[no-untyped-def]
    """Whether `remade` has to come before `add`."""
    return table.used[0] == len(table.rows)


@borrowing()
def add(table, key, key2):  # type: ignore[no-untyped-def]
    """A new entry, whose other words are 0 and whose state the caller sets. There must be room."""
    number = table.used[0]
    table.slots[_slot(table, key, key2)] = np.int32(number)
    table.rows[number, :] = 0
    table.rows[number, KEY] = key
    table.rows[number, KEY2] = key2
    table.used[0] = number + 1
    table.used[2] += 1
    return number


@inlined()
def kill(table, number):  # type: ignore[no-untyped-def]
    """Marks an entry dead."""
    if table.rows[number, STATE] != DEAD:
        table.rows[number, STATE] = DEAD
        table.used[2] -= 1


@inlined()
def is_too_much(table, most):  # type: ignore[no-untyped-def]
    """Whether a full table has to forget something, until half of `most` are alive, for `remade` not to make it larger than that.
    most: entries, a power of 2."""
    return len(table.rows) >= most and 2 * table.used[2] > most


@compiled()
def remade(table):  # type: ignore[no-untyped-def]
    """(table without the dead, and with room; int64: the new number of each old entry, -1 of a dead one)."""
    count, alive = table.used[0], table.used[2]
    moved = np.full(count, -1, np.int64)
    capacity = len(table.rows)
    if 2 * alive > capacity:
        capacity *= 2
    elif capacity > _LEAST and 8 * alive < capacity:
        capacity //= 2
    rows = np.zeros((capacity, WIDTH), np.uint64)
    new = Table(np.full(2 * capacity, _EMPTY, np.int32), rows, np.zeros(4, np.int64), table.seed)
    new.used[3] = table.used[3]
    for old in range(count):
        if table.rows[old, STATE] != DEAD:
            moved[old] = new.used[0]
            number = add(new, table.rows[old, KEY], table.rows[old, KEY2])
            rows[number] = table.rows[old]
    return new, moved


@borrowing()
def first_alive(table):  # type: ignore[no-untyped-def]
    """The number of the first entry that is alive, or how many there are."""
    at = table.used[1]
    while at < table.used[0] and table.rows[at, STATE] == DEAD:
        at += 1
    table.used[1] = at
    return at


@compiled(types.void(TABLE))
def _found_again(table):  # type: ignore[no-untyped-def]
    for number in range(table.used[0]):
        table.slots[_slot(table, table.rows[number, KEY], table.rows[number, KEY2])] = np.int32(number)


def restored(name: str, rows: NDArray[Any], forgotten: int) -> Table:
    """A table with these entries that has forgotten so many. Raises ValueError for what are none."""
    if rows.dtype != np.uint64 or rows.ndim != 2 or rows.shape[1] != WIDTH:
        raise ValueError(f"{name}: not {WIDTH} words an entry")
    table = make_table(max(_LEAST, 1 << max(len(rows) - 1, 0).bit_length()))
    table.rows[: len(rows)] = rows
    table.used[0], table.used[2], table.used[3] = len(rows), np.count_nonzero(rows[:, STATE] != DEAD), forgotten
    _found_again(table)
    return table
