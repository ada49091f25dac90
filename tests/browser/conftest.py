"""The real thing for a real browser: everything of `manage.py up` on a free port, and Chromium."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.chromium import ARGUMENTS, chromium
from tests.browser.every_page import Shown, fill
from tests.conftest import needs
from tests.server import Server


@pytest.fixture(scope="package")
def server() -> Iterator[Server]:
    """A running picapweb, one for all files (tests/longest_first.py keeps them together)."""
    # Sockets lie in the data folder, and their paths may be 107 bytes long at most.
    data = Path(tempfile.mkdtemp(prefix="picapweb-browser-"))
    try:
        with Server(data) as running:
            yield running
    finally:
        shutil.rmtree(data, ignore_errors=True)


def emptied(server: Server) -> str:
    """The address of an empty picapweb: what other tests left in it is deleted."""
    for place in ("/jobs/", "/saved/"):
        while left := server.ask("GET", place)[1]["results"]:
            for one in left:
                status, said = server.ask("DELETE", f"{place}{one['id']}/")
                assert status == 204, said
    return f"http://localhost:{server.port}"


@pytest.fixture
def origin(server: Server) -> str:
    """The address of an empty picapweb."""
    return emptied(server)


@pytest.fixture(scope="module")
def shown(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """An office of two days is indexed, and nothing else."""
    emptied(server)
    return fill(server, tmp_path_factory.mktemp("days"))


@pytest.fixture(scope="package")
def browser() -> Iterator[object]:
    """A real Chromium, one for all files; each test opens contexts of its own in it."""
    needs("Chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield started
        started.close()
