"""The backend of this process: which one, and opened when first asked for (never before a fork)."""

from __future__ import annotations

import os
import threading

from django.conf import settings

from capture.packets.registry import FIELDS
from indexing.backends import open_backend
from indexing.backends.base import Backend, FieldSchema
from indexing.backends.embedded_cache import Cache

_lock = threading.Lock()
_open: tuple[int, str, Backend] | None = None
_ensured: set[str] = set()


def backend() -> Backend:
    """The backend of INDEX_URL, one per process."""
    global _open
    key = (os.getpid(), settings.INDEX_URL)
    current = _open
    if current is not None and current[:2] == key:
        return current[2]
    with _lock:
        if _open is None or _open[:2] != key:
            _ensured.clear()
            _open = (*key, open_backend(settings.INDEX_URL, settings.INDEX_DIR))
        return _open[2]


def schema() -> list[FieldSchema]:
    """Every field of the registry as a backend needs to know it."""
    return [FieldSchema(field.name, field.kind, field.minimum, field.maximum) for field in FIELDS.values()]


def ensure_index(index: str) -> Backend:
    """The backend, with the index and all registered fields in it (asked once per process)."""
    current = backend()
    if index not in _ensured:
        current.ensure_index(index, schema())
        _ensured.add(index)
    return current


def query_cache() -> Cache | None:
    """What this process keeps of the embedded store between queries; None while it keeps nothing."""
    current = _open
    if current is None or current[0] != os.getpid():
        return None
    kept: Cache | None = getattr(current[2], "query_cache", None)
    return kept


def close() -> None:
    """Closes this process's backend; the next call opens it anew."""
    global _open
    with _lock:
        if _open is not None and _open[0] == os.getpid():
            _open[2].close()
        _open = None
        _ensured.clear()
