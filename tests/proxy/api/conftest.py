from __future__ import annotations

import pytest
from django.test import Client


@pytest.fixture
def client(data) -> Client:
    return Client(headers={"host": "localhost"})
