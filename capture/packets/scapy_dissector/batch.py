"""A batch through the scapy dissector: the fields of every packet as columns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from capture.packets.batch import PacketBatch
from capture.packets.columns import Dissected, SetBuilder
from capture.packets.decode_errors import DECODE_ERRORS
from capture.packets.scapy_dissector.packet import dissect_packet
from capture.packets.scapy_dissector.walk import Found

VERSION = "scapy-1"

_ERROR_ROWS = {text: row for row, text in enumerate(DECODE_ERRORS)}


def _flags(found: Found) -> list[int]:
    return [bit for bit in range(9) if found.tcp >> bit & 1]


def _one(value: bytes | int | None) -> list[bytes | int]:
    return [] if value is None or value == b"" else [value]


def _filled(values: list[bytes]) -> list[bytes]:
    return [value for value in values if value]


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
    "http-hostname": lambda f: _filled(f.http_hostname),
    "http-useragent": lambda f: _filled(f.http_useragent),
    "http-method": lambda f: _filled(f.http_method),
    "error": lambda f: _one(None if f.error is None else _ERROR_ROWS[f.error]),
}

FIELDS = frozenset(_VALUES)


def dissect_batch(batch: PacketBatch, fields: Collection[str]) -> Dissected:
    """The values of `fields` (those of FIELDS that are among them, and `error` always) in every packet of `batch`."""
    wanted = {name: (SetBuilder(), values) for name, values in _VALUES.items() if name in fields or name == "error"}
    linktypes = batch.locator["linktype"].tolist()
    lengths = batch.locator["wire_length"].tolist()
    undecodable = 0
    for i in range(len(batch)):
        found = dissect_packet(batch.packet(i), linktypes[i], lengths[i])
        undecodable += found.error is not None
        for builder, values in wanted.values():
            for value in values(found):
                builder.add(i, value)
    built = {name: builder.build() for name, (builder, _) in wanted.items()}
    return Dissected({name: v for name, v in built.items() if len(v.packet)}, undecodable, VERSION)
