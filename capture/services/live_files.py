"""The ring files of a live job: their rows follow what lies on the disk, which is the truth."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

from capture.models import CaptureFile, Job, ScanState
from capture.packets.live.recorder import FileState
from capture.packets.live.recovery import recover
from capture.services.text import storable

logger = logging.getLogger(__name__)

NAME = re.compile(r"live-([0-9]{6,})\.pcapng")


def folder(job: Job) -> Path:
    """Where a live job's ring files lie."""
    return job.folder / "ring"


def keep(job: Job, state: FileState) -> bool:
    """Writes down how far a file has got. Part of the caller's transaction. Whether anything is new."""
    path = f"captures/{job.pk}/ring/{state.path.name}"
    known = CaptureFile.objects.filter(job=job, sequence=state.sequence).values_list("size", "growing").first()
    if known == (state.size, state.open):
        return False
    if known is None and CaptureFile.objects.filter(job=job, sequence__gt=state.sequence).exists():
        return False  # the ring has turned over it already: a row would be of no file
    values: dict[str, Any] = {
        "size": state.size,
        "packets": state.packets,
        "packets_before": state.packets_before,
        "growing": state.open,
    }
    if not state.open:
        values["not_before"] = None  # its scanner need not wait for more
    if known is None:
        CaptureFile.objects.create(
            job=job, sequence=state.sequence, path=path, stored=True, format="pcapng", scan_state=_begin(state), **values
        )
    else:
        CaptureFile.objects.filter(job=job, sequence=state.sequence).update(**values)
    return True


def _begin(state: FileState) -> str:
    # A file that was closed before anything came into it has nothing to scan.
    return ScanState.DONE if not state.open and not state.size else ScanState.WAITING


def close_all(job: Job) -> tuple[int, int]:
    """After a capture that ended without a word: files that were being written end at their last whole block, and files that
    have no row get one. (sequence of the last file, packets in all files so far). Part of the caller's transaction; the caller
    knows that nobody writes any more. Raises OSError."""
    rows = {one.sequence: one for one in CaptureFile.objects.select_for_update().filter(job=job).order_by("sequence")}
    found = {int(match[1]): path for path in _files(job) if (match := NAME.fullmatch(path.name))}
    last, packets = max(rows, default=0), 0
    for _, row in sorted(rows.items()):
        if row.growing:
            _close(row)
        packets = row.packets_before + row.packets
    for sequence, path in sorted(found.items()):
        # Younger than every row: written while Postgres was away. Older ones without a row are left over from a turned ring.
        if sequence <= last:
            continue
        row = CaptureFile(job=job, sequence=sequence, path=f"captures/{job.pk}/ring/{path.name}", stored=True, format="pcapng")
        row.packets_before = packets
        row.save()
        _close(row)
        packets += row.packets
    return max(last, max(found, default=0)), packets


def _files(job: Job) -> list[Path]:
    try:
        return list(folder(job).iterdir())
    except FileNotFoundError:
        return []


def _close(row: CaptureFile) -> None:
    row.growing, row.not_before = False, None
    if not row.file.is_file():
        row.size, row.packets, row.scan_state = 0, 0, ScanState.DONE
        row.read_error = "the file is not there any more"
    else:
        found = recover(row.file)
        row.size, row.packets = found.size, found.packets
        if found.words:
            logger.warning("%s: %s", row.path, found.words)
        if row.size < row.scanned_bytes:
            row.read_error = storable(f"the file lost {row.scanned_bytes - row.size} bytes that were indexed already")
        if row.size <= row.scanned_bytes and row.scan_state == ScanState.WAITING:
            row.scan_state = ScanState.DONE
    row.save(update_fields=["growing", "not_before", "size", "packets", "scan_state", "read_error"])
