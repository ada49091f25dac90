"""A batch through the fast dissector: the fields of every packet as columns. What it cannot take goes to scapy."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from capture.packets.allocator import keep_freed_memory
from capture.packets.applications import FIELDS as APPLICATION_FIELDS
from capture.packets.batch import PacketBatch
from capture.packets.columns import Dissected, IntValues, SetValues
from capture.packets.decode_errors import DECODE_ERRORS
from capture.packets.fast.addresses import make_table
from capture.packets.fast.application_columns import application_columns, note_layers, payload_columns
from capture.packets.fast.header_columns import Cells, HeaderEvents, header_columns
from capture.packets.fast.header_fields import APP, APP_PORT, ERROR, NEEDED, OF_OPTIONS, OF_WORDS
from capture.packets.fast.headers.steps import first_headers
from capture.packets.fast.headers.walk import walk
from capture.packets.fast.merging import merged, merged_ints
from capture.packets.fast.out import make_out, make_payloads
from capture.packets.fast.recognise.dispatch import classified
from capture.packets.fast.records import Records, records
from capture.packets.scapy_dissector.linktypes import FIRST_HEADERS as SCAPY_LINKTYPES

VERSION = "fast-1"

keep_freed_memory()

_FIRST = first_headers()
_UNSUPPORTED = np.array([DECODE_ERRORS.index("linktype: unsupported")], np.uint64)

_OF_PAYLOADS = {"appproto", "appproto-port", "protocols", "http-hostname", "http-useragent", "http-method"} | {
    field.name for field in APPLICATION_FIELDS
}


def dissect_batch(batch: PacketBatch, fields: Collection[str]) -> Dissected:
    """The values of `fields`, and `error` always, in every packet of `batch`.

    handed_over: how many packets went to the scapy dissector, whose link types are not walked here.
    """
    wanted = {*fields, "error"}
    known = records(batch.locator)
    parts, undecodable = _walked(batch, wanted, known)
    handed = _handed_over(known.linktype)
    if len(handed):
        from capture.packets.scapy_dissector.batch import dissect_batch as dissect_with_scapy  # slow to import

        rest = dissect_with_scapy(_some(batch, handed), wanted)
        undecodable += rest.undecodable
        for name, column in rest.fields.items():
            parts.setdefault(name, []).append(_moved(column, handed))
    made = {name: _one(columns) for name, columns in parts.items()}
    return Dissected({name: column for name, column in made.items() if len(column.packet)}, undecodable, VERSION, len(handed))


Parts = dict[str, list[SetValues | IntValues]]


def _walked(batch: PacketBatch, wanted: set[str], known: Records) -> tuple[Parts, int]:
    """Columns by field, of headers and of payloads, and how many packets have an error."""
    n, linktype = len(batch), known.linktype
    data = batch.data if batch.data.flags.writeable and batch.data.flags.c_contiguous else batch.data.copy()
    numbers = sorted({cell for name in wanted for cell in NEEDED.get(name, ())})
    grid = np.empty((len(numbers), n), np.uint32)
    words = np.zeros((3, n if wanted & OF_WORDS else 0), np.uint64)
    payloads = make_payloads(n)
    out, table, flows = walk(
        data,
        np.ascontiguousarray(batch.start, np.int64),
        known.captured,
        known.wire,
        linktype,
        _FIRST,
        np.array(numbers, np.int64),
        bool(wanted & OF_OPTIONS),
        grid,
        words,
        payloads,
        make_table(),
        make_table(4096 if "community-id" in wanted else 1),
        make_out(),
    )
    cells: Cells = dict(zip(numbers, grid, strict=True))
    events = HeaderEvents(out)
    parts: Parts = {}
    unsupported = np.flatnonzero((_FIRST[linktype] == 0) & ~_SCAPY[linktype]).astype(np.uint32)
    if len(unsupported):
        parts["error"] = [SetValues(unsupported, np.zeros(len(unsupported), np.uint32), _UNSUPPORTED)]
    if wanted & _OF_PAYLOADS:
        kinds, by_port = classified(data, payloads)
        if "protocols" in wanted:
            note_layers(words, payloads, kinds)
        app, app_port = events.of(APP), events.of(APP_PORT)
        for name, column in payload_columns(wanted, app, app_port, payloads, kinds, by_port).items():
            parts.setdefault(name, []).append(column)
        for name, column in application_columns(wanted, data, payloads, kinds):
            parts.setdefault(name, []).append(column)
    for name, either in header_columns(wanted, cells, words, table, flows, events).items():
        parts.setdefault(name, []).append(either)
    return parts, len(unsupported) + len(events.of(ERROR)[0])


def _scapy_linktypes() -> NDArray[np.bool_]:
    table = np.zeros(65536, np.bool_)
    table[list(SCAPY_LINKTYPES)] = True
    return table


_SCAPY = _scapy_linktypes()


def _handed_over(linktype: NDArray[np.int64]) -> NDArray[np.uint32]:
    """The packets of link types that only the scapy dissector reads."""
    return np.flatnonzero((_FIRST[linktype] == 0) & _SCAPY[linktype]).astype(np.uint32)


def _some(batch: PacketBatch, packets: NDArray[np.uint32]) -> PacketBatch:
    return PacketBatch(batch.data, batch.start[packets], batch.locator[packets], batch.interfaces)


def _moved(column: SetValues | IntValues, packets: NDArray[np.uint32]) -> SetValues | IntValues:
    """The column of some packets as that of the batch they are of."""
    if isinstance(column, IntValues):
        return IntValues(packets[column.packet], column.value)
    return SetValues(packets[column.packet], column.code, column.values)


def _one(columns: list[SetValues | IntValues]) -> SetValues | IntValues:
    if len(columns) == 1:
        return columns[0]
    ints = [column for column in columns if isinstance(column, IntValues)]
    if ints:
        return merged_ints(ints)
    return merged([column for column in columns if isinstance(column, SetValues)])
