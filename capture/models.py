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

    def with_captures(self) -> JobQuerySet:
        """With what describes them; the many files of a live job's ring are left where they are."""
        files = CaptureFile.objects.filter(job__kind=JobKind.FILE)
        known = self.select_related("live", "owner", "conversation_pass")
        return known.prefetch_related(models.Prefetch("captures", queryset=files))


class Job(models.Model):
    """One order to capture, from a file or an interface.

    ::

        queued --a worker begins--> running --all batches visible--> done
          |                          |  |
          |                          |  +--cannot be read, or a batch was set aside--> failed
          +--stop--> stopped         +--stop--> stopping --no batch at work--> stopped
        stopped, failed --retry--> queued
        every state --delete--> deleted (gone from every list and answer at once; cleared in the background)

    `packets_read` counts what has been scanned; when the job has ended, read = indexed + filtered_out + failed + removed
    (removed: what left the index with its ring file, live jobs only).

    A live job is queued until a live worker captures for it (LiveCapture), and stopping until all that was captured is indexed.
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
    shared = models.BooleanField(default=False, help_text="everybody who may sign in sees it; else its owner and admins do")

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
    gone = models.JSONField(default=dict, help_text="totals of what a turning ring took out of the index")

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
           +--lease expired, hand back, job retried, what there is of a growing file--+

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

    growing = models.BooleanField(default=False, help_text="a live capture writes it: `size` is how far it is whole")
    packets = models.BigIntegerField(default=0, help_text="of a ring file: in its `size` bytes")
    packets_before = models.BigIntegerField(default=0, help_text="of the job in earlier files: packets are numbered on")
    # Columns that its small batches take one behind the other, so that they can become one batch later.
    reserved_column = models.BigIntegerField(default=0)
    reserved_left = models.BigIntegerField(default=0)

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


class PassState(models.TextChoices):
    RUNNING = "running", "there are batches that it has not taken, or whose packets may still get values"
    DONE = "done", "all that it finds is in the index"


class ConversationPass(models.Model):
    """The second pass over a job's packets, in capture order: what belongs to conversations (capture.packets.conversations).

    A worker claims it under a lease, takes the batches that are visible, one behind the other, and stores what it knows of the
    conversations in `checkpoint`, in the transaction that moves `next_sequence`: after a crash another one goes on there, and
    what it finds again is what was found before. Jobs whose only batch holds the whole capture have none: their packets get
    these values when they are indexed."""

    job = models.OneToOneField(Job, related_name="conversation_pass", primary_key=True, on_delete=models.CASCADE)
    state = models.CharField(max_length=7, choices=PassState, default=PassState.RUNNING)
    next_sequence = models.BigIntegerField(default=0, help_text="batches before it are in the checkpoint")
    checkpoint = models.TextField(blank=True, help_text="path, relative to the data folder; empty: nothing is known yet")
    packets = models.BigIntegerField(default=0, help_text="taken")
    conversations = models.BigIntegerField(default=0, help_text="known at the checkpoint")
    forgotten = models.BigIntegerField(default=0, db_default=0, help_text="settled before their time, for want of room")
    again = models.BooleanField(default=False, help_text="packets may have values of an earlier run")
    error = models.TextField(blank=True, help_text="batches that could not be read, and why")
    moved = models.DateTimeField(auto_now_add=True, help_text="when a worker last left it")

    attempt = models.IntegerField(default=0, help_text="the claim's token: it only ever grows")
    failures = models.IntegerField(default=0, help_text="workers that ended without a word since the last checkpoint")
    lease_until = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)
    worker = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "conversation passes"
        indexes = [models.Index(fields=["moved"], condition=models.Q(state="running"), name="conversation_pass_open")]

    def __str__(self) -> str:
        return f"second pass over job {self.job_id}"


class LiveWorker(models.Model):
    """A process that may capture, and what it sees: one for each host. Web processes never open an interface themselves."""

    host = models.CharField(max_length=255, unique=True)
    worker = models.TextField(help_text="host/process id")
    beat = models.DateTimeField(help_text="when it last said that it lives")
    asked = models.DateTimeField(null=True, help_text="somebody wants the list of interfaces anew")
    refreshed = models.DateTimeField(null=True, help_text="when the list was made")
    interfaces = models.JSONField(default=list, help_text="what /interfaces/ shows")

    def __str__(self) -> str:
        return self.worker


class LiveCapture(models.Model):
    """What a live job captures, by whom (under a lease), and its honest counters.

    `host` keeps the job to the machine that has its interfaces and ring files; only a live worker of that host takes it up
    again. Counters are of all processes that captured for the job: `base` holds those of earlier ones.
    received = captured + dropped_kernel + unread.
    """

    job = models.OneToOneField(Job, related_name="live", primary_key=True, on_delete=models.CASCADE)
    interfaces = models.JSONField(default=list, help_text="names, in the text form of values")
    host = models.CharField(max_length=255, blank=True)
    worker = models.TextField(blank=True)
    attempt = models.IntegerField(default=0, help_text="the claim's token: it only ever grows")
    lease_until = models.DateTimeField(null=True)
    open = models.BooleanField(default=True, help_text="it is to be captured, or being captured")
    ending = models.CharField(max_length=8, blank=True, help_text="how it ended, as the recorder says it")
    words = models.TextField(blank=True, help_text="why it ended, or what the capture is waiting for")
    started = models.DateTimeField(null=True, help_text="when a worker first began")
    seconds = models.FloatField(default=0.0, help_text="captured for, all processes together")
    beat = models.DateTimeField(null=True, help_text="when the counters were last written")

    received = models.BigIntegerField(default=0)
    dropped_kernel = models.BigIntegerField(default=0)
    dropped_interface = models.BigIntegerField(default=0)
    captured = models.BigIntegerField(default=0)
    bytes_captured = models.BigIntegerField(default=0)
    super_frames = models.BigIntegerField(default=0, help_text="larger than the interface's MTU: merged by offload (GRO, TSO)")
    unread = models.BigIntegerField(default=0, help_text="received and not read when the capture was stopped")
    lag_packets = models.BigIntegerField(default=0, help_text="captured and not in any answer yet")
    lag_seconds = models.FloatField(default=0.0, help_text="how long the oldest of those has been waiting")
    states = models.JSONField(default=list, help_text="one for each interface: name, state, words, filter, counters ...")
    base = models.JSONField(default=list, help_text="`states` as earlier processes left them")
    rates = models.JSONField(default=list, help_text="of the last seconds: [epoch second, packets, bytes, dropped, indexed]")
    gaps = models.JSONField(default=list, help_text="when nobody captured: [from, to, why], RFC 3339")

    def __str__(self) -> str:
        return f"live capture of job {self.job_id}"
