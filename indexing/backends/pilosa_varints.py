"""Many numbers as protobuf's varints, in one compiled pass."""

from __future__ import annotations

import numpy as np
from numba import types
from numpy.typing import NDArray

from capture.packets.compiling import compiled

_LONGEST = 10  # bytes of a number of 64 bits, seven in each


def packed(values: NDArray[np.uint64]) -> bytes:
    """Varints of values uint64 (n,), one after the other."""
    encoded: NDArray[np.uint8] = _packed(np.ascontiguousarray(values, np.uint64))
    return encoded.tobytes()


@compiled(types.uint8[::1](types.uint64[::1]))
def _packed(values):  # type: ignore[no-untyped-def]
    out = np.empty(len(values) * _LONGEST, np.uint8)
    at = 0
    for i in range(len(values)):
        rest = values[i]
        while rest > np.uint64(127):
            out[at] = np.uint8(rest & np.uint64(127)) | np.uint8(128)
            rest >>= np.uint64(7)
            at += 1
        out[at] = np.uint8(rest)
        at += 1
    return out[:at]
