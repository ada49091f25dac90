"""All compiled loops, compiled and kept at set-up: nothing is left to compile when a user's job comes.

`python -m capture.packets.fast.warm` (`manage.py compile` is the same) compiles what is missing, says what, how long and how
large; where nothing is missing it ends at once, without importing numba. Of several processes one compiles at a time.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from capture.packets import compiled_cache


@dataclass(frozen=True)
class Warmed:
    """modules: how many functions of which module had to be compiled, and in how many seconds. size: bytes of the whole cache."""

    modules: dict[str, tuple[int, float]]
    seconds: float
    size: int
    folder: Path

    @property
    def functions(self) -> int:
        return sum(count for count, _ in self.modules.values())


def warm() -> float:
    """Loads every compiled loop into this process; what is not in the cache is compiled first. Seconds that it took."""
    began = time.perf_counter()
    if not is_warm():
        compile_all()
    for path in compiled_cache.compiled_modules():
        importlib.import_module(compiled_cache.dotted(path))
    _dissect_a_packet()
    return time.perf_counter() - began


def compile_all(say: Callable[[str], None] = lambda line: None) -> Warmed:
    """Compiles what is missing and removes what is stale; of several at once each does a share. `say`: a line a module."""
    import numba.core.event as events  # half a second: only where there is something to do

    modules: dict[str, tuple[int, float]] = {}
    began = time.perf_counter()
    folder = compiled_cache.cache_folder()
    with events.install_recorder("numba:compile") as recorder:
        for path in compiled_cache.compiled_modules():
            name, before, at = compiled_cache.dotted(path), len(recorder.buffer), time.perf_counter()
            importlib.import_module(name)
            # What helpers of other modules cost counts where they are used first.
            if functions := sum(_is_ours(event) for _, event in recorder.buffer[before:]):
                modules[name] = (functions, time.perf_counter() - at)
                say(f"compiled: {name}, {functions} functions, {modules[name][1]:.1f} s")
        _dissect_a_packet()
        if compiled_cache.writable(folder):
            compiled_cache.mark_complete(folder)
            compiled_cache.remove_stale(folder)
    return Warmed(modules, time.perf_counter() - began, compiled_cache.size(folder), folder)


def is_warm() -> bool:
    """Whether nothing would have to be compiled."""
    return compiled_cache.is_complete(compiled_cache.cache_folder())


def _is_ours(event: Any) -> bool:
    """Whether numba's event is the beginning of the compilation of one of our functions (and not of its own)."""
    dispatcher = event.data.get("dispatcher")
    module = getattr(getattr(dispatcher, "py_func", None), "__module__", "")
    return bool(event.is_start and module.partition(".")[0] in compiled_cache.PACKAGES)


def _dissect_a_packet() -> None:
    """One packet through the whole of the fast dissector, so that what it imports when first needed is imported."""
    import numpy as np

    from capture.packets.batch import LOCATOR_DTYPE, PacketBatch
    from capture.packets.dissect import DISSECTORS, dissect

    if "fast" not in DISSECTORS:
        return
    # Ethernet, IPv4, UDP to port 9 (discard), no payload
    packet = bytes.fromhex("02000000000202000000000108004500001c00010000401100007f0000017f0000010009000900080000")
    locator = np.zeros(1, LOCATOR_DTYPE)
    locator["captured_length"] = locator["wire_length"] = len(packet)
    locator["number"] = locator["linktype"] = 1
    dissect(PacketBatch(np.frombuffer(packet, np.uint8).copy(), np.zeros(1, np.int64), locator), ["all"], "fast")


def main(arguments: list[str]) -> int:
    """--verbose: a line for each module, and one also where there was nothing to do."""
    verbose = "--verbose" in arguments
    if is_warm():
        if verbose:
            print(f"nothing to compile: all of it is in {compiled_cache.cache_folder()}")
        return 0
    print("compiling the dissector's loops, once for these sources and this CPU ...", flush=True)
    try:
        found = compile_all(lambda line: print(line, flush=True) if verbose else None)
    except Exception as error:
        if verbose:
            raise
        print(f"{type(error).__name__}: {' '.join(str(error).split())}", flush=True)
        return 1
    what = f"compiled: {found.functions} functions of {len(found.modules)} modules" if found.modules else "nothing was missing:"
    print(f"{what} in {found.seconds:.0f} s; {found.size / 1e6:.1f} MB in {found.folder}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
