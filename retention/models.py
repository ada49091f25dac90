"""What retention has taken: the account of it, kept when the job itself is gone."""

from __future__ import annotations

from django.db import models


class Why(models.TextChoices):
    AGE = "age", "older than the server keeps (PICAPWEB_RETENTION_AGE)"
    JOB_AGE = "job age", "older than the job is kept (keep_seconds)"
    BYTES = "bytes", "captures took more than PICAPWEB_RETENTION_BYTES"
    JOB_BYTES = "job bytes", "the job's captures took more than its keep_bytes"


class Takes(models.TextChoices):
    ALL = "all", "the job goes: captures, packets in the index, and the job itself"
    CAPTURES = "captures", "captures go; packets stay in every answer, without their bytes"
    INDEX = "index", "packets leave the index; captures stay"


class Removal(models.Model):
    """One job's data, taken once. The job may be gone: it is known by number and name."""

    at = models.DateTimeField(auto_now_add=True)
    job = models.BigIntegerField()
    job_name = models.TextField()
    why = models.CharField(max_length=9, choices=Why)
    takes = models.CharField(max_length=8, choices=Takes)
    files = models.IntegerField(help_text="captures removed")
    bytes = models.BigIntegerField(help_text="of those")
    packets = models.BigIntegerField(help_text="that left the index")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["job"], name="removal_job")]

    def __str__(self) -> str:
        return f"{self.takes} of job {self.job}"
