"""Fields of the record itself, computed from the locator for any dissector: `length`, `linktype`, the time rows."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture.packets.columns import IntValues, SetValues
from capture.packets.registry import FIELDS

_NS = 1_000_000_000


def general_fields(locator: NDArray[Any], fields: Collection[str]) -> dict[str, SetValues | IntValues]:
    """`length`, `linktype` and the time fields among `fields`, of all packets of `locator` (LOCATOR_DTYPE (n,)).

    A packet without a timestamp (NO_TIME) and one from before 1970 has no time rows; a field without values is missing.
    """
    out: dict[str, SetValues | IntValues] = {}
    if not len(locator):
        return out
    every = np.arange(len(locator), dtype=np.uint32)
    if "length" in fields:
        out["length"] = IntValues(every, locator["wire_length"].astype(np.int64))
    if "linktype" in fields:
        out["linktype"] = _rows(every, locator["linktype"].astype(np.uint64))
    times = locator["time_ns"]
    timed = every[times >= 0]
    seconds = (times[times >= 0] // _NS).astype(np.uint64)
    if len(timed):
        for name, field in FIELDS.items():
            if field.encoding == "time" and name in fields:
                out[name] = _rows(timed, seconds // np.uint64(field.seconds))
    return out


def _rows(packet: NDArray[np.uint32], row: NDArray[np.uint64]) -> SetValues:
    values, code = np.unique(row, return_inverse=True)
    return SetValues(packet, code.astype(np.uint32), values)
