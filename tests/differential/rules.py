"""Which difference between the product and a real Pilosa 1.4.1 is a documented one (docs/query-language.md)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from indexing.calls import Call, Condition, RowRef
from tests.differential.judging import PARSE_ERROR, ties_sorted, without_shard
from tests.differential.queries import KEYED, READ, WRITTEN

OVER_AN_END = "Shift over the end of a shard"
# All the names that a documented difference can have; docs/query-language.md says each.
RULES = (
    "order of TopN's equal counts",
    "TopN: rows just below n in every shard, and staleness",
    "comparisons of int fields",
    "Sum of a filter",
    "count of Min and Max",
    "MinRow and MaxRow",
    "what Clear of a time field says",
    "limit= in Rows of a time field",
    "an unknown field in Sum, Min and Max",
    "keys inside of Options",
    "shards below 0 in Options",
    "an unknown field in TopN inside of Options",
    "previous= in GroupBy",
    "unknown previous=",
    "keys in Rows(field=...)",
    "a wrong child of GroupBy, where the one before it has nothing",
    "TopN of a field without a cache, where nothing is left",
    "a timestamp in quotes in Set",
    "text outside of ASCII",
    "two fields in one call",
    "a call as the value of an argument",
    "where a parse error is said to be",
    "Pilosa falls over",
    "shard in an error",
    "Shift onto keys that were only asked for",
    OVER_AN_END,
    "which error of a damaged query is told",
)
OTHER_BYTES = "the same JSON in other bytes"


def same(one: bytes, other: bytes) -> str | None:
    """Why two answers of the same status are the same ("" if byte for byte); None: they are not."""
    if one == other:
        return ""
    try:
        a, b = json.loads(one), json.loads(other)
    except ValueError:
        return None
    if "error" in a and "error" in b:
        if a["error"].startswith(PARSE_ERROR) and b["error"].startswith(PARSE_ERROR):
            return "where a parse error is said to be"
        return "shard in an error" if without_shard(a["error"]) == without_shard(b["error"]) else None
    if "results" not in a or "results" not in b:
        return None
    if a == b:
        return OTHER_BYTES
    if ties_sorted(a) == ties_sorted(b):
        return "order of TopN's equal counts"
    return None


def excused(calls: Sequence[Call], index: str) -> list[str]:
    """The documented differences that a query can show: its answer is then the naive engine's, whatever Pilosa says."""
    found = []
    for node in _everything(calls):
        name, args = node.name, node.args
        if "condition" in args and isinstance(args["condition"][1], Condition) and _wrong(args["condition"][1]):
            found.append("comparisons of int fields")
        if name == "Sum" and node.children:
            found.append("Sum of a filter")
        if name in ("Min", "Max"):
            found.append("count of Min and Max")
        if name in ("MinRow", "MaxRow"):
            found.append("MinRow and MaxRow")
        if name == "TopN":
            found.append("TopN: rows just below n in every shard, and staleness")
        if name == "Clear" and _type(index, args) == "time":
            found.append("what Clear of a time field says")
        if name == "Rows" and "limit" in args and _views(index, args):
            found.append("limit= in Rows of a time field")
        if name == "Options" and any(child.name in ("TopN", "Rows", "MinRow", "MaxRow") for child in node.children):
            found.append("keys inside of Options")
        if name == "GroupBy" and any("previous" in child.args for child in node.children):
            found.append("previous= in GroupBy")
        if name == "Shift":
            found.append(OVER_AN_END)
        if name == "Shift" and index in KEYED:
            found.append("Shift onto keys that were only asked for")
        if "previous" in args or "column" in args:
            found.append("unknown previous=")
    return found


def excused_refusal(calls: Sequence[Call] | None, text: str, index: str) -> str | None:
    """The documented difference by which one refuses what the other does not, or words it otherwise; None: there is none."""
    if not text.isascii():
        return "text outside of ASCII"
    for node in _everything(calls or ()):
        if node.name in ("Sum", "Min", "Max") and node.children and node.args.get("field") not in _fields(index):
            return "an unknown field in Sum, Min and Max"
        if "extra" in node.args:
            return "two fields in one call"
        if any(isinstance(value, Call) for key, value in node.args.items() if key != "filter"):
            return "a call as the value of an argument"
    return None


def may_never_end(calls: Sequence[Call] | None, text: str) -> bool:
    """Whether a real Pilosa may turn round for ever at it: GroupBy of three Rows, MaxRow of a filter. In doubt, it may."""
    if calls is None:
        return ("GroupBy" in text and text.count("Rows") > 2) or ("MaxRow" in text and text.count("(") > 1)
    return any(
        (node.name == "GroupBy" and len(node.children) > 2) or (node.name == "MaxRow" and node.children)
        for node in _everything(calls)
    )


def _wrong(condition: Condition) -> bool:
    """Whether Pilosa can be wrong about it: one-sided comparisons, and ranges that are inverted."""
    if isinstance(condition.value, list):
        return condition.value[0:1] > condition.value[1:2]
    return condition.op in ("<", ">", ">=")


def _fields(index: str) -> dict[str, Any]:
    return READ.get(index) or WRITTEN.get(index) or {}


def _views(index: str, args: dict[str, Any]) -> bool:
    """Whether Rows looks at several views of its field."""
    fields = _fields(index)
    kind = fields.get(args.get("field") or "")
    if kind is None or kind.type != "time":
        return False
    return bool(kind.options.get("noStandardView")) or "from" in args or "to" in args


def _type(index: str, args: dict[str, Any]) -> str:
    fields = _fields(index)
    ref = args.get("row")
    return fields[ref.field].type if isinstance(ref, RowRef) and ref.field in fields else ""


def _everything(calls: Sequence[Call]) -> list[Call]:
    found, stack = [], list(calls)
    while stack:
        node = stack.pop()
        found.append(node)
        stack += node.children
        stack += [value for value in node.args.values() if isinstance(value, Call)]
        ref = node.args.get("row")
        if isinstance(ref, RowRef) and isinstance(ref.row, Call):
            stack.append(ref.row)
    return found
