"""Jobs, their packets and batches, live captures: read from Postgres when it is asked, so every web process says the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from django.db.models import Count, Q, Sum
from django.db.models.functions import Now
from django.utils import timezone
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from capture.models import ENDED, CaptureFile, Job, JobKind, JobState, LiveCapture, LiveWorker
from capture.services import live_workers
from capture.services.describe import lag_of
from indexing.models import Batch, BatchState

# A live job that has ended is told of for so long, that its last counts are scraped; for ever, there would be ever more of them.
LATELY = timedelta(hours=1)

# Counters of an interface of a live job: name, key of LiveCapture.states, words.
OF_INTERFACES = (
    ("received_packets", "received", "Packets that the kernel received for the capture, after its filter"),
    ("captured_packets", "captured", "Packets captured"),
    ("captured_bytes", "bytes_captured", "Bytes captured"),
    ("dropped_by_kernel_packets", "dropped_kernel", "Packets that the kernel dropped because its buffer was full"),
    ("dropped_by_interface_packets", "dropped_interface", "Packets that the interface or its driver dropped"),
    ("super_frames", "super_frames", "Packets longer than the interface's MTU: merged by offload"),
)


def jobs() -> Iterator[Metric]:
    """A number of queries that does not depend on how many jobs there are."""
    yield from _jobs()
    yield from _live_jobs()
    yield _batches()
    yield from _live_workers()


def _jobs() -> Iterator[Metric]:
    jobs = GaugeMetricFamily("picapweb_jobs", "Jobs, without deleted ones", labels=("state", "kind"))
    counted = Job.objects.live().order_by().values_list("state", "kind").annotate(Count("id"))
    found = {(state, kind): number for state, kind, number in counted}
    for state in JobState.values:
        for kind in JobKind.values:
            jobs.add_metric((state, kind), found.get((state, kind), 0))
    yield jobs

    kinds = ("read", "indexed", "filtered_out", "failed", "undecodable", "dropped")
    sums = Job.objects.live().aggregate(**{kind: Sum(f"packets_{kind}") for kind in kinds})
    # A gauge: with a deleted job its packets go, with a turning ring they pass from indexed to removed.
    packets = GaugeMetricFamily("picapweb_packets", "Packets of all jobs that are not deleted", labels=("kind",))
    for kind in kinds:
        packets.add_metric((kind,), sums[kind] or 0)
    removed = Job.objects.live().filter(kind=JobKind.INTERFACE).exclude(gone={}).values_list("gone__indexed", flat=True)
    packets.add_metric(("removed",), sum(filter(None, removed)))
    yield packets


def _live_jobs() -> Iterator[Metric]:
    chosen = Q(job__state__in=[JobState.RUNNING, JobState.STOPPING]) | Q(job__state__in=ENDED, job__finished__gt=Now() - LATELY)
    # Without the rates and the like, which are by far the most of a row.
    columns = ("states", "open", "lease_until", "lag_packets", "lag_seconds", "captured", "beat", "job__name", "job__gone")
    counted = ("job__packets_indexed", "job__packets_failed", "job__packets_filtered_out")
    found = LiveCapture.objects.filter(chosen, job__deleted__isnull=True).select_related("job").order_by("job")
    lives = list(found.only(*columns, *counted))

    for name, key, words in OF_INTERFACES:
        counter = CounterMetricFamily(f"picapweb_live_{name}", words, labels=("job", "name", "interface"))
        for live in lives:
            for one in live.states:
                counter.add_metric((str(live.pk), live.job.name, one["name"]), one.get(key, 0))
        yield counter

    now = timezone.now()
    files = {
        job: (kept, size or 0)
        for job, kept, size in CaptureFile.objects.filter(job__in=[live.pk for live in lives])
        .order_by()
        .values_list("job")
        .annotate(Count("id"), Sum("size"))
    }
    gauge = partial(GaugeMetricFamily, labels=("job", "name"))
    capturing = gauge("picapweb_live_capturing", "1 while a live worker captures for the job")
    lag_packets = gauge("picapweb_live_lag_packets", "Packets captured that are in no answer yet")
    lag_seconds = gauge("picapweb_live_lag_seconds", "How long the oldest of those has been waiting")
    kept_files = gauge("picapweb_live_ring_files", "Ring files kept")
    kept_bytes = gauge("picapweb_live_ring_bytes", "Bytes of the ring files kept")
    for live in lives:
        labels = (str(live.pk), live.job.name)
        held = live.open and live.lease_until is not None and live.lease_until > now
        capturing.add_metric(labels, int(held))
        lag = lag_of(live.job, live)
        lag_packets.add_metric(labels, lag["packets"])
        lag_seconds.add_metric(labels, lag["seconds"])
        kept, size = files.get(live.pk, (0, 0))
        kept_files.add_metric(labels, kept)
        kept_bytes.add_metric(labels, size)
    yield from (capturing, lag_packets, lag_seconds, kept_files, kept_bytes)


def _batches() -> Metric:
    batches = GaugeMetricFamily("picapweb_batches", "Batches", labels=("state",))
    found = dict(Batch.objects.order_by().values_list("state").annotate(Count("id")))
    for state in BatchState.values:
        batches.add_metric((state,), found.get(state, 0))
    return batches


def _live_workers() -> Iterator[Metric]:
    up = GaugeMetricFamily("picapweb_live_worker_up", "1 if the host's live worker said lately that it lives", labels=("host",))
    age = GaugeMetricFamily("picapweb_live_worker_beat_age_seconds", "Since it last said so", labels=("host",))
    now = timezone.now()
    for worker in LiveWorker.objects.order_by("host"):
        seconds = max(0.0, (now - worker.beat).total_seconds())
        up.add_metric((worker.host,), int(seconds < live_workers.SILENT_SECONDS))
        age.add_metric((worker.host,), seconds)
    yield from (up, age)
