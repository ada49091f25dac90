"""The guide to the Python client does what it says, against a real server."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import picapweb_client
from tests.python_client.guide import GUIDE, blocks, plain, run
from tests.server import Server

URL = "http://localhost:11000"


def test_the_guide_shows_what_it_says(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    text = GUIDE.read_text()
    here = f"http://localhost:{server.port}"
    found = list(blocks(text))
    assert len(found) == text.count("\n```python\n") and sum(one.skipped for one in found) == 1
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in found:
        if block.skipped:
            continue
        run(replace(block, code=block.code.replace(URL, here)), names)
        shown = plain(capsys.readouterr().out.replace(here, URL))
        assert shown == block.shown, f"{GUIDE.name}, line {block.line}, shows:\n{shown}"


# What the client's parts use of each other.
OWN = {"http", "pages", "job_from", "download"}


def test_all_that_a_client_can_do_is_in_the_guide():
    text = GUIDE.read_text()
    can = {name for name in dir(picapweb_client.Client) if not name.startswith("_")} - OWN
    assert len(can) > 25
    assert sorted(name for name in can if not re.search(rf"\b{name}\b\(|`{name}`", text)) == []
    errors = {name for name in picapweb_client.__all__ if isinstance(vars(picapweb_client)[name], type)}
    errors = {name for name in errors if issubclass(vars(picapweb_client)[name], Exception)}
    assert sorted(name for name in errors if f"`{name}`" not in text) == []
