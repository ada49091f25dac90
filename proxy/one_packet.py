"""One packet whole: bytes, layers, values as indexed, neighbours."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.conf import settings
from django.http import Http404

from capture import sight
from capture.models import Job, JobKind
from capture.packets.bounded_tree import Undissected, bounded_tree
from capture.packets.errors import PacketsError
from capture.packets.layer import Layer
from capture.packets.registry import FIELDS
from indexing import given_up
from indexing.models import Batch, BatchState
from proxy.locate import batch_of, locate, packet_bytes
from proxy.packets import PacketRow, indexed_numbers, indexed_values, rows_of
from proxy.saved.notes import note_of


@dataclass
class OnePacket:
    """A packet with everything its page shows. bytes_gone: why its bytes cannot be read, if so, and then what the index alone
    knows is all there is: no layers. given_up: why it could not be dissected when it was indexed; it is not tried here.
    undissected: why it could not be dissected here."""

    row: PacketRow
    job: Job
    data: bytes
    layers: list[Any]
    values: list[dict[str, Any]] = field(default_factory=list)
    previous: int | None = None
    next: int | None = None
    bytes_gone: str = ""
    given_up: str = ""
    undissected: str = ""
    note: dict[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        packet = self.row.as_json()
        del packet["fields"]
        return {
            **packet,
            "index": self.row.index,
            "linktype": self.row.linktype,
            "bytes": self.data.hex(),
            "bytes_gone": self.bytes_gone or None,
            "given_up": self.given_up or None,
            "undissected": self.undissected or None,
            "layers": [layer.to_json() for layer in self.layers],
            "values": self.values,
            "previous": self.previous,
            "next": self.next,
            "note": self.note,
        }


def one_packet(index: str, column: int) -> OnePacket:
    """The packet of a column. Raises Http404 in words: no such column, or its job was deleted."""
    batch = batch_of(index, column) if 0 <= column < 2**63 else None
    job = sight.seen().filter(pk=batch.job).first() if batch is not None else None
    if batch is None or job is None:
        raise Http404(f"there is no packet in column {column} of index {index!r}")
    rows = rows_of(index, locate(index, np.array([column], np.uint64)), [])
    if not rows:
        raise Http404(f"the packet in column {column} of index {index!r} is gone with the ring file of job {job.pk} that held it")
    data, gone = b"", ""
    try:
        data, _ = packet_bytes(batch, column)
    except FileNotFoundError:
        gone = _no_file(job)
    except OSError as error:
        gone = f"the stored capture cannot be read: {error.strerror}"
    except PacketsError as error:
        gone = str(error)
    row = rows[0]
    stopped = given_up.reason_of(job.pk, column) if batch.undecodable else ""
    layers, undissected = _layers(data, row) if not stopped else ([], "")
    return OnePacket(
        row=row,
        job=job,
        data=data,
        layers=layers,
        values=_indexed(index, column),
        previous=_neighbour(batch, column, -1),
        next=_neighbour(batch, column, 1),
        bytes_gone=gone,
        given_up=stopped,
        undissected=undissected,
        note=note_of(index, column),
    )


def _indexed(index: str, column: int) -> list[dict[str, Any]]:
    """All values, in registry order; of numbers that are compared, those of conversations."""
    numbers = [name for name, one in FIELDS.items() if one.kind == "int" and one.conversations]
    values = indexed_values(index, column, list(FIELDS)) + indexed_numbers(index, column, numbers)
    place = {name: at for at, name in enumerate(FIELDS)}
    return sorted(values, key=lambda one: place[one["field"]])


def _layers(data: bytes, row: PacketRow) -> tuple[list[Layer], str]:
    """The layer tree, and why there is none."""
    if not data:
        return [], ""
    try:
        return bounded_tree(data, row.linktype, row.length, settings.PACKET_SECONDS), ""
    except Undissected as error:
        return [], str(error)


def _no_file(job: Job) -> str:
    if job.kind != JobKind.INTERFACE:
        return "the stored capture is not there any more"
    kept = job.options.get("ring_files")
    words = f", which keeps the last {kept:,} ring file{'s' * (kept != 1)}" if kept else ""
    return f"the ring file that held them was removed by job {job.pk}{words}, and its index was kept"


def _neighbour(batch: Batch, column: int, step: int) -> int | None:
    """The column of the job's packet before or behind this one."""
    if batch.first_column <= column + step <= batch.last_column:
        return column + step
    beside = batch_of(batch.index.name, column + step) if column + step >= 0 else None
    if beside is not None and beside.job == batch.job:
        return column + step
    others = Batch.objects.filter(job=batch.job, state=BatchState.VISIBLE, packets__gt=0)
    if step < 0:
        other = others.filter(sequence__lt=batch.sequence).order_by("-sequence").first()
        return None if other is None else other.last_column
    other = others.filter(sequence__gt=batch.sequence).order_by("sequence").first()
    return None if other is None else other.first_column
