"""The chart of packets over time on the explore page: its question, and what leads to other times and other splits."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict

from capture.services.errors import Refused
from indexing.calls import Call
from proxy.analysis.counter import U64, counter_of, largest, within_of
from proxy.analysis.histogram import Histogram, histogram
from proxy.analysis.stretches import Stretch, stretches, width_for
from proxy.api.question import Question, set_field
from proxy.field_groups import grouped_sets
from proxy.links import Where
from proxy.moments import nanoseconds, written
from proxy.page_query import changed, pairs
from proxy.time_chart import TimeChart, time_chart

BINS = 120
VALUES = 5  # that are told apart by colour
SPLITS = ("transproto", "appproto", "netproto", "job")
LONGEST_QUERY = 400  # past so many characters of an address, bars are no links: it would stand on the page a hundred times
LAST_NS = 253402300799 * 1_000_000_000  # of the year 9999: later times cannot be written
SHOWN = "show"


def split_of(given: QueryDict) -> str:
    """The field that the chart is split by, "" for none. Raises Refused for what cannot be drawn."""
    if given.get("gaps", "") not in ("", SHOWN):
        raise Refused(f"gaps must be {SHOWN}, or left out, not {given['gaps']!r}", option="gaps")
    try:
        return set_field(given.get("by", "")) if given.get("by") else ""
    except Refused as error:
        raise Refused(error.detail, option="by") from None


def chart_context(given: QueryDict, question: Question, where: Where, by: str) -> dict[str, Any]:
    """What the part of the page about time shows. Raises QueryError."""
    chart = _chart(given, question, where, by)
    if chart is None:
        return {"chart": None}
    others = [(one.title, [(name, name == by) for name in one.names]) for one in grouped_sets()]
    return {
        "chart": chart,
        "splits": [(name, changed(given, by=name)) for name in ("", *SPLITS)],
        "split_form": pairs(given, "by"),
        "split_fields": others,
        "gaps_url": changed(given, gaps="" if given.get("gaps") else SHOWN) if chart.skipped or given.get("gaps") else "",
        **_moves(given),
    }


def _chart(given: QueryDict, question: Question, where: Where, by: str) -> TimeChart | None:
    low, high = nanoseconds(given.get("from", "")), nanoseconds(given.get("to", ""))
    last = None if high is None else high - 1
    gaps = given.get("gaps") == SHOWN
    found = histogram(question.index, question.call, bins=BINS, low=low, high=last, by=by if gaps else "", n=VALUES)
    parts: list[Stretch] = []
    if not gaps and found.whole.counts.size:
        parts = stretches(found, lambda one: histogram(question.index, _of(question, one), bins=BINS))
    if by and not gaps and not parts:
        found = histogram(question.index, question.call, bins=BINS, low=low, high=last, by=by, n=VALUES)
    drawn = _stretched(question, parts, by) if parts else [found]
    linked = len(changed(given)) <= LONGEST_QUERY

    def narrow(begin: str, end: str) -> str:
        return changed(given, **{"from": begin, "to": end}) if linked else ""

    return time_chart(drawn, found.whole.count, narrow, lambda value: where.narrow(by, value))


def _stretched(question: Question, parts: list[Stretch], by: str) -> list[Histogram]:
    """A histogram of each, all in bins of one width and split by the same values."""
    width, rows = width_for(parts, BINS), _best(question, by) if by else None
    return [
        histogram(question.index, _of(question, one), width=width, low=one.low, high=one.high, by=by, rows=rows) for one in parts
    ]


def _of(question: Question, one: Stretch) -> Call:
    within = Call("Time", args={"from": written(one.low), "to": written(one.high + 1)})
    return Call("Intersect", [question.call, within])


def _best(question: Question, by: str) -> U64:
    """The rows of a field with the most packets of all."""
    within = within_of(question.index, question.call)
    with counter_of(question.index) as counter:
        (found,) = counter.tallies([by], within)
    return found.rows[largest(found.counts, found.rows, VALUES)]


def _moves(given: QueryDict) -> dict[str, str]:
    """Pages of twice the time, and of the same time earlier and later; of none where all time is shown."""
    begin, end = nanoseconds(given.get("from", "")), nanoseconds(given.get("to", ""))
    if begin is None and end is None:
        return {}
    moves = {"all_time": changed(given, **{"from": "", "to": ""})}
    if begin is None or end is None or end <= begin:
        return moves
    span = end - begin

    def page(low: int, high: int) -> str:
        low, high = max(0, low), min(LAST_NS, high)
        return changed(given, **{"from": written(low), "to": written(high)}) if low < high else ""

    middle = (begin + end) // 2
    return moves | {
        "zoom_out": page(middle - span, middle + span),
        "zoom_in": page(middle - span // 4, middle + span // 4) if span >= 4000 else "",
        "earlier": page(begin - span, begin) if begin else "",
        "later": page(end, end + span),
    }
