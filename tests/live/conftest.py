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


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("live") / "data", PICAPWEB_WORKERS="2") as started:
        yield started
