"""One answer from the answers of several indexes that share out the columns of one.

`divided(call)` says what each part is to be asked, and makes of the answers what one index with all the columns would answer.
Union, Intersect, Difference, Xor and Not commute with a division of the columns. What does not is asked for more widely and cut
here (the n of TopN, the limits of GroupBy), or refused, where no question to the parts gives the right answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from indexing.backends.tally import Tally, top
from indexing.calls import (
    Call,
    CountResult,
    GroupCount,
    GroupCountsResult,
    Pair,
    PairsResult,
    QueryError,
    Result,
    RowResult,
    RowsResult,
    ValCountResult,
    postorder,
)

# One list of results for each call that is asked, one result for each part; the first part is the index itself.
Merge = Callable[[Sequence[Sequence[Result]]], Result]
_WHY = "is not answered while packets of turning captures are in the index: they are spread over several indexes of Pilosa"


@dataclass
class Divided:
    """What to ask every part instead of a call, and what to make of the answers. refused: why that would not be right."""

    asked: list[Call]
    merge: Merge
    refused: QueryError | None = None

    def result(self, answers: Sequence[Sequence[Result]]) -> Result:
        """The answer to the call. answers: one list for each of `asked`, of one result for each part. Raises QueryError."""
        if self.refused is not None and answers and len(answers[0]) > 1:
            raise self.refused
        return self.merge(answers)


def divided(call: Call) -> Divided:
    """How a checked call is answered by parts."""
    return _DIVIDERS.get(call.name, _bitmap)(call)


def _refusal(call: Call, what: str) -> QueryError:
    return QueryError(f"{what} {_WHY}", call.position)


def _shifts(call: Call | None) -> bool:
    """Whether a bitmap call moves columns: from there on a column may belong with those of another part."""
    return call is not None and any(node.name == "Shift" and node.args.get("n") for node in postorder(call))


def _below_shifts(call: Call) -> Call:
    """Shifts that nothing is done with afterwards may be done by the parts: they have no column in common."""
    while call.name == "Shift" and len(call.children) == 1:
        call = call.children[0]
    return call


def _bitmap(call: Call) -> Divided:
    return Divided([call], _rows_of_bits, _refusal(call, "Shift() within another call") if _shifts(_below_shifts(call)) else None)


def _rows_of_bits(answers: Sequence[Sequence[Result]]) -> Result:
    found = [result for result in answers[0] if isinstance(result, RowResult)]
    columns = np.concatenate([np.asarray(result.columns, np.uint64) for result in found])
    if np.any(columns[1:] < columns[:-1]):
        columns = np.sort(columns, kind="stable")  # runs that are in order already: merged, not sorted
    return RowResult(columns, found[0].attrs)


def _count(call: Call) -> Divided:
    refused = _refusal(call, "Shift() within another call") if _shifts(_below_shifts(call.children[0])) else None
    return Divided([call], _sum_of_counts, refused)


def _sum_of_counts(answers: Sequence[Sequence[Result]]) -> Result:
    return CountResult(sum(one.count for one in answers[0] if isinstance(one, CountResult)))


def _under_shift(call: Call) -> QueryError | None:
    """A filter is intersected with rows: it may not shift at all."""
    return _refusal(call, f"{call.name}() of shifted columns") if any(map(_shifts, call.children)) else None


def _value(call: Call) -> Divided:
    def merge(answers: Sequence[Sequence[Result]]) -> Result:
        found = [one for one in answers[0] if isinstance(one, ValCountResult) and one.count]
        if not found:
            return ValCountResult(0, 0)
        if call.name == "Sum":
            return ValCountResult(sum(one.value for one in found), sum(one.count for one in found))
        value = (min if call.name == "Min" else max)(one.value for one in found)
        return ValCountResult(value, sum(one.count for one in found if one.value == value))

    return Divided([call], merge, _under_shift(call))


def _topn(call: Call) -> Divided:
    # The parts are asked for all rows: one that leads in none of them may still lead in sum.
    asked = replace(call, args={name: value for name, value in call.args.items() if name not in ("n", "threshold")})

    def merge(answers: Sequence[Sequence[Result]]) -> Result:
        found = [one for one in answers[0] if isinstance(one, PairsResult)]
        tally = Tally()
        for one in found:
            rows = np.fromiter((pair.id for pair in one.pairs), np.uint64, len(one.pairs))
            tally.add([rows], np.fromiter((pair.count for pair in one.pairs), np.int64, len(one.pairs)))
        (rows,), counts = tally.result()
        n = 0 if call.args.get("ids") else call.args.get("n") or 0
        rows, counts = top(rows, counts, n, call.args.get("threshold") or 0)
        pairs = [Pair(row, count) for row, count in zip(rows.tolist(), counts.tolist(), strict=True)]
        return PairsResult(pairs, found[0].field, all(one.exact for one in found))

    refused = _under_shift(call)
    if call.args.get("attrName") and call.args.get("attrValues"):  # rows have their attributes in the index itself only
        refused = _refusal(call, "TopN() by attributes")
    return Divided([asked], merge, refused)


def _extreme_row(call: Call) -> Divided:
    def merge(answers: Sequence[Sequence[Result]]) -> Result:
        results = [one for one in answers[0] if isinstance(one, PairsResult)]
        found = [pair for one in results for pair in one.pairs if pair.count]
        if not found:
            return results[0]
        row = (min if call.name == "MinRow" else max)(pair.id for pair in found)
        count = sum(pair.count for pair in found if pair.id == row)
        return PairsResult([Pair(row, count if call.children else 1)], results[0].field)

    return Divided([call], merge, _under_shift(call))


def _rows(call: Call) -> Divided:
    """The first rows of all are among the first rows of each."""

    def merge(answers: Sequence[Sequence[Result]]) -> Result:
        found = [one for one in answers[0] if isinstance(one, RowsResult)]
        ids = sorted({row for one in found for row in one.ids})
        limit = call.args.get("limit")
        return RowsResult(ids if limit is None else ids[:limit], found[0].field)

    return Divided([call], merge)


def _group_by(call: Call) -> Divided:
    """A child's `limit` and `column` choose rows of all parts: they are asked apart, and the groups chosen here.

    A child's `previous` says behind which group to begin, which the parts can do, unless an earlier child says nothing: then it
    would depend on the first row that a part has."""
    only = [i for i, child in enumerate(call.children) if any(child.args.get(name) is not None for name in ("limit", "column"))]
    children = [
        replace(child, args={name: value for name, value in child.args.items() if name not in ("limit", "column")})
        for child in call.children
    ]
    dropped = ("limit", "offset") if only else ("offset",)
    args = {name: value for name, value in call.args.items() if name not in dropped}
    asked = [replace(call, children=children, args=args), *(call.children[i] for i in only)]

    def merge(answers: Sequence[Sequence[Result]]) -> Result:
        groups = _sum_of_groups([one.groups for one in answers[0] if isinstance(one, GroupCountsResult)])
        for i, more in zip(only, answers[1:], strict=True):
            chosen = _rows(call.children[i]).merge([more])
            ids = set(chosen.ids) if isinstance(chosen, RowsResult) else set()
            groups = [group for group in groups if group.group[i][1] in ids]
        limit, offset = call.args.get("limit"), call.args.get("offset") or 0
        groups = groups if limit is None else groups[:limit]
        return GroupCountsResult(groups[offset:] if offset < len(groups) else groups)  # as Pilosa: an offset beyond is ignored

    refused = _refusal(call, "GroupBy() of shifted columns") if _shifts(call.args.get("filter")) else None
    given = [child.args.get("previous") is not None for child in call.children]
    if given != sorted(given, reverse=True):
        refused = _refusal(call, "GroupBy() with `previous` of a later Rows() and not of an earlier one")
    return Divided(asked, merge, refused)


def _sum_of_groups(parts: Sequence[list[GroupCount]]) -> list[GroupCount]:
    """Equal groups become one, in the order of their rows."""
    found: dict[tuple[int, ...], GroupCount] = {}
    for groups in parts:
        for group in groups:
            key = tuple(row for _, row, _ in group.group)
            before = found.get(key)
            found[key] = group if before is None else GroupCount(group.group, before.count + group.count)
    return [found[key] for key in sorted(found)]


def _options(call: Call) -> Divided:
    inner = divided(call.children[0])
    return Divided([replace(call, children=[asked]) for asked in inner.asked], inner.merge, inner.refused)


_DIVIDERS: dict[str, Callable[[Call], Divided]] = {
    "Count": _count,
    "Sum": _value,
    "Min": _value,
    "Max": _value,
    "TopN": _topn,
    "MinRow": _extreme_row,
    "MaxRow": _extreme_row,
    "Rows": _rows,
    "GroupBy": _group_by,
    "Options": _options,
}
