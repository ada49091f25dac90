"""The real thing for a real browser: everything of `manage.py up` on a free port, and Chromium."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.components import ROOT
from tests.conftest import needs

START_SECONDS = 90
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


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="session")
def origin() -> Iterator[str]:
    """The address of a running picapweb with an empty data folder of its own."""
    # Sockets lie in the data folder, and their paths may be 107 bytes long at most.
    data = Path(tempfile.mkdtemp(prefix="picapweb-browser-"))
    given = {name: value for name, value in os.environ.items() if not name.startswith("PICAPWEB_")}
    for name in ("DATABASE_URL", "BROKER_URL", "INDEX_URL", "DEBUG", "SECRET_KEY"):
        given.pop(name, None)
    command = [sys.executable, "-u", str(ROOT / "manage.py"), "up", "--port", str(free_port()), "--data", str(data)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=given, cwd=ROOT)
    said: list[str] = []
    ready = threading.Event()

    def listen() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if line.startswith("ready: "):
                ready.set()
        ready.set()

    threading.Thread(target=listen, daemon=True).start()
    try:
        ready.wait(START_SECONDS)
        address = next((line.removeprefix("ready: ").strip().rstrip("/") for line in said if line.startswith("ready: ")), None)
        assert address, "manage.py up did not come up:\n" + "".join(said)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
        shutil.rmtree(data, ignore_errors=True)


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
