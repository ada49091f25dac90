"""API tokens: made, found by what a request sends, revoked."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from people import audit
from people.models import Scope, Token

# Prefix and secret; the prefix is public, and what a token is found by.
SHAPE = re.compile(r"(pw[a-z0-9]{10})\.([A-Za-z0-9_-]{43})")
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
USED_SECONDS = 60  # `last_used` is written no more often
LONGEST_NAME = 100


def make(user: Any, name: str, scope: str = Scope.READ, days: float | None = None) -> tuple[Token, str]:
    """A new token and its text, which is never shown again. days: None: it does not expire."""
    secret = secrets.token_urlsafe(32)
    token = Token(
        user=user,
        name=name,
        prefix="pw" + "".join(secrets.choice(LETTERS) for _ in range(10)),
        digest=digest(secret),
        scope=scope,
        expires=None if days is None else timezone.now() + timedelta(days=days),
    )
    with transaction.atomic():
        token.save()
        details = {"name": name, "scope": scope, "expires": token.expires.isoformat() if token.expires else None}
        audit.record("token made", f"token {token.prefix}", owner=user.get_username(), **details)
    return token, f"{token.prefix}.{secret}"


def digest(secret: str) -> str:
    """Of 256 random bits: no salt and no slow hash is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def find(text: str) -> Token | None:
    """The token that a request sent, good or not any more, with its user and role; None where there is none such."""
    shape = SHAPE.fullmatch(text)
    if shape is None:
        return None
    token = Token.objects.select_related("user", "user__person").filter(prefix=shape[1]).first()
    if token is None or not hmac.compare_digest(token.digest, digest(shape[2])):
        return None
    return token


def used(token: Token) -> None:
    """Notes that it was used, once a minute at most."""
    now = timezone.now()
    if token.last_used is None or (now - token.last_used).total_seconds() >= USED_SECONDS:
        Token.objects.filter(pk=token.pk).update(last_used=now)


def revoke(token: Token) -> None:
    """It is of no use from now on. Idempotent."""
    with transaction.atomic():
        if Token.objects.filter(pk=token.pk, revoked=None).update(revoked=timezone.now()):
            audit.record("token revoked", f"token {token.prefix}", owner=token.user.get_username(), name=token.name)
