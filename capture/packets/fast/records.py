"""The records of a batch taken apart in one pass: what dissection needs of them, each as an array of its own."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import from_dtype, types
from numpy.typing import NDArray

from capture.packets.batch import LOCATOR_DTYPE
from capture.packets.compiling import compiled

_I64, _U64 = types.int64[::1], types.uint64[::1]
_LOCATOR = types.Array(from_dtype(LOCATOR_DTYPE), 1, "C")
_NS = 1_000_000_000


class Records(NamedTuple):
    """captured, wire (bytes), linktype, time_ns: int64 (n,) each."""

    captured: NDArray[np.int64]
    wire: NDArray[np.int64]
    linktype: NDArray[np.int64]
    time_ns: NDArray[np.int64]


@compiled(types.UniTuple(_I64, 4)(_LOCATOR))
def _taken_apart(locator):  # type: ignore[no-untyped-def]
    n = len(locator)
    captured, wire = np.empty(n, np.int64), np.empty(n, np.int64)
    linktype, time_ns = np.empty(n, np.int64), np.empty(n, np.int64)
    for i in range(n):
        record = locator[i]
        captured[i] = record.captured_length
        wire[i] = record.wire_length
        linktype[i] = record.linktype
        time_ns[i] = record.time_ns
    return captured, wire, linktype, time_ns


def records(locator: NDArray[Any]) -> Records:
    """The columns of a locator (LOCATOR_DTYPE (n,))."""
    return Records(*_taken_apart(np.require(locator, LOCATOR_DTYPE, ["C", "W"])))


@compiled(_U64(_I64))
def whole_seconds(time_ns):  # type: ignore[no-untyped-def]
    """Whole seconds of times since 1970, uint64 (n,). No time may be before. Packets of one second are not divided for."""
    seconds = np.empty(len(time_ns), np.uint64)
    begin = end = np.int64(-1)
    second = np.int64(0)
    for i in range(len(time_ns)):
        if not begin <= time_ns[i] < end:
            second = time_ns[i] // _NS
            begin, end = second * _NS, second * _NS + _NS
        seconds[i] = second
    return seconds
