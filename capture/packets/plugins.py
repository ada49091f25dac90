"""Fields from other packages: what entry points of the group `picapweb.fields` bring. docs/plugin-fields.md is for their authors.

A package that cannot be loaded, or whose declarations are no good, is left out with a sentence that names it: everything else
works. What goes wrong with a batch later costs the batch those fields and nothing more; the job says so.
"""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np

from capture.packets.batch import PacketBatch
from capture.packets.columns import IntValues, SetValues
from capture.packets.fields import Encoding, Field

GROUP = "picapweb.fields"
NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
LEVELS = ("first", "any", "packet", "inner", "quoted")
LONGEST_REASON = 500


@dataclass(frozen=True)
class Plugin:
    """An installed package's fields. name: of the distribution. values: called with a batch and the names of fields wanted."""

    name: str
    fields: dict[str, Field]
    values: Callable[[PacketBatch, Collection[str]], Mapping[str, SetValues | IntValues]]


class BadPlugin(Exception):
    """Its declarations, or what it returned, are no good; the text says what."""


def load(taken: Collection[str], found: Iterable[importlib.metadata.EntryPoint] | None = None) -> tuple[list[Plugin], list[str]]:
    """The plug-ins that are installed, in order of their packages' names, and a sentence for each that cannot be used.

    taken: names of fields that are there already. found: for tests; else the entry points of this environment.
    """
    points = importlib.metadata.entry_points(group=GROUP) if found is None else found
    taken = dict.fromkeys(taken, "picapweb itself")
    plugins: list[Plugin] = []
    problems: list[str] = []
    for point in sorted(points, key=lambda point: (_package(point), point.name)):
        package = _package(point)
        try:
            source: Any = point.load()
            fields = [replace(_checked(field), plugin=package) for field in source.FIELDS]
            for field in fields:
                if field.name in taken:
                    raise BadPlugin(f"there is a field {field.name!r} already, of {taken[field.name]}")
                taken[field.name] = package
            if not callable(source.values):
                raise BadPlugin("its `values` cannot be called")
            plugins.append(Plugin(package, {field.name: field for field in fields}, source.values))
        except (Exception, SystemExit) as error:
            taken = {name: of for name, of in taken.items() if of != package or any(name in p.fields for p in plugins)}
            problems.append(f"fields of package {package} ({GROUP}: {point.value}) are left out: {reason_of(error)}")
    return plugins, problems


def _package(point: importlib.metadata.EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.name


def _checked(field: Any) -> Field:
    """The field, if its declaration is one that the index can take. Raises BadPlugin."""
    if not isinstance(field, Field):
        raise BadPlugin(f"{field!r} is no capture.packets.fields.Field")
    wrong = {
        f"must match {NAME.pattern}": not NAME.fullmatch(field.name),
        f"encoding {field.encoding!r} is none of {', '.join(get_args(Encoding))}": field.encoding not in get_args(Encoding),
        f"level {field.level!r} is none of {', '.join(LEVELS)}": field.level not in LEVELS,
        "has no description, or no example": not field.description or not field.example,
        "a choice needs choices": field.encoding == "choice" and not field.choices,
        "a time needs seconds": field.encoding == "time" and field.seconds <= 0,
        "an int needs minimum < maximum": field.encoding == "int" and not -(2**63) < field.minimum < field.maximum < 2**63,
        "only fields of picapweb itself can be always indexed, or picap's": field.always or field.picap,
    }
    for words, holds in wrong.items():
        if holds:
            raise BadPlugin(f"field {field.name!r}: {words}")
    return field


def values_of(
    plugin: Plugin, batch: PacketBatch, wanted: Collection[str]
) -> tuple[dict[str, SetValues | IntValues], dict[str, str]]:
    """What a plug-in finds in a batch for those of its fields that are `wanted`, and why the others are missing, by field."""
    asked = [name for name in plugin.fields if name in wanted]
    if not asked:
        return {}, {}
    try:
        found = plugin.values(batch, tuple(asked))
        if not isinstance(found, Mapping):
            raise BadPlugin(f"it returned {type(found).__name__}, no mapping of fields to values")
        if strange := [str(name) for name in found if name not in asked]:
            raise BadPlugin(f"it returned values of {', '.join(strange)}, which it was not asked for")
    except MemoryError:
        raise  # a bound was met, by some packet: the batch is cut down to it (capture.packets.alone)
    except (Exception, SystemExit) as error:
        return {}, dict.fromkeys(asked, f"{plugin.name}: {reason_of(error)}")
    kept: dict[str, SetValues | IntValues] = {}
    missing: dict[str, str] = {}
    for name, column in found.items():
        try:
            check(plugin.fields[name], column, len(batch))
        except BadPlugin as error:
            missing[name] = f"{plugin.name}: {error}"
        else:
            kept[name] = column
    return kept, missing


def check(field: Field, column: Any, packets: int) -> None:
    """Whether a column keeps the contract of capture.packets.columns. Raises BadPlugin, which says what does not."""
    wanted = IntValues if field.kind == "int" else SetValues
    if not isinstance(column, wanted):
        raise BadPlugin(f"it returned {type(column).__name__} for a field that needs {wanted.__name__}")
    _array("packet", column.packet, np.uint32)
    packet = column.packet.astype(np.int64)
    if len(packet) and (packet.min() < 0 or packet.max() >= packets):
        raise BadPlugin(f"packet {packet.max()} is not in the batch, which has {packets}")
    if isinstance(column, IntValues):
        _array("value", column.value, np.int64)
        if len(column.value) != len(packet):
            raise BadPlugin(f"{len(packet)} packets and {len(column.value)} values")
        if (np.diff(packet) <= 0).any():
            raise BadPlugin("packets must be strictly ascending")
        if len(packet) and (column.value.min() < field.minimum or column.value.max() > field.maximum):
            raise BadPlugin(f"a value is not from {field.minimum} to {field.maximum}")
        return
    _array("code", column.code, np.uint32)
    if len(column.code) != len(packet):
        raise BadPlugin(f"{len(packet)} packets and {len(column.code)} codes")
    if (np.diff(packet) < 0).any():
        raise BadPlugin("packets must be ascending")
    _check_values(field, column)
    pairs = packet << 32 | column.code.astype(np.int64)
    if len(np.unique(pairs)) != len(pairs):
        raise BadPlugin("a packet has the same value twice")


def _check_values(field: Field, column: SetValues) -> None:
    values = column.values
    if field.encoding == "text":
        if not isinstance(values, list) or not all(isinstance(value, bytes) and value for value in values):
            raise BadPlugin("values of a text field must be a list of bytes, none of them empty")
        distinct = len(set(values))
    else:
        _array("values", values, np.uint64)
        distinct = len(np.unique(np.asarray(values)))
        largest = int(np.asarray(values).max()) if len(values) else 0
        most = len(field.choices) - 1 if field.encoding == "choice" else field.maximum or 2**63 - 1
        if largest > most:
            raise BadPlugin(f"value {largest} is larger than {most}")
    if distinct != len(values):
        raise BadPlugin("a value stands twice in `values`")
    if len(column.code) and int(column.code.max()) >= len(values):
        raise BadPlugin(f"code {column.code.max()} has no value: there are {len(values)}")


def _array(name: str, array: Any, dtype: type[np.generic]) -> None:
    if not isinstance(array, np.ndarray) or array.dtype != dtype or array.ndim != 1:
        is_now = f"{array.dtype} with {array.ndim} dimensions" if isinstance(array, np.ndarray) else type(array).__name__
        raise BadPlugin(f"`{name}` must be {np.dtype(dtype).name} (n,), it is {is_now}")


def reason_of(error: BaseException) -> str:
    """An exception in words for the user: one line, bounded, as Postgres can keep it."""
    text = str(error) if isinstance(error, BadPlugin) else f"{type(error).__name__}: {error}"
    text = " ".join(text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode().split())
    return text if len(text) <= LONGEST_REASON else text[:LONGEST_REASON] + "…"
