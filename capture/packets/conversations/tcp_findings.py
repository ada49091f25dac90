"""Where the loops of TCP write what they found: (field, column, value) in three arrays, with room made before the loop."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from capture.packets.compiling import inlined
from capture.packets.conversations.contract import NAMES, Found
from capture.packets.declarations.conversations import TCP_HANDSHAKE

ANALYSIS, HANDSHAKE, ROUND_TRIP, INITIAL = (
    NAMES.index(name) for name in ("tcp-analysis", "tcp-handshake", "tcp-rtt-us", "tcp-irtt-us")
)
COMPLETE_VALUE, UNANSWERED_VALUE, REFUSED_VALUE, MID_STREAM_VALUE = (
    TCP_HANDSHAKE.index(name) for name in ("complete", "unanswered", "refused", "mid-stream")
)
A_SEGMENT = 20  # findings of one segment at most, without those of columns that waited


class Findings(NamedTuple):
    """As Found; used: int64 (1,), how many there are."""

    field: NDArray[np.uint8]
    column: NDArray[np.uint64]
    value: NDArray[np.int64]
    used: NDArray[np.int64]


def make_findings(room: int) -> Findings:
    """None yet, with room for so many."""
    return Findings(np.empty(room, np.uint8), np.empty(room, np.uint64), np.empty(room, np.int64), np.zeros(1, np.int64))


FINDINGS = numba.typeof(make_findings(1))


def found(findings: Findings) -> Found:
    """What is in them, copied."""
    n = int(findings.used[0])
    return Found(findings.field[:n].copy(), findings.column[:n].copy(), findings.value[:n].copy())


def together(parts: list[Found]) -> Found:
    """One of several."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return Found(np.empty(0, np.uint8), np.empty(0, np.uint64), np.empty(0, np.int64))
    return Found(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


@inlined()
def say(findings, field, column, value):  # type: ignore[no-untyped-def]
    """One more."""
    at = findings.used[0]
    findings.field[at] = np.uint8(field)
    findings.column[at] = column
    findings.value[at] = value
    findings.used[0] = at + 1
