"""Scanning: a capture is stored (decompressed), then cut into batches with locators and columns, one short transaction each."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.db import DataError, connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from capture.models import CaptureFile, Job, JobKind, ScanState
from capture.packets import bounded
from capture.packets.batch import NO_TIME, ScannedBatch
from capture.packets.errors import PacketsError
from capture.packets.locator import write_locator
from capture.packets.sources import Source, decompress, open_capture
from capture.packets.values import bytes_of
from capture.services import progress, storage, turning
from capture.services.create import find_known, keep_info
from capture.services.errors import Refused
from capture.services.options import Options
from capture.services.ring import ring
from capture.services.text import storable
from indexing import batches, second_pass
from indexing.batches import Reservation
from indexing.models import Batch, SecondPass

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 5  # each may take BATCH_SECONDS
# So much a compressed capture may become, whatever its ratio.
ANY_RATIO_BYTES = 256 << 20
# A ring file that the disk would not give is asked for again after so long.
DISK_SECONDS = 3.0


class ScanLost(Exception):
    """The lease ran out, or the job was stopped or deleted: the scan ends where it stands."""


# A file of a growing capture is looked at again so long after its scanner came to its end.
GROWING_SECONDS = 0.3
# Its batches are of so many packets at most, so that several workers have some of what came in one moment.
GROWING_BATCH = 50_000
# The first batch of a file of fewer bytes is small: its scanner indexes it faster than another worker is woken.
WORTH_RINGING = 1 << 20
# What was scanned is read again by who dissects it: from memory, if the scan is not too far ahead. Bytes of packets in batches
# that are not indexed; a scan pauses beyond the first, and is claimed again below the second.
AHEAD_BYTES, GO_ON_BYTES = 512 << 20, 256 << 20
LOOK_BYTES = 32 << 20  # scanned between two looks at that
# The scan of a large file makes way for others after so long, and goes on when it is claimed again.
TURN_SECONDS = 2.0


def claim() -> CaptureFile | None:
    """The oldest capture that waits to be scanned, or whose scanner's lease ran out; ring files that are being written come
    first, and those of one job one after the other. Its `attempt` is the claim's token."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE capture_capturefile SET scan_state = 'scanning', attempt = attempt + 1, worker = %s,
                   failures = CASE WHEN scan_state = 'scanning' THEN failures + 1 ELSE failures END,
                   lease_until = now() + %s * interval '1 second'
               WHERE id = (
                   SELECT c.id FROM capture_capturefile c JOIN capture_job j ON j.id = c.job_id
                   WHERE c.scan_state IN ('waiting', 'scanning')
                     AND (c.scan_state = 'waiting' OR c.lease_until < now())
                     AND (c.not_before IS NULL OR c.not_before < now())
                     AND (j.state IN ('queued', 'running') OR j.kind = 'interface' AND j.state = 'stopping')
                     AND j.deleted IS NULL
                     AND (NOT c.growing OR c.size > c.scanned_bytes)
                     AND (c.growing OR c.scanned_bytes = 0 OR %s > (
                         SELECT coalesce(sum(b.captured_bytes), 0) FROM indexing_batch b
                         WHERE b.job = c.job_id AND b.state IN ('ready', 'claimed')))
                     AND (j.kind <> 'interface' OR NOT EXISTS (
                         SELECT 1 FROM capture_capturefile earlier WHERE earlier.job_id = c.job_id
                         AND earlier.sequence < c.sequence AND earlier.scan_state IN ('waiting', 'scanning')))
                   ORDER BY c.growing DESC, c.id LIMIT 1 FOR UPDATE OF c SKIP LOCKED)
               RETURNING id""",
            [batches.worker_name(), settings.LEASE_SECONDS, GO_ON_BYTES],
        )
        row = cursor.fetchone()
    return CaptureFile.objects.select_related("job").get(pk=row[0]) if row else None


def run(capture: CaptureFile) -> None:
    """Scans a claimed capture to its end, from where an earlier scan left off."""
    job = capture.job
    if capture.failures >= MAX_ATTEMPTS:
        at = f"byte offset {capture.scanned_bytes:,}"
        _fail(capture, f"its scanner was ended, or took too long, {capture.failures} times at the same place, behind {at}")
    elif progress.begin(job):
        try:
            with _renewing(capture) as lost:
                if not capture.stored:
                    _store(capture)
                if _scan(capture, lost):
                    return
        except ScanLost:
            _release(capture)
            if not CaptureFile.objects.filter(pk=capture.pk).exists():
                # The job was deleted and cleared meanwhile; what this scan wrote since then is nobody's.
                storage.remove_job_folder(job.pk)
        except (PacketsError, DataError) as error:
            _fail(capture, storable(str(error)))
        except Refused as refused:
            _fail(capture, storable(refused.detail))
        except OSError as error:
            if capture.growing and not isinstance(error, FileNotFoundError):
                # What is captured now must not be given up for a moment's trouble with the disk.
                logger.warning("%s is scanned later: %s", capture.path, error)
                _release(capture, DISK_SECONDS)
                return
            _fail(capture, f"the capture cannot be stored or read: {error.strerror or error}")
    else:
        _release(capture)
    progress.end_if_done(job.pk)


def _store(capture: CaptureFile) -> None:
    """Copies or decompresses a capture to where it is kept. Raises PacketsError, OSError."""
    source, target = Path(capture.source), capture.file
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    uploaded = source.parent == target.parent
    with nullcontext(source) if uploaded else storage.opened_import(source) as held:
        broken: str | None = None
        if capture.compressed:
            broken = decompress(held, target, _most_bytes(held.stat().st_size))
            sha256 = capture.sha256 or storage.sha256_of(held)
        else:
            sha256 = storage.copy_hashing(held, target)
    capture.stored, capture.sha256, capture.size = True, sha256, target.stat().st_size
    capture.read_error = broken or ""
    _note_duplicate(capture)
    _save(capture, "stored", "sha256", "size", "read_error")
    if uploaded:
        source.unlink()  # not before the row says so: whoever is killed in between has nothing to store again


def _most_bytes(compressed: int) -> int:
    """How large a compressed file of so many bytes may become."""
    most = int(settings.MAX_CAPTURE_BYTES)
    return min(most, max(ANY_RATIO_BYTES, compressed * settings.MAX_RATIO)) if settings.MAX_RATIO else most


def _note_duplicate(capture: CaptureFile) -> None:
    """A server-side file is hashed only here: a known one is said, not refused."""
    job = capture.job
    known = find_known(capture.sha256, Options(index=job.index, filter=job.filter, dissector=job.dissector, fields=job.fields))
    if known is not None and known.pk != job.pk and not job.duplicate_of_id:
        Job.objects.filter(pk=job.pk).update(duplicate_of=known)


def _scan(capture: CaptureFile, lost: threading.Event) -> bool:
    """True if it is scanned to its end and has a batch that nobody could have indexed before that: its worker ends the job."""
    job, live = capture.job, capture.job.kind == JobKind.INTERFACE
    until = time.monotonic() + TURN_SECONDS
    with open_capture(capture.file) as source:
        keep_info(capture, source.info)
        # What a live capture lets in was decided before it was written: by its filter in the kernel, and its stop rules.
        limited = bool(job.options.get("max_packets")) and not live
        if limited:
            job.refresh_from_db(fields=["packets_read", "packets_filtered_out"])
        read = job.packets_read
        sequence = batches.last_sequence(job.pk)  # nobody else cuts batches of this job as long as the claim holds
        room = int(job.options.get("max_packets", 0)) - (read - job.packets_filtered_out)
        expression = "" if live else job.filter
        if not limited or room > 0:
            size = min(int(job.options["bufsize"]), GROWING_BATCH) if capture.growing else int(job.options["bufsize"])
            unlooked = 0
            steps = _bounded(source.scan(size, expression, json.loads(capture.position or "null")))
            # The end of a small file goes with its last batch: two commits would be a tenth of what it costs. Not where a scanner
            # ended: it may have been at the next step, and what comes before that is to be kept.
            looks_ahead = not (live or limited or capture.growing or capture.failures) and capture.size <= WORTH_RINGING
            for found, last in _and_whether_last(steps) if looks_ahead else ((one, False) for one in steps):
                if lost.is_set():
                    raise ScanLost
                if live:
                    found.locator["number"] += np.uint64(capture.packets_before)
                if limited:
                    found = _cut(found, room, read)
                    room -= len(found.locator)
                if found.read:
                    sequence += 1
                    _commit(capture, found, source, sequence, last)
                    read += found.read
                    if last:
                        return bool(len(found.locator))
                if limited and room <= 0:
                    break
                unlooked += int(found.locator["captured_length"].sum(dtype=np.int64))
                far = False
                if unlooked > LOOK_BYTES and not capture.growing:
                    unlooked, far = 0, batches.waiting_bytes(job.pk) > AHEAD_BYTES
                if far or time.monotonic() > until:
                    _release(capture)
                    ring()
                    return False
        if capture.growing:
            # It may have been closed meanwhile: then the next claim finds that out, and scans what was written last.
            _leave_for_now(capture, source.end_state or json.loads(capture.position or "{}"))
            return False
        _note_end(capture, source)
        with transaction.atomic():
            _save(capture, *END_COLUMNS, *HEAD_COLUMNS)
            if capture.reserved_left:
                batches.give_back(job.index, Reservation(capture.reserved_column, capture.reserved_left))
                CaptureFile.objects.filter(pk=capture.pk).update(reserved_left=0)
        return False


def _note_end(capture: CaptureFile, source: Source) -> None:
    """What is to be saved of a capture that is scanned to its end."""
    keep_info(capture, source.info)
    capture.read_error = storable("; ".join(text for text in (str(source.read_error or ""), capture.read_error) if text))
    capture.scan_state, capture.scanned_bytes, capture.lease_until = ScanState.DONE, capture.size, None


def _and_whether_last(steps: Iterator[ScannedBatch]) -> Iterator[tuple[ScannedBatch, bool]]:
    """Each step, and whether none follows. What goes wrong in the next one is raised behind the one before."""
    found = next(steps, None)
    while found is not None:
        try:
            following = next(steps, None)
        except (PacketsError, OSError):
            yield found, False
            raise
        yield found, following is None
        found = following


def _bounded(steps: Iterator[ScannedBatch]) -> Iterator[ScannedBatch]:
    """Each step under the bounds of a batch. Raises PacketsError for whatever else goes wrong in one."""
    while True:
        try:
            with bounded.memory(settings.BATCH_MEMORY), bounded.seconds(settings.BATCH_SECONDS):
                found = next(steps, None)
        except (PacketsError, OSError):
            raise
        except Exception as error:
            logger.exception("a scan")
            raise PacketsError(f"the scan failed: {type(error).__name__}: {error}") from None
        if found is None:
            return
        yield found


def _leave_for_now(capture: CaptureFile, end: dict[str, Any]) -> None:
    """A ring file that grows is scanned as far as it is there. end: the state of the scan, to go on from. Raises ScanLost."""
    capture.position, capture.scanned_bytes = json.dumps(end), int(end.get("offset", 0))
    capture.scan_state, capture.lease_until = ScanState.WAITING, None
    capture.not_before = timezone.now() + timedelta(seconds=GROWING_SECONDS)
    _save(capture, "position", "scanned_bytes", "scan_state", "lease_until", "not_before")
    # The ring of one that was closed meanwhile found nothing to claim, and comes only once.
    if CaptureFile.objects.filter(pk=capture.pk, growing=False).update(not_before=None):
        ring()


def _cut(found: ScannedBatch, room: int, read: int) -> ScannedBatch:
    """The batch with at most `room` packets; what lies behind the last one that is let in was never looked at."""
    if len(found.locator) < room:
        return found
    locator = found.locator[:room]
    looked_at = int(locator["number"][-1]) - read
    return ScannedBatch(locator, looked_at, looked_at - room, found.state)


HEAD_COLUMNS = ("format", "snaplen", "info", "linktypes")
END_COLUMNS = ("scan_state", "scanned_bytes", "lease_until", "read_error")


def _commit(capture: CaptureFile, found: ScannedBatch, source: Source, sequence: int, last: bool = False) -> None:
    """One batch: locator file, columns, batch row, position and counters, all or nothing; with the last one, the scan's end.
    Raises ScanLost."""
    job, locator = capture.job, found.locator
    live = job.kind == JobKind.INTERFACE
    # Two scanners (one presumed dead) never write one file: the claim's token is in the name.
    # Of a ring's file too: when all before it are gone, sequences may begin anew, and what was cached of a path stays cached.
    of_file = f"f{capture.sequence}-" if live else ""
    path = f"captures/{job.pk}/locators/{sequence:06d}-{of_file}{capture.attempt}"
    if len(locator):
        (job.folder / "locators").mkdir(parents=True, exist_ok=True, mode=0o700)
        names = [bytes_of(interface.name) for interface in source.info.interfaces]
        write_locator(Path(settings.PICAPWEB_DATA) / path, locator, names)
    times = locator["time_ns"][locator["time_ns"] != NO_TIME]
    first_time, last_time = (int(times.min()), int(times.max())) if len(times) else (None, None)
    with transaction.atomic():
        capture.position, capture.failures = json.dumps(found.state), 0
        capture.scanned_bytes = int(found.state.get("offset", 0))
        capture.first_time_ns = min((t for t in (capture.first_time_ns, first_time) if t is not None), default=None)
        capture.last_time_ns = max((t for t in (capture.last_time_ns, last_time) if t is not None), default=None)
        if last:
            _note_end(capture, source)
        else:
            keep_info(capture, source.info)
        end = END_COLUMNS if last else ()
        _save(capture, "position", "failures", "scanned_bytes", "first_time_ns", "last_time_ns", *HEAD_COLUMNS, *end)
        if live:
            held = Reservation(capture.reserved_column, capture.reserved_left)
            index, first_column, held = batches.take_columns(job.index, len(locator), held)
            capture.reserved_column, capture.reserved_left = held.first, held.left
            _save(capture, "reserved_column", "reserved_left")
        else:
            index, first_column = batches.allocate_columns(job.index, len(locator))
        batch = Batch(
            index=index,
            job=job.pk,
            urgent=live,
            generation=turning.generation_of(job, first_column),
            sequence=sequence,
            # A batch without packets has no work in it: it only counts what the filter dropped.
            state="ready" if len(locator) else "visible",
            capture=capture.path,
            locator=path,
            fields=job.fields,
            dissector=job.dissector,
            second_pass=SecondPass.WAITING if len(locator) and second_pass.wanted(job.fields) else SecondPass.NONE,
            first_column=first_column,
            packets=len(locator),
            read=found.read,
            filtered_out=found.filtered_out,
            first_number=int(locator["number"][0]) if len(locator) else None,
            last_number=int(locator["number"][-1]) if len(locator) else None,
            first_time_ns=first_time,
            last_time_ns=last_time,
            captured_bytes=int(locator["captured_length"].sum(dtype=np.int64)),
            wire_bytes=int(locator["wire_length"].sum(dtype=np.int64)),
        )
        batch.save()
        if not progress.note_scanned(batch, live):
            raise ScanLost
        # Of a small file there is mostly only this batch, and this worker goes on with it.
        if live or sequence > 0 or capture.size > WORTH_RINGING:
            ring()


def _save(capture: CaptureFile, *columns: str) -> None:
    """Saves columns if the claim still holds, else raises ScanLost."""
    values = {column: getattr(capture, column) for column in columns}
    if not CaptureFile.objects.filter(pk=capture.pk, attempt=capture.attempt, scan_state=ScanState.SCANNING).update(**values):
        raise ScanLost


def _release(capture: CaptureFile, seconds: float = 0.0) -> None:
    not_before = timezone.now() + timedelta(seconds=seconds) if seconds else None
    CaptureFile.objects.filter(pk=capture.pk, attempt=capture.attempt, scan_state=ScanState.SCANNING).update(
        scan_state=ScanState.WAITING, lease_until=None, not_before=not_before
    )


def _fail(capture: CaptureFile, reason: str) -> None:
    CaptureFile.objects.filter(pk=capture.pk, attempt=capture.attempt, scan_state=ScanState.SCANNING).update(
        scan_state=ScanState.FAILED, read_error=reason, lease_until=None
    )


@contextmanager
def _renewing(capture: CaptureFile) -> Iterator[threading.Event]:
    """Renews the scan's lease from a thread. The event is set when it was lost."""

    def renew() -> bool:
        mine = CaptureFile.objects.filter(pk=capture.pk, attempt=capture.attempt, scan_state=ScanState.SCANNING)
        return bool(mine.update(lease_until=Now() + timedelta(seconds=settings.LEASE_SECONDS)))

    with batches.keep_renewing(renew, f"lease of capture {capture.pk}") as lost:
        yield lost
