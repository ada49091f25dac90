"""Results that are kept between queries (embedded_cache): what a call is kept under, and results as what nobody can change."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from indexing.calls import (
    Call,
    Condition,
    CountResult,
    GroupCount,
    GroupCountsResult,
    Pair,
    PairsResult,
    Result,
    RowRef,
    RowResult,
    RowSet,
    RowsResult,
    ValCountResult,
)
from indexing.columns import ColumnSet

_DEEPEST, _LONGEST = 6, 32  # levels of calls, and arguments or children of one, that are worth a key
_MOST = 2000  # pairs, groups, rows or columns of a result that is kept

Kept = tuple[Callable[[Any], Result], Any, int]  # how to make the result again, of what; bytes


class _Unkeyed(Exception):
    pass


def key_of(call: Call) -> Hashable:
    """Equal for calls that have the same answer, whoever asks in whatever syntax; None for one that is too large to look at.

    1, True and 1.0 are not the same argument."""
    try:
        return _call(call, _DEEPEST)
    except _Unkeyed:
        return None


def _call(call: Call, levels: int) -> Hashable:
    if not levels or len(call.children) > _LONGEST:
        raise _Unkeyed
    args = call.args
    if len(args) == 1:
        ((name, value),) = args.items()
        some: Hashable = (name, _value(value, levels))
    else:
        some = tuple([(name, _value(args[name], levels)) for name in sorted(args)])
    return call.name, some, tuple([_call(child, levels - 1) for child in call.children])


def _value(value: Any, levels: int) -> Hashable:
    kind = value.__class__
    if kind is RowRef:
        return value.field, value.row.__class__, value.row
    if kind is int or kind is str or kind is bool or value is None:
        return kind, value
    if kind is ColumnSet:
        return ColumnSet, value.key
    if kind is RowSet:
        return value.field, RowSet, value.key
    if kind is Condition:
        return value.op, _value(value.value, levels)
    if kind is list or kind is tuple:
        if len(value) > _LONGEST:
            raise _Unkeyed
        return tuple([_value(one, levels) for one in value])
    if kind is Call:
        return _call(value, levels - 1)
    raise _Unkeyed


def kept(result: Result) -> Kept | None:
    """What to keep of a result; None if it is too large."""
    if isinstance(result, CountResult):
        return CountResult, result.count, 32
    if isinstance(result, ValCountResult):
        return _val_count, (result.value, result.count), 100
    if isinstance(result, PairsResult) and len(result.pairs) <= _MOST:
        return _pairs, (result.field, [(one.id, one.count) for one in result.pairs]), 150 * len(result.pairs)
    if isinstance(result, RowsResult) and len(result.ids) <= _MOST:
        return _rows, (result.field, tuple(result.ids)), 40 * len(result.ids)
    if isinstance(result, GroupCountsResult) and len(result.groups) <= _MOST:
        groups = [(tuple([(field, row) for field, row, _ in one.group]), one.count) for one in result.groups]
        return _groups, groups, sum(100 + 130 * len(group) for group, _ in groups)
    if isinstance(result, RowResult) and result.columns.size <= _MOST and not result.attrs:
        return _columns, result.columns.copy(), int(result.columns.nbytes)
    return None


def _val_count(some: Any) -> Result:
    return ValCountResult(*some)


def _pairs(some: Any) -> Result:
    field, pairs = some
    return PairsResult([Pair(row, count) for row, count in pairs], field)


def _rows(some: Any) -> Result:
    return RowsResult(list(some[1]), some[0])


def _groups(some: Any) -> Result:
    return GroupCountsResult([GroupCount([(field, row, None) for field, row in group], count) for group, count in some])


def _columns(some: Any) -> Result:
    return RowResult(np.array(some))
