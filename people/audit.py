"""The audit log: what was done, written in the transaction that does it."""

from __future__ import annotations

from typing import Any

from people import who
from people.models import AuditEntry

# Everything that is recorded, for the page's filter.
ACTIONS = (
    "job created",
    "job stopped",
    "job retried",
    "job deleted",
    "retention",
    "job shared",
    "job unshared",
    "export",
    "token made",
    "token revoked",
    "sign-in",
    "sign-in failed",
    "sign-in refused",
    "sign-out",
    "password changed",
    "person made",
    "role changed",
    "person disabled",
    "person enabled",
    "saved query made",
    "saved query changed",
    "saved query deleted",
    "alert set",
    "alert removed",
    "changed in the admin",
)


def record(action: str, object: str = "", **details: Any) -> None:
    """Part of the caller's transaction: if that does not come about, nothing was done, and nothing is recorded."""
    assert action in ACTIONS, action
    one = who.current()
    AuditEntry.objects.create(
        user=one.user,
        who=one.name[:200],
        via=one.via[:200],
        address=one.address[:64],
        request=_storable(one.request[:128]),
        action=action,
        object=_storable(object)[:200],
        details={name: _storable(value) for name, value in details.items() if value not in (None, "")},
    )


def _storable(value: Any) -> Any:
    """Postgres takes neither a NUL nor half a character."""
    if not isinstance(value, str):
        return value
    return value.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode()
