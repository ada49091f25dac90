"""Fields of the record itself, computed from the locator for any dissector: lengths, interface, direction, link type, time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture.packets.columns import IntValues, SetValues
from capture.packets.fast.interning import NONE, finished, small, wide
from capture.packets.fast.records import records, whole_seconds
from capture.packets.registry import FIELDS


def general_fields(
    locator: NDArray[Any], fields: Collection[str], interfaces: Sequence[bytes] = ()
) -> dict[str, SetValues | IntValues]:
    """Those of `fields` that the records know, of all packets of `locator` (LOCATOR_DTYPE (n,)).

    interfaces: names by locator["interface"], b"" (or none at all) for an interface without a name.
    A packet without a timestamp (NO_TIME) and one from before 1970 has no time rows; a field without values is missing.
    """
    out: dict[str, SetValues | IntValues] = {}
    if not len(locator):
        return out
    every = np.arange(len(locator), dtype=np.uint32)
    captured, wire, linktype, time_ns = records(locator)
    if "length" in fields:
        out["length"] = IntValues(every, wire)
    if "captured-length" in fields:
        out["captured-length"] = IntValues(every, captured)
    if "truncated" in fields:
        cut = every[captured < wire]
        if len(cut):
            out["truncated"] = SetValues(cut, np.zeros(len(cut), np.uint32), np.zeros(1, np.uint64))
    if "iface" in fields and any(interfaces):
        code, numbers = wide(locator["interface"].astype(np.uint64))
        names = [interfaces[number] if number < len(interfaces) else b"" for number in numbers.tolist()]
        out["iface"] = finished(every, code, names)
    if "direction" in fields and locator["direction"].any():
        cell = locator["direction"].astype(np.uint32) - np.uint32(1)  # 0, not known, becomes NONE
        out["direction"] = SetValues(*small(np.where(cell < 2, cell, NONE), 2))
    if "linktype" in fields:
        out["linktype"] = _rows(every, linktype.view(np.uint64))
    if time_ns.min() >= 0:
        timed = every
    else:
        timed = every[time_ns >= 0]
        time_ns = time_ns[timed]
    if len(timed):
        code, seconds = wide(whole_seconds(time_ns))
        for name, field in FIELDS.items():
            if field.encoding == "time" and name in fields:
                of_second, rows = wide(seconds // np.uint64(field.seconds))
                out[name] = SetValues(timed, of_second[code], rows)
    return out


def _rows(packet: NDArray[np.uint32], row: NDArray[np.uint64]) -> SetValues:
    return SetValues(packet, *wide(row))


def direction(by_record: SetValues, by_header: SetValues) -> SetValues:
    """One column of field `direction`: what the record says counts, else what a header says."""
    kept = ~np.isin(by_header.packet, by_record.packet)
    packet = np.concatenate([by_record.packet, by_header.packet[kept]])
    row = np.concatenate([np.asarray(column.values, np.uint64)[column.code] for column in (by_record, by_header)])
    row = np.concatenate([row[: len(by_record.packet)], row[len(by_record.packet) :][kept]])
    order = np.argsort(packet, kind="stable")
    return _rows(packet[order], np.ascontiguousarray(row[order]))
