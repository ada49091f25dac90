"""The mask: reads of a packet index see only the columns of `access` (live, whole, permitted).

A masked call answers what the call would answer if only the masked columns existed. Union, Intersect, Difference and Xor
commute with the restriction to a set, so one intersection at the top is enough; Not(x) becomes mask - x and needs none.
Shift does not commute: its input is restricted, and its output again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from indexing.calls import Call, GroupCountsResult, PairsResult, Result, RowRef, RowsResult, postorder

Finish = Callable[[Sequence[Result]], Result]


@dataclass
class Masked:
    """What to ask the backend instead (`calls`), and how its answers become those of the original calls (`results`)."""

    calls: list[Call]
    parts: list[tuple[int, Finish]]  # how many of `calls` belong to each original call, and what to make of their answers

    def results(self, answers: Sequence[Result]) -> list[Result]:
        """One result for each original call, of the type that it has without a mask."""
        if len(answers) != len(self.calls):
            raise ValueError(f"{len(answers)} answers to {len(self.calls)} calls")
        out, at = [], 0
        for count, finish in self.parts:
            out.append(finish(answers[at : at + count]))
            at += count
        return out


def mask(calls: Sequence[Call], access: Call) -> Masked:
    """The calls (rows are ids already: `access` itself is never translated) as seen through `access`.

    access: a bitmap call over rows of set fields, such as Row(access=0), or its intersection with a union of `job` rows.
    Most calls stay one call. Rows becomes GroupBy (its own limit would count hidden rows). Where `column=` is given, the
    rows of that column in the mask's own fields are asked too: a hidden column has none. Writes are left as they are.
    """
    masked = Masked([], [])
    for call in calls:
        asked, finish = _masked(call, access)
        masked.calls.extend(asked)
        masked.parts.append((len(asked), finish))
    return masked


def restrict(call: Call, access: Call) -> Call:
    """A bitmap call restricted to the columns of `access`."""
    made: list[tuple[Call, bool]] = []  # a call, and whether it is within the mask already
    for node in postorder(call):
        count = len(node.children)
        below = made[len(made) - count :] if count else []
        if count:
            del made[len(made) - count :]
        made.append(_restricted(node, below, access))
    return _bound(*made[0], access)


def _restricted(node: Call, below: list[tuple[Call, bool]], access: Call) -> tuple[Call, bool]:
    inside = [within for _, within in below]
    copy = replace(node, children=[child for child, _ in below])
    if node.name == "Not" and len(below) == 1:
        return Call("Difference", [access, below[0][0]], legacy=node.legacy, position=node.position), True
    if node.name == "Shift":
        copy.children = [_bound(child, within, access) for child, within in below]
        return copy, False
    if node.name in ("Union", "Xor"):
        return copy, all(inside)
    if node.name == "Intersect":
        return copy, any(inside)
    if node.name == "Difference":
        return copy, bool(inside) and inside[0]
    return copy, False


def _bound(call: Call, within: bool, access: Call) -> Call:
    if within:
        return call
    # Into the intersection that is there, except an empty one, which is an error and must stay one
    if call.name == "Intersect" and call.children:
        return replace(call, children=[*call.children, access])
    return Call("Intersect", [call, access], legacy=call.legacy, position=call.position)


def _only(answers: Sequence[Result]) -> Result:
    return answers[0]


def _masked(call: Call, access: Call) -> tuple[list[Call], Finish]:
    if call.name == "Options":
        return _options(call, access)
    if call.name == "Count":
        return [replace(call, children=[restrict(child, access) for child in call.children])], _only
    if call.name in ("Sum", "Min", "Max", "TopN"):
        return [_filtered(call, access)], _only
    if call.name in ("MinRow", "MaxRow"):
        # Without a filter Pilosa says 1 for the count of the row that it found
        return [_filtered(call, access)], _only if call.children else _one
    if call.name == "Rows":
        return _rows(call, access)
    if call.name == "GroupBy":
        return _group_by(call, access)
    if call.name in ("Set", "Clear", "ClearRow", "Store", "SetRowAttrs", "SetColumnAttrs"):
        return [call], _only
    return [restrict(call, access)], _only


def _filtered(call: Call, access: Call) -> Call:
    """A call whose child is its filter: it gets the mask for one, or its filter restricted."""
    if call.children:
        return replace(call, children=[restrict(child, access) for child in call.children])
    # Without a filter there was nothing to be similar to, and Pilosa ignored the threshold
    args = {name: value for name, value in call.args.items() if name != "tanimotoThreshold"}
    return replace(call, children=[access], args=args)


def _one(answers: Sequence[Result]) -> Result:
    result = answers[0]
    if isinstance(result, PairsResult):
        for pair in result.pairs:
            pair.count = min(pair.count, 1)
    return result


def _options(call: Call, access: Call) -> tuple[list[Call], Finish]:
    if len(call.children) != 1:
        return [call], _only  # an error, which is the backend's to word
    asked, finish = _masked(call.children[0], access)
    return [replace(call, children=[each]) for each in asked], finish


def _rows(call: Call, access: Call) -> tuple[list[Call], Finish]:
    field = call.args.get("field")
    if field is None:
        return [call], _only
    child = replace(call, args={name: value for name, value in call.args.items() if name not in ("limit", "filter")})
    args = {"filter": access}
    if call.args.get("limit") is not None:
        args["limit"] = call.args["limit"]
    asked = [Call("GroupBy", [child], args, call.legacy, call.position)]
    seen = _Column.of(call, access)
    asked += seen.calls if seen else []

    def finish(answers: Sequence[Result]) -> Result:
        groups = answers[0]
        if not isinstance(groups, GroupCountsResult) or (seen and not seen.visible(answers[1:])):
            return RowsResult([], field)
        return RowsResult([group.group[0][1] for group in groups.groups], field)

    return asked, finish


def _group_by(call: Call, access: Call) -> tuple[list[Call], Finish]:
    only = call.args.get("filter")
    args = {**call.args, "filter": access if only is None else restrict(only, access)}
    if any(child.name != "Rows" or child.args.get("field") is None for child in call.children) or not call.children:
        return [replace(call, args=args)], _only  # an error, which is the backend's to word
    limited = [i for i, child in enumerate(call.children) if child.args.get("limit") is not None]
    children = [
        replace(child, args={name: value for name, value in child.args.items() if name != "limit"}) for child in call.children
    ]
    if limited:
        # Groups are cut afterwards: a child's limit counts rows, and must not count hidden ones
        args = {name: value for name, value in args.items() if name not in ("limit", "offset")}
    asked = [replace(call, children=children, args=args)]
    allowed: list[tuple[int, int, int, Finish]] = []  # child, first and last of its answers, what they become
    for i in limited:
        more, finish = _rows(call.children[i], access)
        allowed.append((i, len(asked), len(asked) + len(more), finish))
        asked += more
    columns = []
    for child in call.children:
        seen = _Column.of(child, access)
        if seen:
            columns.append((seen, len(asked)))
            asked += seen.calls

    def finish_groups(answers: Sequence[Result]) -> Result:
        result = answers[0]
        if not isinstance(result, GroupCountsResult):
            return result
        if not all(seen.visible(answers[at:]) for seen, at in columns):
            return GroupCountsResult([])
        groups = result.groups
        for i, first, last, finish in allowed:
            rows = finish(answers[first:last])
            ids = set(rows.ids) if isinstance(rows, RowsResult) else set()
            groups = [group for group in groups if group.group[i][1] in ids]
        if limited:
            limit, offset = call.args.get("limit"), call.args.get("offset") or 0
            groups = groups if limit is None else groups[:limit]
            groups = groups[offset:] if offset < len(groups) else groups  # an offset beyond the end is ignored, as in Pilosa
        return GroupCountsResult(groups)

    return asked, finish_groups


@dataclass
class _Column:
    """Whether a column is in the mask: PQL 1.4.1 cannot say that, so the rows it has in the mask's fields are asked."""

    access: Call
    fields: list[str]
    calls: list[Call]

    @classmethod
    def of(cls, call: Call, access: Call) -> _Column | None:
        """For the `column=` of a Rows call, None where there is none."""
        column = call.args.get("column")
        if column is None:
            return None
        fields = list(dict.fromkeys(_ref(leaf).field for leaf in postorder(access) if leaf.name == "Row"))
        return cls(access, fields, [Call("Rows", args={"field": field, "column": column}) for field in fields])

    def visible(self, answers: Sequence[Result]) -> bool:
        """answers: to `calls`, perhaps with others behind them."""
        rows = {
            field: set(answer.ids) if isinstance(answer, RowsResult) else set()
            for field, answer in zip(self.fields, answers, strict=False)
        }
        values: list[bool] = []
        for node in postorder(self.access):
            below = values[len(values) - len(node.children) :] if node.children else []
            del values[len(values) - len(node.children) :]
            values.append(_holds(node, below, rows))
        return values[0]


def _ref(leaf: Call) -> RowRef:
    ref = leaf.args.get("row")
    if not isinstance(ref, RowRef):
        raise ValueError("a mask is made of rows of set fields")
    return ref


def _holds(node: Call, below: list[bool], rows: dict[str, set[int]]) -> bool:
    if node.name == "Row":
        ref = _ref(node)
        return ref.row in rows[ref.field]
    if node.name == "Union":
        return any(below)
    if node.name == "Intersect":
        return all(below)
    if node.name == "Difference":
        return below[0] and not any(below[1:])
    raise ValueError(f"a mask is made of Row, Union, Intersect and Difference, not {node.name}")
