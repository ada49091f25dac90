"""Every test of jobs has a data folder and a store of its own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from capture.services import ring
from indexing import store, translation


@pytest.fixture
def data(tmp_path: Path, settings, transactional_db, monkeypatch) -> Iterator[Path]:
    """An empty data folder, database and embedded store. Nobody is rung: the test itself is the worker."""
    settings.PICAPWEB_DATA = tmp_path
    settings.CAPTURES_DIR = tmp_path / "captures"
    settings.INDEX_DIR = tmp_path / "index"
    settings.IMPORT_DIR = tmp_path / "import"
    settings.IMPORT_DIR.mkdir()
    monkeypatch.setattr(ring, "_send", lambda times: None)
    store.close()
    translation.clear_cache()
    yield tmp_path
    store.close()
    translation.clear_cache()


@pytest.fixture(params=["embedded", "pilosa"])
def index(request: pytest.FixtureRequest, data: Path, settings) -> Iterator[str]:
    """The name of an empty index; the test runs on each backend."""
    name = f"i{uuid.uuid4().hex[:12]}"
    if request.param == "embedded":
        yield name
        return
    server = request.getfixturevalue("pilosa_server")
    settings.INDEX_URL = server.url
    store.close()
    yield name
    server.drop(name)  # each field of each index is several open files, and a process may have some thousands
