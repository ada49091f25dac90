"""The slow and obvious engine: every call of Pilosa 1.4.1 over dicts and sets, with the right answer where Pilosa's is wrong.

It answers in Pilosa's JSON (as Python objects). What Pilosa gives per shard (Shift, TopN's threshold) it gives per shard too.
Only for tests: it holds the real engines, and a real Pilosa, against each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

from indexing.calls import Call
from tests.differential import naive_time
from tests.differential.naive_data import SHARD, Field, Index, Rows, Unsaid
from tests.differential.naive_writes import write

Bitmap = dict[int, set[int]]  # by shard: what Shift pushes over a shard's end stays in it


@dataclass
class Asked:
    """What a request, or an Options() call, asks for besides its calls."""

    shards: Sequence[int] | None = None
    column_attrs: bool = False
    exclude_row_attrs: bool = False
    exclude_columns: bool = False


class Naive:
    """One index. carries: what Shift pushes over a shard's end goes to the next one, as in the embedded engine."""

    def __init__(self, index: Index, carries: bool = False) -> None:
        self.index, self.carries = index, carries
        self.asked = Asked()

    def answer(self, calls: Iterable[Call], asked: Asked | None = None) -> dict[str, Any]:
        """The whole response. Writes of calls before one that is an error stay. Raises Unsaid."""
        request = replace(asked or Asked())
        results, columns = [], set()
        for call in calls:
            self.asked = request
            results.append(self.result(call))
            request.column_attrs = request.column_attrs or self.asked.column_attrs
            if call.name in ("Row", "Union", "Intersect", "Difference", "Xor", "Not", "Shift", "Options"):
                columns.update(self.seen)
        answer: dict[str, Any] = {"results": results}
        if request.column_attrs and (with_attrs := sorted(c for c in columns if self.index.column_attrs.get(c))):
            answer["columnAttrs"] = [self._column(c) | {"attrs": dict(self.index.column_attrs[c])} for c in with_attrs]
        return answer

    def result(self, call: Call) -> Any:
        """The result of one call."""
        self.seen: set[int] = set()
        name, args = call.name, call.args
        if name == "Options":
            return self._options(call)
        if name in ("Set", "Clear", "ClearRow", "Store", "SetRowAttrs", "SetColumnAttrs"):
            source = flat(self.bitmap(call.children[0])) if name == "Store" and len(call.children) == 1 else None
            return write(self.index, call, source)
        if name == "Count":
            return sum(map(len, self.bitmap(only(call.children)).values()))
        if name in ("Sum", "Min", "Max"):
            return self._value(name, args.get("field"), call.children)
        if name in ("MinRow", "MaxRow"):
            return self._end_row(name, args.get("field"), call.children)
        if name == "TopN":
            return self._topn(call)
        if name == "Rows":
            return self._rows_result(args.get("field"), self.rows(args))
        if name == "GroupBy":
            return self._group_by(call)
        return self._row_result(call)

    # Bitmaps

    def bitmap(self, call: Call) -> Bitmap:
        name, children = call.name, call.children
        if name == "Row":
            return self._row(call.args)
        if name == "Options":
            raise Unsaid("Options inside")
        inputs = [self.bitmap(child) for child in children]
        if name == "Union":
            return combine(inputs, set.union)
        if name == "Xor":
            return combine(inputs, set.symmetric_difference)
        if name == "Intersect" and inputs:
            return combine(inputs, set.intersection)
        if name == "Difference" and inputs:
            return combine(inputs, set.difference)
        if name == "Not":
            if not self.index.options.get("trackExistence", True):
                raise Unsaid("no existence")
            return combine([self._split(self.index.exists), only(inputs)], set.difference)
        if name == "Shift":
            n = number(call.args, "n", 0)
            moved = {shard: {column + n for column in columns} for shard, columns in only(inputs).items()}
            return self._split(flat(moved)) if self.carries else moved
        raise Unsaid(name)

    def _row(self, args: dict[str, Any]) -> Bitmap:
        if "extra" in args:
            raise Unsaid("two fields")
        if "condition" in args:
            name, condition = args["condition"]
            return self._split(self._compared(self.index.field(name), condition.op, condition.value))
        if "row" not in args:
            raise Unsaid("no field")
        into = self.index.field(args["row"].field)
        if type(args["row"].row) is int and args["row"].row < 0:
            raise Unsaid("negative")
        row = self.index.row(args["row"].field, args["row"].row)
        if row is None or into.type == "int":
            return {}
        if "from" not in args and "to" not in args:
            return self._split(into.standard.get(row, ()))
        if into.type != "time":
            return {}
        start = _time(args.get("from", "0001-01-01T00:00"))
        end = _time(args["to"]) if "to" in args else datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1)
        views = naive_time.views_between(start, end, into.quantum)
        return self._split(set().union(*(into.views[name].get(row, ()) for name in views if name in into.views)))

    def _compared(self, into: Field, op: str, against: Any) -> set[int]:
        if into.type != "int":
            raise Unsaid("no int field")
        if against is None and op == "!=":
            return set(into.values)
        if op == "><":
            if not isinstance(against, list) or len(against) != 2 or not all(type(bound) is int for bound in against):
                raise Unsaid("between")
            return {c for c, v in into.values.items() if against[0] <= v <= against[1]}
        if type(against) is not int:
            raise Unsaid("comparison")
        return {
            "<": lambda: {c for c, v in into.values.items() if v < against},
            "<=": lambda: {c for c, v in into.values.items() if v <= against},
            "==": lambda: {c for c, v in into.values.items() if v == against},
            "!=": lambda: {c for c, v in into.values.items() if v != against},
            ">": lambda: {c for c, v in into.values.items() if v > against},
            ">=": lambda: {c for c, v in into.values.items() if v >= against},
        }[op]()

    def _split(self, columns: Iterable[int]) -> Bitmap:
        """By shard, of the shards that are asked for."""
        found: Bitmap = defaultdict(set)
        for column in columns:
            found[column // SHARD].add(column)
        if self.asked.shards is not None:
            return {shard: some for shard, some in found.items() if shard in self.asked.shards}
        return dict(found)

    def _row_result(self, call: Call) -> dict[str, Any]:
        columns = sorted(column for some in self.bitmap(call).values() for column in some)
        self.seen = set(columns)
        attrs: dict[str, Any] = {}
        if call.name == "Row" and "row" in call.args and not self.asked.exclude_row_attrs:
            row = self.index.row(call.args["row"].field, call.args["row"].row)
            attrs = dict(self.index.fields[call.args["row"].field].attrs.get(row, {})) if row is not None else {}
        if self.asked.exclude_columns:
            self.seen, columns = set(), []
        if not self.index.keys:
            return {"attrs": attrs, "columns": columns}
        keys = [self.index.names.keys.get(column, "") for column in columns]
        return {"attrs": attrs, "columns": []} | ({"keys": keys} if keys else {})

    def _column(self, column: int) -> dict[str, Any]:
        return {"key": self.index.names.keys[column]} if self.index.keys else {"id": column}

    def _options(self, call: Call) -> Any:
        args = call.args
        flags = {"columnAttrs": "column_attrs", "excludeRowAttrs": "exclude_row_attrs", "excludeColumns": "exclude_columns"}
        asked = replace(self.asked)
        for written, name in flags.items():
            if written in args:
                if not isinstance(args[written], bool):
                    raise Unsaid(written)
                setattr(asked, name, args[written])
        if "shards" in args:
            if not isinstance(args["shards"], list) or not all(type(shard) is int for shard in args["shards"]):
                raise Unsaid("shards")
            asked.shards = args["shards"]
        self.asked = asked
        return self.result(only(call.children))

    # Int fields

    def _value(self, name: str, field: Any, children: list[Call]) -> dict[str, int]:
        under = self._under(children)
        into = self.index.fields.get(field)
        if into is not None and into.type == "bool":
            raise Unsaid("bool")
        if into is None or into.type != "int":
            return {"value": 0, "count": 0}
        held = self._split(into.values)
        if under is not None:
            held = combine([held, under], set.intersection)
        values = [into.values[column] for column in flat(held)]
        if not values:
            return {"value": 0, "count": 0}
        if name == "Sum":
            return {"value": (sum(values) + (1 << 63)) % (1 << 64) - (1 << 63), "count": len(values)}
        end = min(values) if name == "Min" else max(values)
        return {"value": end, "count": values.count(end)}

    def _under(self, children: list[Call]) -> Bitmap | None:
        return self.bitmap(only(children)) if children else None

    # Rows

    def _counts(self, rows: Rows, under: Bitmap | None) -> dict[int, dict[int, int]]:
        """{row: {shard: count}} of rows that have anything."""
        counts: dict[int, dict[int, int]] = {}
        for row, columns in rows.items():
            split = self._split(columns)
            if under is not None:
                split = combine([split, under], set.intersection)
            if some := {shard: len(of) for shard, of in split.items() if of}:
                counts[row] = some
        return counts

    def _end_row(self, name: str, field: Any, children: list[Call]) -> dict[str, Any]:
        into = self.index.field(field)
        if into.type in ("int", "bool"):
            raise Unsaid("no rows")
        under = self._under(children)
        counts = self._counts(into.standard, under)
        if not counts:
            return {"id": 0, "count": 0}
        row = min(counts) if name == "MinRow" else max(counts)
        count = sum(counts[row].values()) if under is not None else 1
        return {"id": row} | ({"key": into.names.keys[row]} if into.keys else {}) | {"count": count}

    def _topn(self, call: Call) -> list[dict[str, Any]]:
        args = call.args
        into = self.index.field(args.get("field"))
        if into.type not in ("set", "mutex") or into.options.get("cacheType") == "none" or "tanimotoThreshold" in args:
            raise Unsaid("no TopN")
        n, least, ids = number(args, "n", 0), number(args, "threshold", 0), args.get("ids")
        if ids is not None and not isinstance(ids, list):
            raise Unsaid("ids")
        under = self._under(call.children)
        totals: dict[int, int] = {}
        chosen = None if not ids else [self.index.row(str(args["field"]), one) for one in ids]
        for row, shards in self._counts(into.standard, under).items():
            if chosen is not None and row not in chosen:
                continue
            if "attrName" in args and into.attrs.get(row, {}).get(args["attrName"]) not in args.get("attrValues", ()):
                continue
            if total := sum(count for count in shards.values() if count >= least):
                totals[row] = total
        ordered = sorted(totals.items(), key=lambda pair: (-pair[1], pair[0]))
        if n and not chosen:
            ordered = ordered[:n]
        if into.keys:
            return [{"id": 0, "key": into.names.keys[row], "count": count} for row, count in ordered]
        return [{"id": row, "count": count} for row, count in ordered]

    def rows(self, args: dict[str, Any]) -> list[int]:
        """Row ids of Rows(), ascending."""
        into = self.index.field(args.get("field"))
        if into.type == "bool" and not isinstance(args.get("previous"), bool):
            raise Unsaid("bool")
        views = [into.standard] if not into.options.get("noStandardView") else []
        if into.type == "time" and (not views or "from" in args or "to" in args):
            views = self._views(into, args)
        rows = {row for view in views for row, columns in view.items() if any(self._split(columns).values())}
        if "column" in args:
            column = self.index.column(args["column"])
            rows = {row for row in rows if any(column in view.get(row, ()) for view in views)}
        if "previous" in args:
            previous = self.index.row(str(args["field"]), args["previous"])
            if previous is None:
                return []
            rows = {row for row in rows if row > previous}
        return sorted(rows)[: number(args, "limit", None)]

    def _views(self, into: Field, args: dict[str, Any]) -> list[Rows]:
        coarse = sorted(name for name in into.views if len(name) == {"Y": 4, "M": 6, "D": 8, "H": 10}[into.quantum[0]])
        if not coarse:
            return []
        start, end = naive_time.begin_of(coarse[0]), naive_time.end_of(coarse[-1])
        start = max(start, _time(args["from"])) if "from" in args else start
        end = min(end, _time(args["to"])) if "to" in args else end
        return [into.views[name] for name in naive_time.views_between(start, end, into.quantum) if name in into.views]

    def _rows_result(self, name: Any, rows: list[int]) -> dict[str, Any]:
        into = self.index.field(name)
        if not into.keys:
            return {"rows": rows}
        return {"rows": None} | ({"keys": [into.names.keys[row] for row in rows]} if rows else {})

    def _group_by(self, call: Call) -> list[dict[str, Any]]:
        if not call.children or any(child.name != "Rows" for child in call.children):
            raise Unsaid("no Rows")
        filter_call = call.args.get("filter")
        under = self.bitmap(filter_call) if filter_call is not None else None
        fields = [str(child.args.get("field")) for child in call.children]
        allowed = []
        for child in call.children:
            # Times are ignored
            args = {key: value for key, value in child.args.items() if key not in ("from", "to")}
            if "limit" not in args and "column" not in args:
                args.pop("previous", None)
            allowed.append(self.rows(args))
        begin = self._begin(call, fields, allowed)
        groups = []
        for rows in product(*allowed):
            if begin is None or rows[: len(begin)] < begin:
                continue
            inputs = [self._split(self.index.fields[name].standard.get(row, ())) for name, row in zip(fields, rows, strict=True)]
            both = combine(inputs + ([under] if under is not None else []), set.intersection)
            if count := sum(map(len, both.values())):
                groups.append(
                    {"group": [self._member(name, row) for name, row in zip(fields, rows, strict=True)], "count": count}
                )
        limit, offset = number(call.args, "limit", None), number(call.args, "offset", 0)
        groups = groups[:limit]
        return groups[offset:] if offset < len(groups) else groups

    def _begin(self, call: Call, fields: list[str], allowed: list[list[int]]) -> tuple[float, ...] | None:
        """`previous` is a place in the order of groups: the first rows of the first group. None: there is no group.

        The last child goes on after it, the others begin with it; behind one that does not have it, the others' is ignored."""
        begin: list[float] = []
        for at, (child, rows) in enumerate(zip(call.children, allowed, strict=True)):
            if "previous" not in child.args:
                begin.append(min(rows, default=float("inf")))
                continue
            previous = self.index.row(fields[at], child.args["previous"])
            if previous is None:
                return None
            wanted = previous + (at == len(fields) - 1)
            begin.append(min((row for row in rows if row >= wanted), default=float("inf")))
            if begin[-1] != wanted:
                break
        return tuple(begin)

    def _member(self, name: str, row: int) -> dict[str, Any]:
        into = self.index.fields[name]
        return {"field": name} | ({"rowKey": into.names.keys[row]} if into.keys else {"rowID": row})


def combine(inputs: Sequence[Bitmap], how: Any) -> Bitmap:
    """Set by set in each shard, from the first on."""
    if not inputs:
        return {}
    shards = set().union(*inputs)
    out: Bitmap = {}
    for shard in shards:
        first, *others = (one.get(shard, set()) for one in inputs)
        for other in others:
            first = how(first, other)
        out[shard] = first
    return out


def flat(bitmap: Bitmap) -> set[int]:
    return set().union(*bitmap.values())


def only(items: Sequence[Any]) -> Any:
    if len(items) != 1:
        raise Unsaid("one input")
    return items[0]


def number(args: dict[str, Any], name: str, otherwise: Any) -> Any:
    """An argument that must be an unsigned integer, if it is there. Raises Unsaid."""
    if name in args and (type(args[name]) is not int or args[name] < 0):
        raise Unsaid(name)
    return args.get(name, otherwise)


def _time(given: Any) -> datetime:
    try:
        return naive_time.parse(given)
    except (ValueError, TypeError, OSError):
        raise Unsaid("time") from None
