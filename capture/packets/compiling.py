"""Compiled loops: numba, with a cache on disk that no edit can leave stale.

numba keys a cached function by its own file only: after an edit of a helper in another file, the old machine code would go on.
So every module's cache lies in a folder whose name holds a hash of all that its code depends on: the module's source and
those of all our modules that it imports, directly or not (their constants are frozen into the code); the versions of Python,
numba, llvmlite and numpy; the CPU and its features; whether array bounds are checked.

The cache lies in `PICAPWEB_COMPILED`, else in `.cache/compiled` of the clone, else (not writable) in the user's cache folder.
With `PICAPWEB_BOUNDS_CHECK=1` each index is checked, and a read outside of an array raises IndexError (for tests: slow).
"""

from __future__ import annotations

import ast
import functools
import hashlib
import os
import platform
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import llvmlite
import llvmlite.binding
import numba
import numba.core.config
import numpy as np

ROOT = Path(__file__).resolve().parent.parent.parent
BOUNDS_CHECK = os.environ.get("PICAPWEB_BOUNDS_CHECK", "") not in ("", "0")
# Folders of sources that are gone are kept so long: an older checkout, or a running older worker, may use them.
KEEP_STALE_SECONDS = 7 * 86400

F = TypeVar("F", bound=Callable[..., Any])


def cache_folder() -> Path:
    """Where compiled code is kept."""
    chosen = os.environ.get("PICAPWEB_COMPILED")
    if chosen:
        return Path(chosen)
    own = ROOT / ".cache" / "compiled"
    try:
        own.mkdir(parents=True, exist_ok=True)
        if os.access(own, os.W_OK):
            return own
    except OSError:
        pass
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "picapweb" / "compiled"


def compiled(signature: Any = None, **options: Any) -> Callable[[F], F]:
    """Decorator: the function as a compiled loop that runs without the GIL.

    signature: numba's, for functions that are called from Python: compiled (or loaded) at import, and never again at run
    time, since arguments of other types are a TypeError. None for helpers: compiled with whoever calls them.
    """

    def decorate(function: F) -> F:
        folder = module_folder(Path(function.__code__.co_filename))
        folder.mkdir(parents=True, exist_ok=True)
        numba.core.config.CACHE_DIR = str(folder)  # read by numba when it makes the function's cache, which is now
        settings = {"cache": True, "nogil": True, "error_model": "numpy", "boundscheck": BOUNDS_CHECK, **options}
        made: F = numba.njit(signature, **settings)(function) if signature is not None else numba.njit(**settings)(function)
        return made

    return decorate


def module_folder(path: Path) -> Path:
    """The cache folder of the compiled functions in source file `path`, as its sources are now."""
    path = path.resolve()
    return cache_folder() / f"{_dotted(path)}-{_key(path)}"


def remove_stale() -> int:
    """Removes folders of sources that are no more, unused for a week. How many."""
    removed = 0
    for folder in cache_folder().glob("*-*"):
        if folder not in _used() and time.time() - folder.stat().st_mtime > KEEP_STALE_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)
            removed += 1
    return removed


def _used() -> set[Path]:
    return {cache_folder() / f"{_dotted(path)}-{_key(path)}" for path in _keyed}


_keyed: set[Path] = set()


@functools.cache
def _key(path: Path) -> str:
    _keyed.add(path)
    digest = hashlib.sha256(_machine().encode())
    for source in sorted(closure(path)):
        digest.update(str(source.relative_to(ROOT) if source.is_relative_to(ROOT) else source).encode())
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


@functools.cache
def _machine() -> str:
    """All that compiled code depends on beside its sources."""
    return "\n".join(
        (
            platform.python_version(),
            numba.__version__,
            llvmlite.__version__,
            np.__version__,
            platform.machine(),
            str(llvmlite.binding.get_host_cpu_name()),
            str(llvmlite.binding.get_host_cpu_features().flatten()),
            f"bounds check {BOUNDS_CHECK}",
        )
    )


def closure(path: Path) -> set[Path]:
    """`path` and the source files of all modules of its tree that it imports, directly or not."""
    found: set[Path] = set()
    waiting = [path.resolve()]
    while waiting:
        source = waiting.pop()
        if source in found:
            continue
        found.add(source)
        waiting.extend(_imports(source))
    return found


@functools.cache
def _imports(source: Path) -> list[Path]:
    found = []
    for node in ast.walk(ast.parse(source.read_bytes(), str(source))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            for base in (ROOT / Path(*name.split(".")), source.parent / Path(*name.split("."))):
                found += [file for file in (base.with_suffix(".py"), base / "__init__.py") if file.is_file()]
    return found


def _dotted(path: Path) -> str:
    relative = path.relative_to(ROOT) if path.is_relative_to(ROOT) else Path(path.name)
    return ".".join(relative.with_suffix("").parts)
