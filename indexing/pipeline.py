"""The way of one batch: read -> dissect -> row ids -> bits -> backend -> visible. Each stage a function over the batch."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from capture.packets import bounded
from capture.packets.batch import PacketBatch
from capture.packets.columns import Dissected, IntValues, SetValues
from capture.packets.dissect import DISSECTORS, dissect
from capture.packets.errors import PacketsError
from capture.packets.locator import read_locator_and_names
from capture.packets.reading import read_batch
from capture.packets.registry import FIELDS
from indexing import given_up as giving_up
from indexing import second_pass, translation
from indexing.backends.base import BatchBits, CodedBits, IntBits, SetBits
from indexing.batches import ClaimLost
from indexing.models import Batch, BatchState, SecondPass

if TYPE_CHECKING:
    from capture.packets.alone.driver import GivenUp

logger = logging.getLogger(__name__)
_LOST = "batch {}: its job was stopped or its lease ran out"
JOB_FIELD = "job"
# A job outlives the package that brought its field.
NO_SUCH_FIELD = "no installed package has this field: it had one when the job was made"


def read(batch: Batch) -> PacketBatch:
    """The batch's packets from its stored capture. Raises ReadError, OSError."""
    data = Path(settings.PICAPWEB_DATA)
    return read_batch(data / batch.capture, *read_locator_and_names(data / batch.locator))


def row_ids(index: str, dissected: Dissected) -> dict[str, NDArray[np.uint64]]:
    """Row ids of the distinct values of every set field, in the order of its `values`. Raises TranslationCollision."""
    texts: dict[str, list[bytes]] = {}
    rows: dict[str, NDArray[np.uint64]] = {}
    for name, column in dissected.fields.items():
        if isinstance(column, SetValues):
            if FIELDS[name].encoding == "text":
                texts[name] = list(column.values)
            else:
                rows[name] = np.asarray(column.values, np.uint64)
    rows.update(translation.resolve(index, texts))
    return rows


def bits(batch: Batch, dissected: Dissected, rows: dict[str, NDArray[np.uint64]]) -> BatchBits:
    """All bits of a dissected batch, its `job` row included."""
    fields: dict[str, SetBits | CodedBits | IntBits] = {}
    for name, column in dissected.fields.items():
        if isinstance(column, IntValues):
            fields[name] = IntBits(column.packet.astype(np.uint64) + np.uint64(batch.first_column), column.value)
        else:
            fields[name] = CodedBits(column.packet, column.code, rows[name])
    every, one = np.arange(batch.packets, dtype=np.uint32), np.zeros(batch.packets, np.uint32)
    fields[JOB_FIELD] = CodedBits(every, one, np.array([batch.job], np.uint64))
    return BatchBits(batch.pk, batch.first_column, batch.packets, fields, batch.generation)


@dataclass(frozen=True)
class Prepared:
    """A batch that is dissected, its bits, and which of its packets were given up (with its locator, if any was)."""

    bits: BatchBits
    dissected: Dissected
    given_up: Sequence[GivenUp] = ()
    locator: NDArray[Any] | None = None


def prepare(batch: Batch, lost: threading.Event, whole: bool = False) -> Prepared:
    """Everything up to the import: slow, and without a lock. Raises ReadError, OSError, ClaimLost, TranslationCollision.

    A batch whose worker was ended, or whose dissection fails here, is dissected by processes of its own, in pieces.
    whole: it is all of a capture, so what belongs to conversations is found along with the rest (`second_pass` then says so)."""
    fields = [name for name in batch.fields if name in FIELDS]
    if batch.dissector not in DISSECTORS:
        raise PacketsError(f"no such dissector: {batch.dissector!r} (there are: {', '.join(DISSECTORS)})")
    given_up: Sequence[GivenUp] = ()
    locator = None
    # Indexed again, a batch in which packets were given up would end this process at them.
    known = batch.state == BatchState.VISIBLE and giving_up.any_in(batch)
    dissected = None if batch.attempt > 1 or known else _here(batch, fields, whole)
    if dissected is None:
        dissected, given_up, locator = _alone(batch, fields, lost)
    dissected.not_indexed.update((name, NO_SUCH_FIELD) for name in batch.fields if name not in FIELDS)
    if lost.is_set():
        raise ClaimLost(_LOST.format(batch.pk))
    return Prepared(bits(batch, dissected, row_ids(batch.index.name, dissected)), dissected, given_up, locator)


def _here(batch: Batch, fields: Sequence[str], whole: bool) -> Dissected | None:
    """The batch dissected in this process, under its bounds; None where that fails for any reason but the stored capture."""
    try:
        with bounded.memory(settings.BATCH_MEMORY):
            packets = read(batch)
            with bounded.seconds(settings.BATCH_SECONDS):
                dissected = dissect(packets, fields, batch.dissector)
                if whole:
                    from capture.packets.conversations.conversations import of_whole_capture  # brings compiled loops

                    dissected = second_pass.with_columns(dissected, batch, of_whole_capture(packets, batch.first_column))
                    batch.second_pass = SecondPass.DONE
                return dissected
    except (PacketsError, OSError):
        raise
    except Exception:
        logger.warning("batch %d of job %d is dissected in pieces, for", batch.sequence, batch.job, exc_info=True)
        return None


def _alone(
    batch: Batch, fields: Sequence[str], lost: threading.Event
) -> tuple[Dissected, Sequence[GivenUp], NDArray[Any] | None]:
    from capture.packets.alone.driver import NotWanted, dissect_alone  # what no batch needs when all is well

    data = Path(settings.PICAPWEB_DATA)
    locator, interfaces = read_locator_and_names(data / batch.locator)
    try:
        dissected, given_up = dissect_alone(
            data / batch.capture,
            locator,
            interfaces,
            fields,
            batch.dissector,
            seconds=settings.BATCH_SECONDS,
            memory=settings.BATCH_MEMORY,
            wanted=lambda: not lost.is_set(),
        )
    except NotWanted:
        raise ClaimLost(_LOST.format(batch.pk)) from None
    for one in given_up:
        first, last = (int(locator["number"][at]) for at in (one.first, one.last))
        at = int(locator["offset"][one.first])
        logger.error("%s: packets %d to %d (offset %d) are given up: %s", batch.capture, first, last, at, one.reason)
    return dissected, given_up, locator if given_up else None
