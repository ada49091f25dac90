"""All compiled loops, compiled and kept at set-up: nothing is left to compile when a user's job comes.

`python -m capture.packets.fast.warm` (`manage.py compile` is the same) compiles what is missing, says what, how long and how
large; where nothing is missing it ends at once, without importing numba. As many processes as there are cores share the modules
(`--share` is one that helps), and so do several that come at the same moment: a module is one process's.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from capture.packets import compiled_cache

# More would wait for the module that takes longest, each with 300 MB.
MOST_PROCESSES = 4
SHARE = "--share"
TOLD = "helper compiled "  # begins a helper's line of a module
Modules = dict[str, tuple[int, float]]


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
    modules: Modules = {}
    began = time.perf_counter()
    folder = compiled_cache.cache_folder()

    def note(name: str, functions: int, seconds: float) -> None:
        before = modules.get(name, (0, 0.0))
        modules[name] = (before[0] + functions, before[1] + seconds)
        say(f"compiled: {name}, {functions} functions, {seconds:.1f} s")

    wanted = compiled_cache.largest_first()
    with _helpers(_processes(folder) - 1, wanted, note):
        _share(wanted, note)
    _import(wanted, note)  # what others had, and what is left of one that was killed
    _dissect_a_packet()
    if compiled_cache.writable(folder):
        compiled_cache.mark_complete(folder)
        compiled_cache.remove_stale(folder)
    return Warmed(modules, time.perf_counter() - began, compiled_cache.size(folder), folder)


def _processes(folder: Path) -> int:
    """How many are worth it."""
    missing = sum(not (folder / compiled_cache.folder_name(path)).is_dir() for path in compiled_cache.compiled_modules())
    return max(1, min(len(os.sched_getaffinity(0)), missing, MOST_PROCESSES))


def _share(wanted: Sequence[Path], note: Callable[[str, int, float], None]) -> None:
    """Compiles those modules that no other process has, one after the other."""
    for path in wanted:
        with compiled_cache.locked(f"share-{compiled_cache.dotted(path)}", wait=False) as ours:
            if ours:
                _import([path], note)


def _import(paths: Iterable[Path], note: Callable[[str, int, float], None]) -> None:
    """Imports modules. What had to be compiled for one is noted."""
    import numba.core.event as events  # half a second: only where there is something to do

    for path in paths:
        name, at = compiled_cache.dotted(path), time.perf_counter()
        with events.install_recorder("numba:compile") as recorder:
            importlib.import_module(name)
        # What helpers of other modules cost counts where they are used first.
        if functions := sum(_is_ours(event) for _, event in recorder.buffer):
            note(name, functions, time.perf_counter() - at)


@contextmanager
def _helpers(number: int, wanted: Sequence[Path], note: Callable[[str, int, float], None]) -> Iterator[None]:
    """Other processes that compile meanwhile; at the end they are waited for. One that fails leaves its share to us."""
    command = [sys.executable, "-m", __spec__.name, SHARE, *map(str, wanted)]
    started = [
        subprocess.Popen(
            command, cwd=compiled_cache.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        for _ in range(number)
    ]
    readers = [threading.Thread(target=_read, args=(process, note), daemon=True) for process in started]
    try:
        for reader in readers:
            reader.start()
        yield
        for reader in readers:
            reader.join()
    finally:
        for process in started:
            process.kill()
            process.communicate()


def _read(process: subprocess.Popen[str], note: Callable[[str, int, float], None]) -> None:
    """What a helper says of the modules that it compiled."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(TOLD):
            name, functions, seconds = line.removeprefix(TOLD).split()
            note(name, int(functions), float(seconds))


def _help(wanted: Sequence[Path]) -> None:
    """The part of a helper: it does not outlive the process that started it, whose end closes its stdin."""

    def watch() -> None:
        os.read(0, 1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    _share(wanted, lambda name, functions, seconds: print(f"{TOLD}{name} {functions} {seconds}", flush=True))


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
    if arguments[:1] == [SHARE]:
        _help([Path(path) for path in arguments[1:]])
        return 0
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
