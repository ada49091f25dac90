"""People of each role, and how they ask."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.test import Client

from people import members, tokens

HOST = "picap.example"
PASSWORD = "correct horse battery"


def make(name: str, role: str = "viewer") -> User:
    return members.make(name, role, PASSWORD)[0]


def browser(user: User | None, **headers: str) -> Client:
    """The session of somebody (None: of a stranger), as pages of ours use it.

    There must be a CSRF token; the test client does not look what it is."""
    client = Client(headers={"host": HOST, "accept": "application/json", "x-csrftoken": "any", **headers})
    if user is not None:
        client.force_login(user)
    return client


def script(user: User, scope: str = "read-write", **headers: str) -> Client:
    """Who asks by token."""
    _, text = tokens.make(user, "test", scope)
    return Client(headers={"host": HOST, "authorization": f"Token {text}", **headers})
