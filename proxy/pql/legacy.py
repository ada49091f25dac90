"""picap's and v0.x text: which calls are written in it, and the same arguments as today's Pilosa takes them."""

from __future__ import annotations

from typing import Any

from indexing.calls import Condition, QueryError

_NAMES = {"Bitmap": "Row", "Range": "Row", "SetBit": "Set", "ClearBit": "Clear", "SetFieldValue": "Set"}
_OLD_NAMES = frozenset({"Bitmap", "SetBit", "ClearBit", "SetFieldValue"})
_ROW_LABELS, _COLUMN_LABELS = ("rowID", "row"), ("columnID", "col")


def is_legacy(name: str, args: dict[str, Any]) -> bool:
    """Decided call by call: an old name, or `frame=`."""
    return name in _OLD_NAMES or "frame" in args


def today(name: str, args: dict[str, Any], position: int) -> tuple[str, dict[str, Any]]:
    """Today's name and arguments of a legacy call (positional ones as `_field`, `_col` ...).

    Raises QueryError where there is none: a frame that is no name, an inverse frame.
    """
    args = dict(args)
    frame = args.pop("frame", None)
    if not isinstance(frame, str | None) or frame == "":
        raise QueryError(f"{name}(): frame must be a name", position)
    canonical = _NAMES.get(name, name)
    if canonical in ("Row", "Store", "ClearRow"):
        return canonical, _row(name, frame, args, position)
    if canonical in ("Set", "Clear"):
        return canonical, _write(name, frame, args, position)
    if canonical in ("TopN", "Rows"):
        return canonical, _top(frame, args)
    if canonical in ("Sum", "Min", "Max"):
        return canonical, {**args, "field": args.get("field", frame)}
    if canonical == "SetRowAttrs":
        row = _taken(args, _ROW_LABELS)
        return canonical, {"_field": frame, "_row": row, **args}
    if canonical == "SetColumnAttrs":
        column = _taken(args, _COLUMN_LABELS)
        return canonical, {"_col": column, **args}
    return canonical, args


def _row(name: str, frame: str | None, args: dict[str, Any], position: int) -> dict[str, Any]:
    """Bitmap(frame=f, rowID=r), Range(frame=f, rowID=r, start=, end=), Range(frame=f, field > 5)."""
    if args.pop("inverse", False) is True:
        raise QueryError(f"{name}(): inverse frames are not supported; Rows(field, column=...) is nearest", position)
    times = {}
    for old, new in (("start", "from"), ("end", "to"), ("from", "from"), ("to", "to")):
        if old in args and not isinstance(args[old], Condition):
            times[new] = args.pop(old)
    conditions = {key: value for key, value in args.items() if isinstance(value, Condition)}
    if conditions or frame is None:
        return {**(conditions or args), **times}
    for label in _ROW_LABELS:
        if label in args:
            return {frame: args[label], **times}
    if any(label in args for label in _COLUMN_LABELS):
        raise QueryError(f"{name}(): inverse frames are not supported; Rows(field, column=...) is nearest", position)
    # v0.x let a frame name its own row label
    own = [value for key, value in args.items() if not key.startswith("_")]
    if len(own) > 1:
        raise QueryError(f"{name}(): which argument is the row? rowID= or row= says it", position)
    return {frame: own[0], **times} if own else times


def _write(name: str, frame: str | None, args: dict[str, Any], position: int) -> dict[str, Any]:
    """SetBit, ClearBit, SetFieldValue."""
    column = _taken(args, _COLUMN_LABELS)
    out = {"_col": column} if column is not None else {}
    if "timestamp" in args:
        out["_timestamp"] = args.pop("timestamp")
    if name == "SetFieldValue" or frame is None:
        return {**args, **out}
    row = _taken(args, _ROW_LABELS)
    if row is None:
        raise QueryError(f"{name}() argument required: row", position)
    return {frame: row, **out}


def _top(frame: str | None, args: dict[str, Any]) -> dict[str, Any]:
    """TopN([bitmap,] frame=f, n=2, field="attribute", filters=[...]): `field` names an attribute there."""
    if "filters" in args:
        args["attrValues"] = args.pop("filters")
        if "field" in args:
            args["attrName"] = args.pop("field")
    return {**args, "_field": args.get("_field", frame)}


def _taken(args: dict[str, Any], labels: tuple[str, ...]) -> Any:
    for label in labels:
        if label in args:
            return args.pop(label)
    return None
