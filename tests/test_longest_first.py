"""The order in which processes get files, and which stay together: all that it names is there."""

from __future__ import annotations

from pathlib import Path

from tests.components import ROOT
from tests.longest_first import FIRST, TOGETHER, UNDER, place


def files() -> list[str]:
    return [str(path.relative_to(ROOT)) for path in sorted(Path(ROOT / "tests").rglob("test_*.py"))]


def test_every_start_of_a_path_is_one_of_a_file() -> None:
    for start in (*FIRST, *TOGETHER, *UNDER):
        assert any(file.startswith(start) for file in files()), start


def test_what_takes_longest_comes_first() -> None:
    places = [place(file) for file in ("tests/live/", "tests/end_to_end/test_composed.py", "tests/proxy/test_x.py")]
    assert places == sorted(places) and len(set(places)) == 3
