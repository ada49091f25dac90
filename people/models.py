"""Roles, tokens, attempts to sign in, and the audit log."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone


class Role(models.TextChoices):
    """Each may do what those before it may."""

    VIEWER = "viewer", "looks: asks, opens packets, downloads"
    OPERATOR = "operator", "also makes jobs, tags, saved queries, alerts"
    ADMIN = "admin", "everything, for everybody"


class Person(models.Model):
    """What a user of Django's is here. Who has no row is a viewer, or, as staff or superuser, an admin."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="person")
    role = models.CharField(max_length=8, choices=Role, default=Role.VIEWER)

    class Meta:
        verbose_name_plural = "people"

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"


class Identity(models.Model):
    """Who a user is at an OpenID Connect provider."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="identities")
    issuer = models.CharField(max_length=400)
    subject = models.CharField(max_length=255)

    class Meta:
        verbose_name_plural = "identities"
        constraints = [models.UniqueConstraint(fields=["issuer", "subject"], name="identity_unique")]

    def __str__(self) -> str:
        return f"{self.subject} of {self.issuer}"


class Scope(models.TextChoices):
    READ = "read-only", "asks and downloads"
    WRITE = "read-write", "all that its owner may"


class Token(models.Model):
    """A secret that stands for its owner: `PREFIX.SECRET`. Kept is the SHA-256 of the secret, which is 256 random bits."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16, unique=True)
    digest = models.CharField(max_length=64)
    scope = models.CharField(max_length=10, choices=Scope, default=Scope.READ)
    created = models.DateTimeField(auto_now_add=True)
    expires = models.DateTimeField(null=True, help_text="null: never")
    last_used = models.DateTimeField(null=True, help_text="to the minute")
    revoked = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"

    @property
    def state(self) -> str:
        """`good`, `expired` or `revoked`."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.expires is not None and self.expires <= timezone.now() else "good"


class SignInAttempt(models.Model):
    """An attempt that did not end in a sign-in (yet). It is there before the password is looked at, so that many at once count.

    name: a keyed hash of what was typed: people type passwords there."""

    name = models.CharField(max_length=64)
    address = models.CharField(max_length=64)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["name", "at"], name="sign_in_name"),
            models.Index(fields=["address", "at"], name="sign_in_address"),
            models.Index(fields=["at"], name="sign_in_at"),
        ]


class AuditEntry(models.Model):
    """Something that was done. Rows are only ever added: Postgres refuses to change or delete one (a trigger).

    user is a number and no key: what somebody did stays when they go. via: session, token NAME, local, system."""

    at = models.DateTimeField(auto_now_add=True)
    user = models.BigIntegerField(null=True)
    who = models.CharField(max_length=200)
    via = models.CharField(max_length=200)
    address = models.CharField(max_length=64, blank=True)
    request = models.CharField(max_length=128, blank=True, help_text="id of the request")
    action = models.CharField(max_length=40)
    object = models.CharField(max_length=200, blank=True)
    details = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "audit entries"
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["action", "-id"], name="audit_action"),
            models.Index(fields=["who", "-id"], name="audit_who"),
            models.Index(fields=["object", "-id"], name="audit_object"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object} by {self.who}"

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.pk,
            "at": self.at.isoformat().replace("+00:00", "Z"),
            "user": self.user,
            "who": self.who,
            "via": self.via,
            "address": self.address or None,
            "request": self.request or None,
            "action": self.action,
            "object": self.object or None,
            "details": self.details,
        }
