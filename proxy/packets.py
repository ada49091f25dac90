"""Packets of a query: a page of them, with the values that they are indexed under."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture.packets.batch import NO_TIME
from capture.packets.registry import FIELDS
from capture.packets.values import label_of, row_text, text_of
from capture.services.describe import iso_ns
from capture.templatetags.show import microseconds
from indexing import store, translation
from indexing.backends.base import SHARD_WIDTH
from indexing.calls import Call, RowResult, ValCountResult
from indexing.columns import of_columns
from indexing.models import PacketIndex
from proxy.ask import ask
from proxy.locate import Located, locate

# Of int fields these are known of every packet without asking the index: field -> what a packet calls it
LENGTHS = {"length": "length", "captured-length": "captured_length"}


@dataclass
class PacketRow:
    """One packet in a list. time_ns None: it has no time stamp."""

    index: str
    column: int
    job: int
    number: int
    time_ns: int | None
    length: int
    captured_length: int
    linktype: int
    fields: dict[str, list[str]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"/packets/{self.index}/{self.column}/"

    @property
    def time(self) -> str | None:
        return iso_ns(self.time_ns)

    def as_json(self) -> dict[str, Any]:
        return {
            "column": self.column,
            "job": self.job,
            "number": self.number,
            "time": self.time,
            "time_ns": None if self.time_ns is None else str(self.time_ns),
            "length": self.length,
            "captured_length": self.captured_length,
            "url": self.url,
            "fields": self.fields,
        }


def page_of(
    index: str, call: Call, names: Sequence[str], limit: int, after: int | None = None, *, last_first: bool = False
) -> tuple[list[PacketRow], int | None]:
    """At most `limit` packets of a bitmap call, in ascending order of their columns (or descending), from behind column `after`
    on, and the cursor of the next page.

    Shards are asked one by one until the page is full: no answer is larger than a shard."""
    found: list[NDArray[np.uint64]] = []
    total = 0
    last_column = (PacketIndex.objects.filter(name=index).values_list("next_column", flat=True).first() or 0) - 1
    shards = range(((-1 if after is None else after) + 1) // SHARD_WIDTH, last_column // SHARD_WIDTH + 1)
    if last_first:
        highest = last_column if after is None else min(after - 1, last_column)
        shards = range(highest // SHARD_WIDTH, -1, -1)
    for shard in shards:
        result = ask(index, [call], [shard]).results[0]
        assert isinstance(result, RowResult)
        columns = np.asarray(result.columns, np.uint64)
        if last_first:
            columns = columns[: np.searchsorted(columns, np.uint64(highest + 1))][::-1]
        elif after is not None:
            columns = columns[np.searchsorted(columns, np.uint64(after + 1)) :]
        found.append(columns[: limit + 1 - total])
        total += len(found[-1])
        if total > limit:
            break
    columns = np.concatenate(found) if found else np.empty(0, np.uint64)
    more = len(columns) > limit
    columns = columns[:limit]
    rows = rows_of(index, locate(index, np.sort(columns)), names)
    return rows[::-1] if last_first else rows, int(columns[-1]) if more else None


def page_by_time(
    index: str,
    call: Call,
    names: Sequence[str],
    limit: int,
    after: tuple[int, int] | None = None,
    *,
    last_first: bool = False,
) -> tuple[list[PacketRow], tuple[int, int] | None]:
    """The same in order of time (packets without a time stamp first), or the other way round; the cursor is (time, column)."""
    result = ask(index, [call]).results[0]
    assert isinstance(result, RowResult)
    located = locate(index, np.asarray(result.columns, np.uint64))
    order = np.lexsort((located.columns, located.record["time_ns"]))
    times, columns = located.record["time_ns"][order], located.columns[order]
    if after is not None:
        time, column = after[0], np.uint64(after[1])
        if last_first:
            behind = (times < time) | ((times == time) & (columns < column))
        else:
            behind = (times > time) | ((times == time) & (columns > column))
        order = order[behind]
    if last_first:
        order = order[::-1]
    chosen = order[:limit]
    page = Located(located.columns[chosen], located.job[chosen], located.record[chosen])
    cursor = None
    if len(order) > limit:
        cursor = (int(page.record["time_ns"][-1]), int(page.columns[-1]))
    return rows_of(index, page, names), cursor


def rows_of(index: str, located: Located, names: Sequence[str]) -> list[PacketRow]:
    """Located packets with the values of the fields `names`."""
    rows = [
        PacketRow(
            index=index,
            column=int(column),
            job=int(job),
            number=int(record["number"]),
            time_ns=None if record["time_ns"] == NO_TIME else int(record["time_ns"]),
            length=int(record["wire_length"]),
            captured_length=int(record["captured_length"]),
            linktype=int(record["linktype"]),
        )
        for column, job, record in zip(located.columns, located.job, located.record, strict=True)
    ]
    by_column = {row.column: row for row in rows}
    columns = np.sort(located.columns)
    for name, pairs in _values(index, names, columns).items():
        for column, text in pairs:
            by_column[column].fields.setdefault(name, []).append(text)
    for name in names:
        if FIELDS[name].kind == "int" and name not in LENGTHS:
            found, numbers = store.ensure_index(index).numbers_of_columns(index, name, columns)
            for column, number in zip(found.tolist(), numbers.tolist(), strict=True):
                by_column[column].fields[name] = [str(number)]
    for row in rows:
        for name, attribute in LENGTHS.items():
            if name in names:
                row.fields[name] = [str(getattr(row, attribute))]
    return rows


def indexed_numbers(index: str, column: int, names: Sequence[str]) -> list[dict[str, Any]]:
    """Values of int fields of one packet, as `indexed_values`; times between packets have a label that is easier to read."""
    one = of_columns(np.array([column], np.uint64)).call()
    results = ask(index, [Call("Sum", [one], {"field": name}) for name in names]).results
    return [
        {"field": name, "value": str(found.value), "label": microseconds(found.value) if name.endswith("-us") else None}
        for name, found in zip(names, results, strict=True)
        if isinstance(found, ValCountResult) and found.count
    ]


def indexed_values(index: str, column: int, names: Sequence[str]) -> list[dict[str, Any]]:
    """The values of one packet as they are indexed: [{"field", "value", "label"}], in registry order."""
    values = []
    for name, pairs in _values(index, names, np.array([column], np.uint64)).items():
        for _, text in pairs:
            row = None if FIELDS[name].encoding == "text" else text
            label = label_of(FIELDS[name], int(row)) if row is not None and row.isdecimal() else None
            values.append({"field": name, "value": text, "label": label})
    return values


def _values(index: str, names: Sequence[str], columns: NDArray[np.uint64]) -> dict[str, list[tuple[int, str]]]:
    backend = store.ensure_index(index)
    pairs: dict[str, tuple[NDArray[np.uint64], NDArray[np.uint64]]] = {}
    for name in names:
        if FIELDS[name].kind == "set" and len(columns):
            pairs[name] = backend.rows_of_columns(index, name, columns)
    wanted = {name: set(rows.tolist()) for name, (_, rows) in pairs.items() if FIELDS[name].encoding == "text"}
    known = translation.values_of(index, wanted)
    texts: dict[str, list[tuple[int, str]]] = {}
    for name, (found, rows) in pairs.items():
        one = FIELDS[name]
        if one.encoding == "text":
            text = {row: text_of(value) for row, value in known[name].items()}
        else:
            text = {row: row_text(one, row) for row in set(rows.tolist())}
        texts[name] = [(column, text[row]) for column, row in zip(found.tolist(), rows.tolist(), strict=True) if row in text]
    return texts
