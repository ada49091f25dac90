"""Whether an index is what Postgres says: store against batches, both ways. `manage.py check_index` prints what this finds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from indexing import checking_blobs, checking_existence, checking_jobs, checking_locators, checking_rows, checking_store, store
from indexing import checking_values as values
from indexing.backends.base import Backend
from indexing.backends.embedded import EmbeddedBackend
from indexing.checking_findings import Finding, agreed
from indexing.models import Batch, BatchState, PacketIndex


class NoSuchIndex(Exception):
    """Neither Postgres nor the backend has an index of that name."""


def names(index: str | None = None) -> list[str]:
    """The indexes to check: one, or all that Postgres or the backend has. Raises NoSuchIndex, BackendAway."""
    known = set(PacketIndex.objects.values_list("name", flat=True)) | set(store.backend().indexes())
    if index is None:
        return sorted(known)
    if index not in known:
        raise NoSuchIndex(f"there is no index {index!r}; there are {', '.join(sorted(known)) or 'none'}")
    return [index]


def check(index: str, repair: bool = False) -> Iterator[Finding]:
    """All findings about an index, while workers work on it. With `repair`, batches that nobody knows are deleted.

    Of Postgres' rows and of the store's list of batches all are held in memory, of bits those of one batch or shard.
    Raises BackendAway, BackendError."""
    backend = store.backend()
    row = PacketIndex.objects.filter(name=index).first()
    if row is not None:
        yield from checking_rows.overlaps(row)
        yield from checking_rows.next_column(row)
        yield from checking_locators.locators(index)
    if index not in backend.indexes():
        yield from agreed(lambda: _missing(index, backend))
        return
    if isinstance(backend, EmbeddedBackend):
        yield from checking_store.batches(index, backend, backend, repair)
    if row is None:
        return  # somebody made it through the API, and has no packets in it
    yield from checking_existence.columns(row, backend)
    yield from checking_jobs.packets(index, backend)
    known = values.Translations(index)
    if not isinstance(backend, EmbeddedBackend):
        yield from values.rows(backend, known)
    else:
        yield from known.findings
        yield from checking_blobs.blobs(index, Path(settings.INDEX_DIR), known)


def _missing(index: str, backend: Backend) -> list[Finding]:
    """Postgres has visible packets, and the backend has no such index: one that is being made has none yet."""
    visible = Batch.objects.filter(index__name=index, state=BatchState.VISIBLE, packets__gt=0).exists()
    if not visible or index in backend.indexes():
        return []
    return [Finding("index is missing", "it has visible batches, and the backend has no such index", {"index": index})]
