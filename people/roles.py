"""The role that a user has."""

from __future__ import annotations

from typing import Any

from people.models import Person, Role


def role_of(user: Any) -> str:
    """ "" for who is not signed in or was disabled. Staff and superusers of Django's are admins."""
    if user is None or not user.is_authenticated or not user.is_active:
        return ""
    if user.is_superuser or user.is_staff:
        return Role.ADMIN
    try:
        return str(user.person.role)
    except Person.DoesNotExist:
        return Role.VIEWER
