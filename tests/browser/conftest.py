"""The real thing for a real browser: everything of `manage.py up` on a free port, and Chromium."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import needs
from tests.server import Server

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


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


@pytest.fixture
def origin(server: Server) -> str:
    """The address of an empty picapweb: what other tests left in it is deleted."""
    while jobs := server.ask("GET", "/jobs/")[1]["results"]:
        for job in jobs:
            status, said = server.ask("DELETE", f"/jobs/{job['id']}/")
            assert status == 204, said
    return f"http://localhost:{server.port}"


@pytest.fixture
def browser() -> Iterator[object]:
    """A real Chromium."""
    needs("Chromium")
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield started
        started.close()
