"""Numbers of several arrays as one, and equal ones side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]
_MOST = 1 << 62


def combined(arrays: Sequence[I64]) -> I64:
    """One number (n,) for each tuple of the arrays' numbers (n,): equal for equal tuples, and in their order."""
    out, size = np.zeros(arrays[0].size, np.int64), 1
    if not out.size:
        return out
    for array in arrays:
        low, width = int(array.min()), int(array.max()) - int(array.min()) + 1
        if size * width >= _MOST:
            distinct, out = np.unique(out, return_inverse=True)
            size = distinct.size
        if size * width >= _MOST:
            distinct, array = np.unique(array, return_inverse=True)
            low, width = 0, distinct.size
        out = out * width + (array - low)
        size *= width
    return out


def grouped(key: I64) -> tuple[I64, I64]:
    """(order, begin): key[order] is ascending, equal ones in any order; begin: where in that order each group begins."""
    order = np.argsort(key).astype(np.int64, copy=False)
    there = key[order]
    begin = np.flatnonzero(np.append(True, there[1:] != there[:-1])) if key.size else np.zeros(0, np.int64)
    return order, begin.astype(np.int64)
