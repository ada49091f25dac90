"""New jobs: from an upload, from a server-side file, from an interface. Everything is checked before there is a job."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from capture import sight
from capture.models import CaptureFile, Job, JobKind, JobState
from capture.packets.batch import CaptureInfo, InterfaceInfo
from capture.packets.bpf import check_filter, check_live_filter
from capture.packets.errors import FilterError
from capture.services import live, live_workers, storage
from capture.services.errors import Refused
from capture.services.options import GREATEST_SNAPLEN, LEAST_RING_FILE, Options
from capture.services.ring import ring
from capture.services.text import storable
from indexing.client.names import NameTaken, take_for_packets
from people import audit

ETHERNET = 1

# Captures joined from many may have hundreds of thousands; a job's row and page hold so many.
MAX_LISTED = 1000


def from_upload(upload: storage.Upload, options: Options, owner: Any = None) -> Job:
    """A job for a received file. Raises Refused: not a capture, bad filter, a known file (409 with the job)."""
    job: Job | None = None
    try:
        compressed, info = storage.examine(upload.path)
        _check_filter(options.filter, info)
        with transaction.atomic():
            if not options.again:
                _refuse_known(upload.sha256, options)
            job, capture = _make(JobKind.FILE, options.name or upload.name or "upload", options, owner)
            capture.compressed, capture.sha256 = compressed, upload.sha256
            job.folder.mkdir(parents=True, mode=0o700)
            if info is None:
                capture.source = str(job.folder / "upload")
                upload.path.rename(capture.source)
            else:
                upload.path.rename(capture.file)
                capture.stored, capture.size = True, upload.size
                keep_info(capture, info)
            capture.save()
    except BaseException:
        upload.discard()
        if job is not None:
            storage.remove_job_folder(job.pk)
        raise
    ring()
    return job


def from_path(path: Path, options: Options, owner: Any = None) -> Job:
    """A job for a file of this machine, copied (and hashed) by a worker. Raises Refused."""
    try:
        with storage.opened_import(path) as held:
            compressed, info = storage.examine(held)
    except OSError as error:
        raise Refused(f"{path.name!r} cannot be read: {error.strerror}", option="filename") from None
    _check_filter(options.filter, info)
    with transaction.atomic():
        job, capture = _make(JobKind.FILE, options.name or storage.clean_name(path.name), options, owner)
        job.folder.mkdir(parents=True, mode=0o700)
        capture.source, capture.compressed = os.path.abspath(path), compressed
        if info is not None:
            keep_info(capture, info)
        capture.save()
    ring()
    return job


def from_interfaces(names: list[str], options: Options, owner: Any = None) -> Job:
    """A live job: a live worker begins within a moment. Raises Refused: no such interface, no right, bad filter or option."""
    names = list(dict.fromkeys(names))
    check_interfaces(names, options, live_workers.interfaces())
    with transaction.atomic():
        job = _make_job(JobKind.INTERFACE, options.name or ", ".join(names)[:255], options, owner)
        job.folder.mkdir(parents=True, mode=0o700)
        live.new(job, names)
    return job


def check_interfaces(names: list[str], options: Options, known: list[dict[str, Any]]) -> None:
    """Whether they can be captured, as far as `known` (as /interfaces/ shows it) tells. Raises Refused, naming the option."""
    by_name = {one["name"]: one for one in known}
    for name in names:
        if name not in by_name:
            raise Refused(f"no interface {name!r} on this machine; there are {', '.join(by_name) or 'none'}", option="iface")
    if len({by_name[name].get("host") for name in names}) > 1:
        raise Refused("the interfaces are of several machines: one job captures on one", option="iface")
    if options.snaplen > GREATEST_SNAPLEN:
        raise Refused(f"option snaplen: a live capture keeps at most {GREATEST_SNAPLEN} bytes of a packet", option="snaplen")
    if 0 < options.ring_bytes < LEAST_RING_FILE:
        raise Refused(f"option ring_bytes: a ring file has at least {LEAST_RING_FILE} bytes", option="ring_bytes")
    for name in names:
        linktype = by_name[name].get("linktype")
        try:
            if options.filter:
                check_live_filter(options.filter, ETHERNET if linktype is None else linktype)
        except FilterError as error:
            raise Refused(f"filter {options.filter!r}: {error} (interface {name})", option="filter") from None
    for name in names:
        if not by_name[name]["capturable"]:
            raise Refused(f"interface {name!r} cannot be captured: {by_name[name]['why_not']}", option="iface")


def _refuse_known(sha256: str, options: Options) -> None:
    """Part of the transaction that makes the job: of two uploads of one file at the same moment, one is the first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{sha256} {options.index}"])
    known = find_known(sha256, options)
    if known is not None:
        raise Refused(f"this file is known: job {known.pk} has it; give again=true to index it again", 409, job=known)


def find_known(sha256: str, options: Options) -> Job | None:
    """A live job with the same file, index, filter, dissector and fields that did not fail; of those that whoever acts sees."""
    jobs = sight.seen().filter(captures__sha256=sha256, index=options.index, filter=options.filter)
    jobs = jobs.filter(dissector=options.dissector).exclude(state__in=[JobState.FAILED, JobState.STOPPED])
    wanted = options.field_names()
    return next((job for job in jobs.order_by("id") if job.fields == wanted), None)


def _check_filter(expression: str, info: CaptureInfo | None) -> None:
    linktypes = list(dict.fromkeys(one.linktype for one in info.interfaces)) if info is not None else []
    try:
        for linktype in linktypes or [ETHERNET]:
            if expression:
                check_filter(expression, linktype)
    except FilterError as error:
        raise Refused(f"filter {expression!r}: {error}", option="filter") from None


def _make(kind: JobKind, name: str, options: Options, owner: Any) -> tuple[Job, CaptureFile]:
    job = _make_job(kind, name, options, owner)
    return job, CaptureFile(job=job, path=f"captures/{job.pk}/capture")


def _make_job(kind: JobKind, name: str, options: Options, owner: Any) -> Job:
    try:
        take_for_packets(options.index)
    except NameTaken as error:
        raise Refused(f"option index: {error}", option="index") from None
    job = Job.objects.create(
        name=name,
        kind=kind,
        index=options.index,
        filter=options.filter,
        options=options.stored(),
        fields=options.field_names(),
        dissector=options.dissector,
        tags=options.tags,
        owner=owner if getattr(owner, "pk", None) else None,
        shared=options.shared,
    )
    about = {"name": job.name, "kind": str(kind), "index": job.index, "filter": job.filter, "shared": job.shared}
    audit.record("job created", f"job {job.pk}", **about)
    return job


def _interface(one: InterfaceInfo) -> dict[str, Any]:
    return {name: storable(value) if isinstance(value, str) else value for name, value in vars(one).items()}


def keep_info(capture: CaptureFile, info: CaptureInfo) -> None:
    """Puts what a capture's head (and what was scanned of it) says into its row (not saved)."""
    capture.format, capture.snaplen = info.format, info.snaplen
    notes = list(info.notes)
    if len(info.interfaces) > MAX_LISTED:
        notes.append(f"of {len(info.interfaces)} interfaces the first {MAX_LISTED} are listed")
    capture.info = {
        "byte_order": info.byte_order,
        "resolution": info.resolution,
        "interfaces": [_interface(one) for one in info.interfaces[:MAX_LISTED]],
        "comments": [storable(comment) for comment in info.comments],
        "application": storable(info.application),
        "hardware": storable(info.hardware),
        "os": storable(info.os),
        "packet_comments": [{"number": number, "comment": storable(text)} for number, text in info.packet_comments],
        "commented_packets": info.commented_packets,
        "notes": notes,
    }
    capture.linktypes = list(dict.fromkeys(one.linktype for one in info.interfaces))
