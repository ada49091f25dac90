"""Pages as a browser asks for them."""

from __future__ import annotations

import re

import pytest
from django.test import Client


@pytest.fixture
def get(data):
    client = Client(headers={"host": "localhost:11000", "accept": "text/html,*/*;q=0.8"})

    def ask(url: str, **headers: str) -> str:
        answer = client.get(url, headers=headers)
        assert answer.status_code == 200, answer.content
        page = answer.content.decode()
        # Our policy forbids them, and a browser would drop them in silence.
        assert not re.search(r"<[^>]+\s(style|on\w+)=", page)
        assert not re.search(r"<script(?![^>]*\ssrc=)", page)
        assert "<style" not in page
        return page

    return ask
