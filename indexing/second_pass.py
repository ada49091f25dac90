"""What the second pass found of a batch, as bits beside those that it has."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from capture.packets.columns import Dissected, IntValues, SetValues
from capture.packets.conversations.contract import LATE, NAMES, Found
from capture.packets.registry import FIELDS
from indexing.backends.base import BatchBits, CodedBits, IntBits, SetBits
from indexing.models import Batch

PROMPT = frozenset(NAMES) - LATE


def wanted(fields: Collection[str]) -> frozenset[str]:
    """Those of a batch's fields that the second pass finds."""
    return frozenset(NAMES).intersection(fields)


def within(found: Found, first_column: int, packets: int) -> Found:
    """What was found of a range of columns."""
    first = np.uint64(first_column)
    inside = (found.column >= first) & (found.column < first + np.uint64(packets))
    return Found(found.field[inside], found.column[inside], found.value[inside])


def among(found: Found, fields: Collection[str]) -> Found:
    """What was found of some fields."""
    inside = np.isin(found.field, [NAMES.index(name) for name in fields])
    return Found(found.field[inside], found.column[inside], found.value[inside])


def bits(batch: Batch, found: Found, fields: Collection[str]) -> BatchBits:
    """Bits of `fields` of a batch, whose columns alone are in `found`."""
    made: dict[str, SetBits | CodedBits | IntBits] = {}
    for name, packet, value in _by_field(batch, found, fields):
        if FIELDS[name].kind == "int":
            made[name] = IntBits(packet.astype(np.uint64) + np.uint64(batch.first_column), value)
        else:
            rows, code = np.unique(value, return_inverse=True)
            made[name] = CodedBits(packet, code.astype(np.uint32), rows.astype(np.uint64))
    return BatchBits(batch.pk, batch.first_column, batch.packets, made, batch.generation)


def with_columns(dissected: Dissected, batch: Batch, found: Found) -> Dissected:
    """A dissected batch, and what was found of its packets as columns of their own."""
    columns = dict(dissected.fields)
    for name, packet, value in _by_field(batch, found, wanted(batch.fields)):
        if FIELDS[name].kind == "int":
            columns[name] = IntValues(packet, value)
        else:
            rows, code = np.unique(value, return_inverse=True)
            columns[name] = SetValues(packet, code.astype(np.uint32), rows.astype(np.uint64))
    return replace(dissected, fields=columns)


def _by_field(
    batch: Batch, found: Found, fields: Collection[str]
) -> list[tuple[str, NDArray[np.uint32], NDArray[np.int64]]]:
    """(field, packets ascending, values) of each field that has any; a pair comes once."""
    made = []
    order = np.lexsort((found.value, found.column, found.field))
    field, column, value = found.field[order], found.column[order], found.value[order]
    for number in np.unique(field).tolist():
        name = NAMES[number]
        if name not in fields:
            continue
        low, high = np.searchsorted(field, [number, number + 1])
        packet = (column[low:high] - np.uint64(batch.first_column)).astype(np.uint32)
        some = value[low:high]
        if FIELDS[name].kind == "int":  # times that a capture made up are as long as it likes
            some = np.clip(some, FIELDS[name].minimum, FIELDS[name].maximum)
        made.append((name, packet, some))
    return made
