"""The C library's allocator, told to keep what is freed: batch after batch needs the same large arrays."""

from __future__ import annotations

import ctypes

# mallopt(3) of glibc
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
KEPT = 256 << 20  # bytes: a batch's packets and columns, with room


def keep_freed_memory() -> bool:
    """Keeps up to KEPT freed bytes in the process. False where the C library cannot be told (it is not glibc).

    As it comes, glibc gives each large array back to the kernel and gets it anew, page by page and zeroed: a third of the time
    of dissecting a batch of 40 MB went there.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    return bool(mallopt(_TRIM_THRESHOLD, KEPT) and mallopt(_MMAP_THRESHOLD, KEPT))
