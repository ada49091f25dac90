"""Columns of a table as Arrow arrays. pyarrow is imported by the table formats alone, when one is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from capture.packets.batch import NO_TIME
from proxy.export.packets import TIME, Records
from proxy.export.values import Values

# 64-bit offsets: values may be 64 KiB each.
TEXT = pa.large_string()
_MOST_KEYS = 1 << 62


def text(value: str) -> Any:
    """A scalar of the type that all texts here have."""
    return pa.scalar(value, TEXT)


def times(records: Records) -> Any:
    """timestamp[ns] (UTC, without saying so); null where a packet has none."""
    return pa.array(records[TIME], mask=records[TIME] == NO_TIME).cast(pa.timestamp("ns"))


def time_texts(records: Records) -> Any:
    """RFC 3339 UTC with nanoseconds; null where a packet has no time stamp."""
    return pc.strftime(times(records), format="%Y-%m-%dT%H:%M:%SZ").cast(TEXT)


def numbers(row: Any) -> Any:
    """A row of records as text."""
    return pa.array(np.ascontiguousarray(row)).cast(TEXT)


def lists(values: Values, distinct: Any) -> Any:
    """list<...>: of each packet its values, out of an array of the distinct ones."""
    return pa.ListArray.from_arrays(pa.array(values.offsets.astype(np.int32)), distinct.take(pa.array(values.codes)))


def joined(values: Values, texts: list[str], separator: str, wrap: Callable[[str], str] = str) -> Any:
    """`wrap` of the texts of each packet with separators between; null where it has none. texts: in place of values.texts."""
    counts = np.diff(values.offsets)
    most, base = int(counts.max(initial=0)), len(texts) + 1
    if base**most > _MOST_KEYS:
        some = lists(values, pa.array(texts, TEXT))
        return pa.array([wrap(separator.join(one)) if one else None for one in some.to_pylist()], TEXT)
    # The texts of a packet as one number; of those there are few.
    keys = np.zeros(len(counts), np.int64)
    for i in range(most):
        has = counts > i
        keys[has] += (values.codes[values.offsets[:-1][has] + i] + 1) * base**i
    distinct, place = np.unique(keys, return_inverse=True)
    combined = [_texts_of(key, texts, base) for key in distinct.tolist()]
    return pa.array([wrap(separator.join(some)) if some else None for some in combined], TEXT).take(pa.array(place))


def _texts_of(key: int, texts: list[str], base: int) -> list[str]:
    some = []
    while key:
        key, code = divmod(key, base)
        some.append(texts[code - 1])
    return some


def glued(*parts: Any) -> Any:
    """Texts (arrays and scalars) one behind the other, packet by packet."""
    return pc.binary_join_element_wise(*(text(part) if isinstance(part, str) else part for part in parts), text(""))


def all_bytes(lines: Any) -> bytes:
    """All texts of an array, one behind the other."""
    if not len(lines):
        return b""
    _, offsets, data = lines.buffers()
    at = np.frombuffer(offsets, np.int64)[lines.offset : lines.offset + len(lines) + 1]
    return bytes(memoryview(data)[int(at[0]) : int(at[-1])])
