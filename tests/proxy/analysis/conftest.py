"""The captures of `counted`, indexed once by the product on each backend, and the same packets counted by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from tests.proxy.analysis.counted import CAPTURES, Packet, packets_of
from tests.proxy.indexed import Indexed

INDEX = "analysis"


@pytest.fixture(scope="session")
def captures(shared: Path) -> list[Path]:
    return [shared / "pcaps" / name for name in CAPTURES]


@pytest.fixture(scope="session")
def packets(captures: list[Path]) -> list[Packet]:
    """Every packet of all captures."""
    return [packet for number, path in enumerate(captures) for packet in packets_of(number, path)]


@pytest.fixture(scope="session", params=["embedded", "pilosa"])
def indexed(request: pytest.FixtureRequest, captures: list[Path]) -> Indexed:
    found = Indexed(request.getfixturevalue(f"{request.param}_product"), INDEX)
    found.upload(captures)
    return found


@pytest.fixture
def client(data: Path) -> Client:
    return Client(headers={"host": "localhost"})
