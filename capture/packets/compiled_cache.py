"""Where compiled code lies, under which key, and whether all of it is there. Imports no numba: a look at it must be cheap.

A module's cache lies in a folder whose name holds a hash of all that its code depends on: the module's source and those of
all our modules that it imports, directly or not (their constants are frozen into the code); the versions of Python, numba,
llvmlite and numpy; the CPU and its features; whether array bounds are checked. An edit elsewhere leaves the folder as it is.

The folders lie in `PICAPWEB_COMPILED`, else in `.cache/compiled` of the clone. Where that cannot be written, but holds all that
these sources need (an image: compiled when it was built), it is used as it is. Else the user's cache folder is taken, else a
temporary one, and a line on stderr says so.
"""

from __future__ import annotations

import ast
import atexit
import fcntl
import functools
import hashlib
import importlib.metadata
import os
import platform
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

THIS = Path(__file__).resolve()
ROOT = THIS.parent.parent.parent
BOUNDS_CHECK = os.environ.get("PICAPWEB_BOUNDS_CHECK", "") not in ("", "0")
# Folders of sources that are gone are kept so long: an older checkout, or a running older worker, may use them.
KEEP_STALE_SECONDS = 7 * 86400
# Where compiled functions may be; what of ours imports the decorator is found by its text.
PACKAGES = ("capture", "indexing", "proxy")
# Sources that are younger than this process may not be what it has imported. File systems stamp files by a clock that ticks
# every 10 ms at worst: an edit of just now may look a tick older.
STARTED = time.time() - 0.02
MARK = b"\nfrom capture.packets.compiling import"
# The name of the lock of writing: of two that add machine code of one helper for different types to its cache at the same moment,
# numba may keep the code of the one under the types of the other.
SAVING = "saving"


@functools.cache
def cache_folder() -> Path:
    """Where compiled code is kept by this process."""
    chosen = os.environ.get("PICAPWEB_COMPILED")
    first = Path(chosen) if chosen else ROOT / ".cache" / "compiled"
    if writable(first) or is_complete(first):
        return first
    why = f"compiled code cannot be kept in {first}, where not all of it is"
    users = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "picapweb" / "compiled"
    if writable(users):
        print(f"picapweb: {why}: it is kept in {users} (PICAPWEB_COMPILED names another folder)", file=sys.stderr)
        return users
    temporary = Path(tempfile.mkdtemp(prefix="picapweb-compiled-"))
    atexit.register(shutil.rmtree, temporary, ignore_errors=True)
    print(f"picapweb: {why}, nor in {users}: every process compiles anew (set PICAPWEB_COMPILED)", file=sys.stderr)
    return temporary


def writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return os.access(folder, os.W_OK | os.X_OK)
    except OSError:
        return False


_mine = threading.local()  # .names: the locks that this thread has


@contextmanager
def locked(name: str, wait: bool = True) -> Iterator[bool]:
    """Of all processes and threads one is within at a time, for each name; the same thread may enter again.

    name: that of the module whose functions are compiled, so that nothing is compiled twice, or SAVING. False, with `wait` off:
    another one is within, and this one does without."""
    names: set[str] = _mine.__dict__.setdefault("names", set())
    if name in names:
        yield True
        return
    file = None
    try:
        folder = cache_folder() / "locks"
        folder.mkdir(exist_ok=True)
        file = (folder / name).open("a")
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        assert file is not None
        file.close()
        yield False
        return
    except OSError:  # read-only, and complete: nothing will be written
        pass
    names.add(name)
    try:
        yield True
    finally:
        names.discard(name)
        if file is not None:
            file.close()


def folder_name(path: Path) -> str:
    """The name of the folder of what is compiled in source file `path`, as its sources are now."""
    path = path.resolve()
    return f"{dotted(path)}-{_key(path)}"


@functools.cache
def compiled_modules() -> tuple[Path, ...]:
    """The source files of ours that have compiled functions."""
    found = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return tuple(sorted(path for path in found if MARK in path.read_bytes()))


def largest_first() -> list[Path]:
    """`compiled_modules`, those first that depend on most code: they take longest."""
    return sorted(compiled_modules(), key=lambda path: -sum(source.stat().st_size for source in closure(path)))


def is_complete(folder: Path) -> bool:
    """Whether the compiled code of all of `compiled_modules`, as their sources are now, was put there once and still is."""
    names = [folder_name(path) for path in compiled_modules()]
    return _mark(folder, names).is_file() and all((folder / name).is_dir() for name in names)


def mark_complete(folder: Path) -> None:
    """Notes that all of it is there, unless sources were edited meanwhile."""
    names = [folder_name(path) for path in compiled_modules()]
    if any(_edited_meanwhile(path) for path in compiled_modules()):
        return
    for name in names:  # a module of helpers that nobody calls yet has none
        (folder / name).mkdir(exist_ok=True)
    _mark(folder, names).touch()


def _mark(folder: Path, names: list[str]) -> Path:
    return folder / ("complete-" + hashlib.sha256("\n".join(names).encode()).hexdigest()[:16])


def remove_stale(folder: Path) -> int:
    """Removes from `folder` what sources that are no more have left, untouched for a week. How many folders."""
    used = {folder_name(path) for path in compiled_modules()}
    removed = 0
    for found in folder.glob("*-*"):
        if found.name in used or time.time() - found.stat().st_mtime < KEEP_STALE_SECONDS:
            continue
        if found.is_dir():
            shutil.rmtree(found, ignore_errors=True)
            removed += 1
        elif found.name.startswith("complete-"):
            found.unlink(missing_ok=True)
    return removed


def size(folder: Path) -> int:
    """Bytes of the compiled code that the sources as they are now use."""
    names = {folder_name(path) for path in compiled_modules()}
    return sum(file.stat().st_size for name in names for file in (folder / name).rglob("*") if file.is_file())


@functools.cache
def _key(path: Path) -> str:
    digest = hashlib.sha256(_machine().encode())
    if _edited_meanwhile(path):
        digest.update(os.urandom(16))  # what is compiled now is nobody else's
    for source in sorted(closure(path)):
        digest.update(str(source.relative_to(ROOT) if source.is_relative_to(ROOT) else source).encode())
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def _edited_meanwhile(path: Path) -> bool:
    return any(source.stat().st_mtime > STARTED for source in closure(path))


@functools.cache
def _machine() -> str:
    """All that compiled code depends on beside its sources."""
    import llvmlite.binding  # some 50 ms

    # numba's own variables: with NUMBA_CPU_NAME=generic the code runs on every CPU of the family (images).
    cpu = os.environ.get("NUMBA_CPU_NAME") or llvmlite.binding.get_host_cpu_name()
    features = os.environ.get("NUMBA_CPU_FEATURES")
    if features is None:
        features = "" if cpu == "generic" else llvmlite.binding.get_host_cpu_features().flatten()
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("numba", "llvmlite", "numpy")]
    checked = f"bounds check {BOUNDS_CHECK}"
    return "\n".join((platform.python_version(), *versions, platform.machine(), str(cpu), str(features), checked))


def closure(path: Path) -> set[Path]:
    """`path` and the source files of all modules of its tree that it imports, directly or not."""
    found: set[Path] = set()
    waiting = [path.resolve()]
    while waiting:
        source = waiting.pop()
        if source in found or source == THIS:  # this module chooses the folder, not the code
            continue
        found.add(source)
        waiting.extend(_imports(source))
    return found


@functools.cache
def _imports(source: Path) -> list[Path]:
    found = []
    for node in ast.walk(ast.parse(source.read_bytes(), str(source))):
        names: list[str] = []
        bases = [ROOT, _root_of(source), source.parent]
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            names = [module, *(f"{module}.{alias.name}".lstrip(".") for alias in node.names)]
            if node.level:
                bases = [source.parents[node.level - 1]]
        for name in names:
            for base in bases:
                place = base / Path(*name.split(".")) if name else base
                found += [file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()]
    return found


@functools.cache
def _root_of(source: Path) -> Path:
    """The folder from which the package of `source` is imported (that of a plug-in is not in ours)."""
    folder = source.parent
    while (folder / "__init__.py").is_file():
        folder = folder.parent
    return folder


def dotted(path: Path) -> str:
    """The module's name: capture.packets.fast.out for that file of the clone."""
    relative = path.relative_to(ROOT) if path.is_relative_to(ROOT) else Path(path.name)
    return ".".join(relative.with_suffix("").parts).removesuffix(".__init__")
