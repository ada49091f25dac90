"""Indexing again what is indexed: visible batches are dissected anew, with the columns and fields that they have (or other
fields), and their new bits take the place of the old ones, one batch in one step. Answers stay right meanwhile: each packet is
in them as it was, or as it is now. Tags, and what else queries wrote to packets, stay.

On Pilosa bits cannot be exchanged in one step: a batch is out of all answers while its bits are replaced. It is never there
twice.

Nothing is noted beside it: who is broken off begins anew.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Max

from capture.packets.dissect import DISSECTORS
from capture.packets.errors import PacketsError
from indexing import given_up, pipeline, second_pass, store, translation
from indexing.backends.base import Backend, BackendError
from indexing.models import Batch, BatchState, SecondPass
from indexing.translation import TranslationCollision

Say = Callable[[str], None]
TELL_EVERY = 50
_NOT_LOST = threading.Event()


@dataclass
class Done:
    """How many batches: indexed again, or gone meanwhile. failed: batch -> why; it stays as it was."""

    counts: Counter[str] = field(default_factory=Counter)
    packets: int = 0
    failed: dict[int, str] = field(default_factory=dict)
    jobs: set[int] = field(default_factory=set)

    def words(self) -> str:
        """For a person."""
        said = f"{self.counts['again']:,} batches with {self.packets:,} packets were indexed again"
        if self.failed:
            said += f"; {len(self.failed):,} could not be, and are as they were"
        return said


def reindex(batches: Sequence[int] | None, fields: Sequence[str] | None = None, *, say: Say = lambda _: None) -> Done:
    """Indexes visible batches (None: all) again. fields: what they index from now on; None: what they do.

    Raises BackendAway, BackendError, django.db.Error: what was done until then is done."""
    rows = Batch.objects.filter(state=BatchState.VISIBLE, packets__gt=0).order_by("pk")
    rows = rows.filter(pk__lte=rows.aggregate(last=Max("pk"))["last"] or 0) if batches is None else rows.filter(pk__in=batches)
    done = Done()
    seen: dict[int, tuple[str, int]] = {}
    # Small batches become one meanwhile, under the number of the first: until there is none that was not looked at as it is.
    while todo := [pk for pk, *kept in rows.values_list("pk", "locator", "packets") if seen.get(pk) != tuple(kept)]:
        for number, pk in enumerate(todo, 1):
            batch = rows.select_related("index").filter(pk=pk).first()
            if batch is not None:
                seen[pk] = batch.locator, batch.packets
                _one(batch, fields, done)
            if number % TELL_EVERY == 0:
                say(f"{number:,} of {len(todo):,} batches")
    return done


def _one(batch: Batch, fields: Sequence[str] | None, done: Done) -> None:
    try:
        changed = _again(batch, fields)
    except (PacketsError, OSError, TranslationCollision) as error:
        done.failed[batch.pk] = f"batch {batch.sequence} of job {batch.job}: {error}"
        return
    done.counts["again" if changed else "gone"] += 1
    if changed:
        done.packets += batch.packets
        done.jobs.add(batch.job)


def _again(batch: Batch, fields: Sequence[str] | None) -> bool:
    """False if the batch is not what it was any more: deleted, or merged with others."""
    kept = batch.locator, batch.first_column, batch.packets
    # Its row names the dissector with its version, "fast-1"; asked for is the dissector. It has not failed: no attempt counts.
    batch.dissector, batch.attempt = batch.dissector.rpartition("-")[0] or batch.dissector, 1
    if batch.dissector not in DISSECTORS:
        raise PacketsError(f"its dissector {batch.dissector!r} is none of {', '.join(DISSECTORS)}")
    if fields is not None:
        batch.fields = list(fields)
    backend = store.ensure_index(batch.index.name)
    while True:
        epoch = translation.epoch(batch.index.name)
        prepared = pipeline.prepare(batch, _NOT_LOST)
        with transaction.atomic():
            now = Batch.objects.select_for_update(of=("self",)).filter(pk=batch.pk, state=BatchState.VISIBLE).first()
            if now is None or (now.locator, now.first_column, now.packets) != kept:
                return False
            if translation.shares_epoch(batch.index.name, epoch):
                _replace(backend, batch, prepared)
                dissected = prepared.dissected
                given_up.forget([batch])
                given_up.note(batch, prepared.given_up, prepared.locator)
                Batch.objects.filter(pk=batch.pk).update(
                    fields=batch.fields,
                    dissector=dissected.dissector,
                    undecodable=dissected.undecodable,
                    handed_over=dissected.handed_over,
                    not_indexed=dissected.not_indexed,
                    # What belongs to conversations went with the rest: the pass over the job's packets begins again.
                    second_pass=SecondPass.WAITING if second_pass.wanted(batch.fields) else SecondPass.NONE,
                )
                return True
        translation.catch_up(batch.index.name)


def _replace(backend: Backend, batch: Batch, prepared: pipeline.Prepared) -> None:
    again = getattr(backend, "import_again", None)
    if again is None:
        raise BackendError(f"{backend.name} cannot replace a batch")
    again(batch.index.name, prepared.bits)


def start_anew() -> None:
    """Throws the embedded store away, whatever is in it or is wrong with it, and makes an empty one. All batches are to be
    indexed again after this."""
    backend = store.backend()
    empty = getattr(backend, "start_anew", None)
    if empty is None:
        raise BackendError(f"the index in {backend.name} is not made anew here: drop its indexes there")
    empty()
