"""Functions that C calls by their address, compiled and cached as all compiled loops are (see capture.packets.compiling)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numba.core.config

from capture.packets.compiled_cache import cache_folder, dotted, folder_name, locked
from capture.packets.compiling import Locator


def compiled_callback(signature: Any) -> Callable[[Any], Any]:
    """Decorator: a C function of numba's `signature`; `.address` is where it lies. It never takes the GIL, so it must neither
    raise nor make arrays."""

    def decorate(function: Any) -> Any:
        folder = cache_folder() / folder_name(Path(function.__code__.co_filename))
        # Read by numba when it makes the function's cache, which is now.
        numba.core.config.CACHE_DIR = str(folder)
        numba.core.config.CACHE_LOCATOR_CLASSES = f"{Locator.__module__}.{Locator.__name__}"
        with locked(dotted(Path(function.__code__.co_filename))):
            return numba.cfunc(signature, cache=True, error_model="numpy", boundscheck=False, _nrt=False)(function)

    return decorate
