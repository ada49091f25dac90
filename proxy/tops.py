"""Top and rare values of a field under any query, and how many values and packets every field has."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

import numpy as np
from django.conf import settings
from django.db.models import Count, Max, Sum

from capture import sight
from capture.packets.fields import Field
from capture.packets.registry import FIELDS
from capture.packets.values import bytes_of
from indexing.calls import Call, Condition, CountResult, PairsResult, RowRef
from indexing.models import Batch, BatchState
from indexing.predicates import Contains, InNetwork, OneOf, Or, Predicate, StartsWith
from people import who
from proxy.analysis.asked import Asked
from proxy.analysis.counter import I64, U64, RowCounts, counter_of, largest, smallest, within_of
from proxy.analysis.values import named
from proxy.ask import ask_rows
from proxy.translator import TableTranslator


@dataclass
class Top:
    """Values of a field by packets, bytes, or values of another field. distinct: how many values there are in all."""

    field: str
    distinct: int
    exact: bool
    values: list[dict[str, Any]]

    def as_json(self) -> dict[str, Any]:
        return {"field": self.field, "distinct": self.distinct, "exact": self.exact, "values": self.values}


@dataclass(frozen=True)
class Metric:
    """What values are ranked by: "packets", "bytes", or how many values of the field `of` their packets have ("distinct")."""

    by: str = "packets"
    of: str = ""


# Of so many values at most the bytes are given beside their packets where each is a question of its own (Pilosa).
MOST_BYTES_BESIDE = 1000


def top(
    index: str,
    call: Call | None,
    field: str,
    n: int,
    *,
    rare: bool = False,
    prefix: str = "",
    find: str = "",
    metric: Metric = Metric(),
    with_bytes: bool = False,
) -> Top:
    """The `n` first (or last) values of a set field among the packets of a bitmap call in values; None: all packets.

    prefix: values whose text begins so; find: that have this in them (see `sought`). with_bytes: bytes are given whatever the
    metric is, unless that were too many questions. Raises QueryError, LimitExceeded."""
    within = within_of(index, call)
    looks: list[Predicate] = [StartsWith(bytes_of(prefix))] if prefix else []
    looks += [sought(FIELDS[field], find)] if find else []
    allowed = [TableTranslator(index).matching(FIELDS[field], look).rows for look in looks]
    extra: I64 | None = None
    with counter_of(index) as counter:
        weigh = metric.by == "bytes" or with_bytes
        (found,) = counter.tallies([field], within, weigh=weigh and counter.sums_are_free)
        for rows in allowed:
            found = found.kept(np.isin(found.rows, np.asarray(rows, np.uint64)))
        distinct = int(found.rows.size)
        pick = smallest if rare else largest
        if metric.by == "bytes":
            if found.sums is None:
                assert isinstance(counter, Asked)
                found = counter.tops_by_bytes(field, found, n, rare, within)
            else:
                found = found.kept(pick(found.sums, found.rows, n))
        elif metric.by == "distinct":
            numbers = _aligned(counter.distinct(field, metric.of, within), found.rows)
            chosen = pick(numbers, found.rows, n)
            found, extra = found.kept(chosen), numbers[chosen]
        else:
            found = found.kept(pick(found.counts, found.rows, n))
        sums = found.sums
        if weigh and sums is None and found.rows.size <= MOST_BYTES_BESIDE:
            sums = counter.sums(field, found.rows, within)
    names = named(index, {field: found.rows})[field]
    values = []
    for i, (row, count) in enumerate(zip(found.rows.tolist(), found.counts.tolist(), strict=True)):
        one: dict[str, Any] = {**names[row], "count": count}
        if weigh:
            one["bytes"] = None if sums is None else int(sums[i])
        if extra is not None:
            one["distinct"] = int(extra[i])
        values.append(one)
    return Top(field, distinct, found.exact, values)


def sought(field: Field, text: str) -> Predicate:
    """What a search for a text means: values that have it in them, in either case; addresses of a network that it is; numbers
    whose name has it in it."""
    text = text.strip()
    if field.encoding == "text" and "/" in text:
        try:
            return InNetwork(str(ip_network(text, strict=False)))
        except ValueError:
            pass  # a path, or a type of content
    within: Predicate = Contains(bytes_of(text), ignore_case=True)
    folded = text.casefold()
    numbers = [number for number, label in field.labels.items() if folded in label.casefold()]
    if not numbers:
        return within
    return Or((within, OneOf(frozenset(b"%d" % number for number in numbers))))


def _aligned(found: RowCounts, rows: U64) -> I64:
    """The counts of rows (r,), 0 where there is none."""
    out = np.zeros(rows.size, np.int64)
    if found.rows.size:
        at = np.minimum(np.searchsorted(found.rows, rows), found.rows.size - 1)
        here = found.rows[at] == rows
        out[here] = found.counts[at[here]]
    return out


# Past so many values, the packets that have a field are not counted: it would be a union of all its rows.
MOST_ROWS = 5000


Figures = dict[str, tuple[int | None, int | None]]
_known: dict[tuple[str, str], tuple[object, Figures]] = {}


def field_figures(index: str) -> Figures:
    """By field: how many values it has now, and how many packets have it; None: not counted (an int's values, or too many).

    Counted anew only when batches came or went: with many values it takes seconds.
    """
    if sight.is_bounded():
        # What one person sees is kept for nobody else.
        known = who.current().known
        if ("figures", index) not in known:
            known["figures", index] = _count_fields(index)
        found: Figures = known["figures", index]
        return found
    visible = Batch.objects.filter(index__name=index, state=BatchState.VISIBLE)
    state = visible.aggregate(n=Count("pk"), last=Max("pk"), sum=Sum("first_column"), bits=Sum("attempt"))
    place = (settings.INDEX_URL, index)
    if place not in _known or _known[place][0] != state:
        _known[place] = (state, _count_fields(index))
    return _known[place][1]


def _count_fields(index: str) -> Figures:
    names = [one.name for one in FIELDS.values() if one.kind == "set"]
    figures: Figures = {}
    having: dict[str, Call] = {}
    for name, found in zip(names, ask_rows(index, [Call("TopN", args={"field": name}) for name in names]), strict=True):
        assert isinstance(found, PairsResult)
        rows = [pair.id for pair in found.pairs if pair.count]
        figures[name] = (len(rows), None)
        if len(rows) <= MOST_ROWS:
            having[name] = Call("Union", [Call("Row", args={"row": RowRef(name, row)}) for row in rows])
    for one in FIELDS.values():
        if one.kind == "int":
            figures[one.name] = (None, None)
            having[one.name] = Call("Row", args={"condition": (one.name, Condition("!=", None))})
    counts = ask_rows(index, [Call("Count", [call]) for call in having.values()])
    for name, count in zip(having, counts, strict=True):
        assert isinstance(count, CountResult)
        figures[name] = (figures[name][0], count.count)
    return figures
