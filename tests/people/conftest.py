"""Server mode, and people of each role."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def server_mode(settings) -> None:
    from tests.people.making import HOST

    settings.LOCAL_MODE, settings.PICAPWEB_MODE = False, "server"
    settings.ALLOWED_HOSTS = [HOST]
    settings.SECURE_SSL_REDIRECT = False
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # each of the others takes a second


@pytest.fixture
def person(server_mode, db) -> Callable[..., Any]:
    """Makes a person: person("ann", "operator")."""
    from tests.people.making import make

    return make
