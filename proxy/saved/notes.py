"""Notes: what people write about a packet. One a packet, of whoever wrote last; it goes with its packet."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.db import transaction
from django.http import Http404, HttpRequest

from capture.services.errors import Refused
from indexing.models import PacketIndex
from proxy.locate import batch_of
from proxy.models import PacketNote
from proxy.saved.saving import user_of
from proxy.saved.tags import hold

LONGEST = 10_000


def note_of(index: str, column: int) -> dict[str, Any] | None:
    """The note of a packet as the API shows it."""
    if not 0 <= column < 2**63 or batch_of(index, column) is None:
        return None
    found = PacketNote.objects.select_related("author").filter(index__name=index, column=column).first()
    return found.as_json() if found else None


def write_note(request: HttpRequest, index: str, column: int, words: str) -> dict[str, Any]:
    """Writes or replaces the note. Raises Refused (an empty one), Http404 (no such packet)."""
    if not words.strip():
        raise Refused("the note is empty: DELETE takes it away", option="text")
    with transaction.atomic():
        # Its batch stays meanwhile: a note that is written behind a deletion would be nobody's.
        if not 0 <= column < 2**63 or batch_of(index, column) is None or not hold(index, np.array([column], np.uint64)):
            raise Http404(f"there is no packet in column {column} of index {index!r}")
        place: dict[str, Any] = {"index": PacketIndex.objects.get(name=index), "column": column}
        PacketNote.objects.update_or_create(**place, defaults={"text": words, "author": user_of(request)})
    return note_of(index, column) or {}


def remove_note(index: str, column: int) -> None:
    """Idempotent."""
    if batch_of(index, column) is None:
        return  # no packet of theirs to see
    PacketNote.objects.filter(index__name=index, column=column).delete()
