"""Compiled loops: numba, with a cache on disk that no edit can leave stale.

numba keys a cached function by its own file only: after an edit of a helper in another file, the old machine code would go on.
Here the key is that of all that the code depends on: capture.packets.compiled_cache says where it lies and under which key.
Several processes compile at once, each another module; what they write, they write one after the other.
With `PICAPWEB_BOUNDS_CHECK=1` each index is checked, and a read outside of an array raises IndexError (for tests: slow).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numba.core.caching
import numba.core.config

from capture.packets.compiled_cache import BOUNDS_CHECK, SAVING, cache_folder, dotted, folder_name, locked


class Locator(numba.core.caching.UserProvidedCacheLocator):
    """CACHE_DIR alone, read-only too. numba's own would fall back to `__pycache__`, where an edit elsewhere leaves stale code."""

    def __init__(self, function: Any, file: str) -> None:
        super().__init__(function, file)
        # Without the path of the clone, which numba adds: a copy of the clone has a copy of its cache.
        self._cache_path = numba.core.config.CACHE_DIR

    def ensure_cache_path(self) -> None:
        os.makedirs(self.get_cache_path(), exist_ok=True)


class OneSaves(numba.core.caching.IndexDataCacheFile):
    """A function's cache on disk. numba reads its index, chooses a file for the code, and writes both: alone, here."""

    def save(self, key: Any, data: Any) -> None:
        with locked(SAVING):
            super().save(key, data)


# Where numba looks for it when it makes a function's cache.
numba.core.caching.IndexDataCacheFile = OneSaves


def compiled(signature: Any = None, **options: Any) -> Callable[[Any], Any]:
    """Decorator: the function as a compiled loop that runs without the GIL.

    signature: numba's, for functions that are called from Python: compiled (or loaded) at import, and never again at run
    time, since arguments of other types are a TypeError. None for helpers: compiled with whoever calls them.
    """

    def decorate(function: Any) -> Any:
        folder = cache_folder() / folder_name(Path(function.__code__.co_filename))
        # Read by numba when it makes the function's cache, which is now.
        numba.core.config.CACHE_DIR = str(folder)
        numba.core.config.CACHE_LOCATOR_CLASSES = f"{__name__}.{Locator.__name__}"
        settings = {"cache": True, "nogil": True, "error_model": "numpy", "boundscheck": BOUNDS_CHECK, **options}
        if signature is None:
            return numba.njit(**settings)(function)
        with locked(dotted(Path(function.__code__.co_filename))):
            return numba.njit(signature, **settings)(function)

    return decorate


def borrowing() -> Callable[[Any], Any]:
    """Decorator for helpers that make no arrays: they count no references to those they are given."""
    return compiled(_nrt=False)


def inlined() -> Callable[[Any], Any]:
    """As `borrowing`, and made a part of whoever calls them: for what is called for every packet, with many arrays."""
    return compiled(_nrt=False, forceinline=True)
