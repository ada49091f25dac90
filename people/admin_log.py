"""What is changed in Django's admin is in the audit log too, in the same transaction: a user's flags are rights."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import LogEntry
from django.db.models.signals import post_save
from django.dispatch import receiver

from people import audit


@receiver(post_save, sender=LogEntry)
def keep(sender: Any, instance: LogEntry, created: bool, **_: Any) -> None:
    """Of one object each. Several that are deleted at once have no entry of Django's admin that could be heard; jobs have their
    own, for the service that deletes them writes it."""
    if created:
        kind = instance.content_type.model if instance.content_type else "object"
        place = f"{'person' if kind == 'user' else kind} {instance.object_repr}"
        audit.record("changed in the admin", place, what=instance.get_change_message())
