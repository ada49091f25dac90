"""Whether a predicate holds of one value, in Python: for fields of a few numbers, whose values are known without asking."""

from __future__ import annotations

import operator

from indexing import predicates as p

COMPARISONS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def holds(predicate: p.Predicate, value: bytes) -> bool:
    """Numbers and literal values only: what filters make for booleans and flags. Raises ValueError for other predicates."""
    match predicate:
        case p.Everything():
            return True
        case p.OneOf(some):
            return value in some
        case p.Compare(op, other, "number"):
            return bool(COMPARISONS[op](int(value), int(other)))
        case p.Between(low, high, "number"):
            return int(low) <= int(value) <= int(high)
        case p.Not(inner):
            return not holds(inner, value)
        case p.And(parts):
            return all(holds(part, value) for part in parts)
        case p.Or(parts):
            return any(holds(part, value) for part in parts)
    raise ValueError(f"no predicate on a few numbers: {predicate!r}")
