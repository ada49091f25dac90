"""What people keep of their questions. Packets are known by index and column, which are for ever; jobs by their ids."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

from indexing.models import PacketIndex


class SavedQuery(models.Model):
    """A question with a name. owner null: of local mode, or of somebody who is no user any more."""

    name = models.CharField(max_length=200)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="saved_queries")
    index = models.CharField(max_length=64)
    q = models.TextField(blank=True)
    lang = models.CharField(max_length=8, blank=True, help_text="pql, display, or empty: as `q` looks")
    jobs = models.JSONField(default=list, help_text="ids; empty: all jobs")
    begin = models.CharField(max_length=64, blank=True, help_text="`from`")
    end = models.CharField(max_length=64, blank=True, help_text="`to`")
    fields = models.JSONField(default=list, help_text="columns of the table; empty: the table's own")
    created = models.DateTimeField(auto_now_add=True)
    updated = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "saved queries"
        constraints = [models.UniqueConstraint(fields=["owner", "name"], nulls_distinct=False, name="saved_query_unique")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/saved/{self.pk}/"


class StandingQuery(models.Model):
    """That a saved query is asked of every packet which becomes visible, and when that is worth an alert."""

    saved = models.OneToOneField(SavedQuery, on_delete=models.CASCADE, primary_key=True, related_name="standing")
    enabled = models.BooleanField(default=True)
    threshold = models.BigIntegerField(default=1, help_text="packets that make an alert")
    window_seconds = models.IntegerField(null=True, help_text="that they must have come within; null: however long it takes")
    cooldown_seconds = models.IntegerField(default=0, help_text="no other alert for so long; packets go on being counted")
    webhook = models.TextField(blank=True, help_text="URL that alerts are posted to")
    secret = models.TextField(blank=True, help_text="that they are signed with")
    error = models.TextField(blank=True, help_text="why it could not be asked when it was asked last")
    missed = models.BigIntegerField(default=0, help_text="packets that it was never asked of: it could not be, again and again")
    raised = models.DateTimeField(null=True, help_text="its last alert")
    due = models.DateTimeField(null=True, help_text="its cooldown ends, and there is an alert to be raised then")

    class Meta:
        # The trigger looks here at every batch: with no standing query it finds nothing at once.
        indexes = [models.Index(fields=["saved"], condition=models.Q(enabled=True), name="standing_enabled")]

    def __str__(self) -> str:
        return f"{self.saved} as a standing query"


class Arrival(models.Model):
    """Columns that have become visible and that standing queries have not been asked of yet.

    A trigger on batches writes it, in the transaction that makes the batch visible, if there is an enabled standing query. It is
    deleted in the transaction that keeps what came of asking: so each column is looked at once, whoever dies.
    only: the one query that could not be asked when the others were."""

    index = models.ForeignKey(PacketIndex, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
    first_column = models.BigIntegerField()
    packets = models.BigIntegerField()
    only = models.ForeignKey(StandingQuery, on_delete=models.CASCADE, null=True)
    attempts = models.IntegerField(default=0)
    not_before = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["index", "first_column"], condition=models.Q(only=None), name="arrival_new")]


class Match(models.Model):
    """Packets that a standing query has found and that are in no alert yet."""

    standing = models.ForeignKey(StandingQuery, on_delete=models.CASCADE)
    at = models.DateTimeField()
    count = models.BigIntegerField()
    first_column = models.BigIntegerField()
    last_column = models.BigIntegerField()
    jobs = models.JSONField(default=list)
    first_time_ns = models.BigIntegerField(null=True)
    last_time_ns = models.BigIntegerField(null=True)


class Alert(models.Model):
    """That enough packets of a standing query have come. It says itself what was asked: the saved query may change or go."""

    saved = models.ForeignKey(SavedQuery, on_delete=models.SET_NULL, null=True, related_name="alerts")
    name = models.CharField(max_length=200)
    index = models.CharField(max_length=64)
    question = models.JSONField(help_text="the saved query as it was asked")
    raised = models.DateTimeField(auto_now_add=True)
    count = models.BigIntegerField()
    first_column = models.BigIntegerField()
    last_column = models.BigIntegerField()
    jobs = models.JSONField(default=list)
    first_time_ns = models.BigIntegerField(null=True)
    last_time_ns = models.BigIntegerField(null=True)
    acknowledged = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["raised"], condition=models.Q(acknowledged=None), name="alert_open")]

    def __str__(self) -> str:
        return f"alert {self.pk} of {self.name}"

    def get_absolute_url(self) -> str:
        return f"/alerts/{self.pk}/"


class DeliveryState(models.TextChoices):
    WAITING = "waiting", "is to be sent"
    DELIVERED = "delivered", "was taken (2xx)"
    GIVEN_UP = "given up", "was refused too often"


class Delivery(models.Model):
    """One post to a webhook: sent at least once, until it is taken or given up. alert null: a test."""

    standing = models.ForeignKey(StandingQuery, on_delete=models.CASCADE)
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, null=True, related_name="deliveries")
    body = models.TextField()
    state = models.CharField(max_length=10, choices=DeliveryState, default=DeliveryState.WAITING)
    attempts = models.IntegerField(default=0)
    due = models.DateTimeField(help_text="of the next attempt; while one is at work, when it is taken to have died")
    status = models.IntegerField(null=True, help_text="HTTP status of the last answer")
    error = models.TextField(blank=True)
    created = models.DateTimeField(auto_now_add=True)
    finished = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["due"], condition=models.Q(state="waiting"), name="delivery_due")]


class PacketNote(models.Model):
    """What somebody wrote about a packet. It goes with its packet (a trigger on batches)."""

    index = models.ForeignKey(PacketIndex, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
    column = models.BigIntegerField()
    text = models.TextField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    written = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["index", "column"], name="packet_note_unique")]

    def as_json(self) -> dict[str, Any]:
        return {
            "text": self.text,
            "author": self.author.get_username() if self.author else None,
            "written": self.written.isoformat().replace("+00:00", "Z"),
        }
