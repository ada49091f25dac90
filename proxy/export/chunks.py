"""Blocks of packets cut into chunks of bytes of a bounded size."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

# Bytes that are written at once, unless one packet is larger: small enough to stay in the processor's cache.
CHUNK = 1 << 20


def chunks(sizes: NDArray[np.int64]) -> Iterator[tuple[int, int, NDArray[np.int64], int]]:
    """(first packet, the one behind the last, starts in the chunk, bytes of the chunk), of packets that take `sizes` bytes."""
    end = np.cumsum(sizes)
    first, n = 0, len(sizes)
    while first < n:
        base = int(end[first - 1]) if first else 0
        last = max(first + 1, int(np.searchsorted(end, base + CHUNK, "right")))
        yield first, last, end[first:last] - sizes[first:last] - base, int(end[last - 1]) - base
        first = last
