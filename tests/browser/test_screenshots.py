"""The pictures in docs/screenshots are of all the pages that there are, and small. script/screenshots takes them anew."""

from __future__ import annotations

import re

import pytest

from tests.browser.screenshots import EMPTY, EVERY, FOLDER, LOOKS, gallery
from tests.server import ROOT

MOST_BYTES, MOST_BYTES_IN_ALL = 90_000, 4_200_000


def test_every_page_has_its_pictures_and_none_is_left_over():
    wanted = {f"{page.name}-{name}-{colours}.webp" for page in (EMPTY, *EVERY) for name, _, _, colours in LOOKS}
    assert {path.name for path in FOLDER.glob("*.webp")} == wanted
    assert (FOLDER / "README.md").read_text() == gallery()


def test_they_are_small():
    sizes = {path.name: path.stat().st_size for path in FOLDER.glob("*.webp")}
    assert {name: size for name, size in sizes.items() if size > MOST_BYTES} == {}
    assert sum(sizes.values()) < MOST_BYTES_IN_ALL


@pytest.mark.parametrize("name", ["README.md", "docs/tour.md"])
def test_pictures_that_are_shown_are_there(name: str):
    page = ROOT / name
    shown = re.findall(r"[\w./-]+\.webp", page.read_text())
    assert shown
    assert [one for one in shown if not (page.parent / one).is_file()] == []
