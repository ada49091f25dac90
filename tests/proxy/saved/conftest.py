from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.test import Client

CAPTURE = "pcaps/protocols/zeek__wikipedia.pcap"


@pytest.fixture
def client(data) -> Client:
    return Client(headers={"host": "localhost"})


@pytest.fixture
def capture(shared) -> Path:
    return shared / CAPTURE


class Caller:
    """The client, with JSON bodies."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def __getattr__(self, method: str):
        def call(path: str, body: object = None, **more: object):
            given = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
            return getattr(self._client, method)(path, **given, **more)

        return call


@pytest.fixture
def api(client) -> Caller:
    return Caller(client)
