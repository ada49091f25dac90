"""A running `up` and a wire: what tests of live jobs share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import needs
from tests.live.wire import Wire
from tests.server import Server


@pytest.fixture
def wire() -> Iterator[Wire]:
    needs("root for network namespaces", "tcpreplay")
    with Wire() as made:
        yield made


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all files that need nothing else of it (tests/longest_first.py keeps them together)."""
    settings = {"PICAPWEB_WORKERS": "2", "PICAPWEB_LIVE_GONE_SECONDS": "1"}
    with Server(tmp_path_factory.mktemp("live") / "data", **settings) as started:
        yield started
