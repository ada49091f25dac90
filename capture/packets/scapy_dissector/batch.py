"""A batch through the scapy dissector: the fields of every packet as columns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

import numpy as np

from capture.packets import applications
from capture.packets.batch import PacketBatch
from capture.packets.columns import Dissected, IntValues, SetBuilder, SetValues
from capture.packets.decode_errors import DECODE_ERRORS
from capture.packets.registry import FIELDS
from capture.packets.scapy_dissector.packet import dissect_packet
from capture.packets.scapy_dissector.walk import Found

VERSION = "scapy-2"

_ERROR_ROWS = {text: row for row, text in enumerate(DECODE_ERRORS)}
# what is read from payloads that were recognised
_APPLICATIONS = frozenset(field.name for field in (*applications.PICAP, *applications.FIELDS)) - {"appproto"}


def _flags(found: Found) -> list[int]:
    return [bit for bit in range(9) if found.tcp >> bit & 1]


def _one(value: bytes | int | None) -> list[bytes | int]:
    return [] if value is None or value == b"" else [value]


# those that Found has by name; all others are in Found.values
_VALUES: dict[str, Callable[[Found], Iterable[bytes | int]]] = {
    "netproto": lambda f: _one(f.netproto),
    "netsrc": lambda f: _one(f.netsrc),
    "netdst": lambda f: _one(f.netdst),
    "transproto": lambda f: _one(f.transproto),
    "transsrc": lambda f: _one(f.transsrc),
    "transdst": lambda f: _one(f.transdst),
    "tcp": _flags,
    "appproto": lambda f: _one(f.appproto),
    "appproto-port": lambda f: _one(f.appproto_port),
    "error": lambda f: _one(None if f.error is None else _ERROR_ROWS[f.error]),
}


class _IntBuilder:
    """Collects the values of an int field: at most one a packet."""

    def __init__(self) -> None:
        self._values: dict[int, int] = {}

    def add(self, packet: int, value: bytes | int) -> None:
        self._values[packet] = int(value)

    def build(self) -> IntValues:
        return IntValues(np.array([*self._values], np.uint32), np.array([*self._values.values()], np.int64))


def dissect_batch(batch: PacketBatch, fields: Collection[str]) -> Dissected:
    """The values of `fields` in every packet of `batch`, and of `error` always.

    What the record itself says (lengths, link type, time, interface) is not here: capture.packets.general has it. Of `direction`
    here is what the packet's bytes say.
    """
    builders: dict[str, SetBuilder | _IntBuilder] = {
        name: _IntBuilder() if FIELDS[name].encoding == "int" else SetBuilder() for name in (*fields, "error")
    }
    named = [(builders[name], values) for name, values in _VALUES.items() if name in builders]
    deep = not _APPLICATIONS.isdisjoint(builders)
    linktypes = batch.locator["linktype"].tolist()
    lengths = batch.locator["wire_length"].tolist()
    undecodable = 0
    for i in range(len(batch)):
        found = dissect_packet(batch.packet(i), linktypes[i], lengths[i], deep)
        undecodable += found.error is not None
        for builder, values in named:
            for value in values(found):
                builder.add(i, value)
        for name, value in found.values:
            if name in builders:
                builders[name].add(i, value)
    built: dict[str, SetValues | IntValues] = {name: builder.build() for name, builder in builders.items()}
    return Dissected({name: v for name, v in built.items() if len(v.packet)}, undecodable, VERSION)
