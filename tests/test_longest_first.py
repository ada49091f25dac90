"""Which processes get which files, and when: all that it names is there. A process that dies takes one test along."""

from __future__ import annotations

import os
import subprocess
import sys
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


def test_a_process_that_dies_fails_one_test_and_the_run_goes_on_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "from tests.longest_first import LongestFirst\n"
        "def pytest_xdist_make_scheduler(config, log):\n    return LongestFirst(config, log)\n"
    )
    for name in "abcdefgh":
        (tmp_path / f"test_{name}.py").write_text("def test_1(): pass\ndef test_2(): pass\n")
    (tmp_path / "test_e.py").write_text("import os\ndef test_1(): pass\ndef test_2(): os.abort()\ndef test_3(): pass\n")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-n2", "-q", "-p", "no:cacheprovider", "-p", "no:django", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": "", "PYTEST_XDIST_WORKER": ""},
    )
    assert "1 failed, 16 passed" in run.stdout, run.stdout + run.stderr
    assert "crashed while running" in run.stdout and "test_e.py::test_2" in run.stdout
