"""Jobs and the captures they produced or were given. Batches, which carry the work, are indexing's."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import models


class JobState(models.TextChoices):
    QUEUED = "queued", "waits for a worker"
    RUNNING = "running", "is being scanned and indexed"
    STOPPING = "stopping", "was told to stop; batches at work are finished"
    DONE = "done", "every packet is accounted for"
    STOPPED = "stopped", "ended by a user before its end"
    FAILED = "failed", "ended by an error; can be retried"


ENDED = frozenset({JobState.DONE, JobState.STOPPED, JobState.FAILED})


class JobKind(models.TextChoices):
    FILE = "file", "a capture file"
    INTERFACE = "interface", "a network interface"


class JobQuerySet(models.QuerySet["Job"]):
    def live(self) -> JobQuerySet:
        """Jobs that were not deleted."""
        return self.filter(deleted__isnull=True)


class Job(models.Model):
    """One order to capture, from a file or an interface.

    ::

        queued --a worker begins--> running --all batches visible--> done
          |                          |  |
          |                          |  +--cannot be read, or a batch was set aside--> failed
          +--stop--> stopped         +--stop--> stopping --no batch at work--> stopped
        stopped, failed --retry--> queued
        every state --delete--> deleted (gone from every list and answer at once; cleared in the background)

    `packets_read` counts what has been scanned; when the job has ended, read = indexed + filtered_out + failed.
    """

    name = models.TextField()
    kind = models.CharField(max_length=9, choices=JobKind)
    state = models.CharField(max_length=8, choices=JobState, default=JobState.QUEUED)
    error = models.TextField(blank=True)
    waiting_for = models.TextField(blank=True, help_text="the part that is away, while the job waits for it")
    index = models.CharField(max_length=64)
    filter = models.TextField(blank=True, help_text="BPF")
    options = models.JSONField(default=dict, help_text="the other options, as asked for")
    fields = models.JSONField(default=list, help_text="names of the fields that it indexes")
    dissector = models.CharField(max_length=32)
    tags = models.JSONField(default=list)
    duplicate_of = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="duplicates")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)

    created = models.DateTimeField(auto_now_add=True)
    started = models.DateTimeField(null=True)
    finished = models.DateTimeField(null=True)
    deleted = models.DateTimeField(null=True)

    packets_read = models.BigIntegerField(default=0)
    packets_indexed = models.BigIntegerField(default=0)
    packets_filtered_out = models.BigIntegerField(default=0)
    packets_failed = models.BigIntegerField(default=0)
    packets_undecodable = models.BigIntegerField(default=0)
    packets_handed_over = models.BigIntegerField(default=0, help_text="from the fast dissector to scapy")
    packets_dropped = models.BigIntegerField(default=0)
    bytes_captured = models.BigIntegerField(default=0)
    bytes_wire = models.BigIntegerField(default=0)
    not_indexed = models.JSONField(default=dict, help_text="fields that packets lack: field -> {reason, packets}")

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["state"], name="job_state")]

    def __str__(self) -> str:
        return f"job {self.pk}: {self.name}"

    def get_absolute_url(self) -> str:
        return f"/jobs/{self.pk}/"

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    @property
    def folder(self) -> Path:
        """Where its captures and locators are kept."""
        return Path(settings.PICAPWEB_DATA) / "captures" / str(self.pk)


class ScanState(models.TextChoices):
    WAITING = "waiting", "waits for a worker"
    SCANNING = "scanning", "a worker has it, under a lease"
    DONE = "done", "read to its end, or to where it breaks off"
    FAILED = "failed", "could not be read"


class CaptureFile(models.Model):
    """One file of a capture: a file job has one, a live job a ring of them. Paths are relative to the data folder.

    ::

        waiting --claim--> scanning --end of file, or a break--> done
           ^                  |  +--cannot be read at all--> failed
           +--lease expired, hand back, job retried--+

    `position` is the scan's own state behind the last batch that was committed: a scan goes on from there.
    """

    job = models.ForeignKey(Job, related_name="captures", on_delete=models.CASCADE)
    sequence = models.IntegerField(default=0)
    source = models.TextField(blank=True, help_text="absolute path to store it from (a server-side file); empty: an upload")
    path = models.TextField(help_text="of the stored, decompressed capture")
    stored = models.BooleanField(default=False, help_text="the stored capture is complete")
    compressed = models.CharField(max_length=8, blank=True)
    size = models.BigIntegerField(default=0, help_text="bytes of the stored capture")
    sha256 = models.CharField(max_length=64, blank=True, help_text="of the upload")

    format = models.CharField(max_length=8, blank=True)
    info = models.JSONField(default=dict, help_text="what its head says: byte order, resolution, interfaces, comments")
    snaplen = models.BigIntegerField(default=0)
    linktypes = models.JSONField(default=list, help_text="LINKTYPE numbers, in order of first use")
    first_time_ns = models.BigIntegerField(null=True)
    last_time_ns = models.BigIntegerField(null=True)
    read_error = models.TextField(blank=True)

    scan_state = models.CharField(max_length=8, choices=ScanState, default=ScanState.WAITING)
    position = models.TextField(null=True, help_text="JSON; as text, for jsonb refuses a NUL in a name or comment")
    scanned_bytes = models.BigIntegerField(default=0)
    attempt = models.IntegerField(default=0, help_text="the claim's token: it only ever grows")
    failures = models.IntegerField(default=0, help_text="scanners that ended without a word since the last batch")
    lease_until = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)
    worker = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "sequence"], name="capture_file_unique")]
        indexes = [
            models.Index(fields=["id"], condition=models.Q(scan_state__in=["waiting", "scanning"]), name="capture_file_open"),
            models.Index(fields=["sha256"], name="capture_file_sha256"),
        ]

    def __str__(self) -> str:
        return f"capture {self.sequence} of job {self.job_id}"

    @property
    def file(self) -> Path:
        """The stored capture."""
        return Path(settings.PICAPWEB_DATA) / self.path
