"""Which processes get which files, and when: all that it names is there. A process that dies takes one test along."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from xdist.workermanage import WorkerController

from tests.components import ROOT
from tests.longest_first import FIRST, TOGETHER, UNDER, LongestFirst, place


def files() -> list[str]:
    return [str(path.relative_to(ROOT)) for path in sorted(Path(ROOT / "tests").rglob("test_*.py"))]


def test_every_start_of_a_path_is_one_of_a_file() -> None:
    for start in (*FIRST, *TOGETHER, *UNDER):
        assert any(file.startswith(start) for file in files()), start


def test_what_takes_longest_comes_first() -> None:
    places = [place(file) for file in ("tests/live/", "tests/end_to_end/test_composed.py", "tests/proxy/test_x.py")]
    assert places == sorted(places) and len(set(places)) == 3


class Process:
    """What the scheduler asks of a process, and what it gave to it."""

    def __init__(self) -> None:
        self.given: list[int] = []
        self.shutting_down = False
        self.gateway = SimpleNamespace(id="gw0")

    def send_runtest_some(self, indices: list[int]) -> None:
        self.given += indices

    def shutdown(self) -> None:
        self.shutting_down = True


class Options:
    """What the scheduler asks of pytest."""

    option = SimpleNamespace(loadscopereorder=True)

    def getvalue(self, name: str) -> list[str]:
        return {"tx": ["2*popen"]}[name]


def test_who_replaces_a_process_at_the_end_of_a_run_is_given_all_that_is_left() -> None:
    """One that is given a single test waits for the next, and the other process takes nothing any more."""
    tests = [f"{file}.py::{number}" for file, count in (("a", 3), ("b", 3), ("c", 2)) for number in range(count)]
    scheduler = LongestFirst(cast(pytest.Config, Options()))
    processes = [Process(), Process(), Process()]
    dying, other, late = (cast(WorkerController, process) for process in processes)
    for node in (dying, other):
        scheduler.add_node(node)
        scheduler.add_node_collection(node, tests)
    scheduler.schedule()
    scheduler.mark_test_complete(dying, 0)
    scheduler.mark_test_complete(other, 3)
    assert processes[0].given == [0, 1, 2, 6, 7] and processes[1].given == [3, 4, 5]
    assert other.shutting_down and not scheduler.workqueue
    assert scheduler.remove_node(dying) == "a.py::1"
    scheduler.add_node(late)
    scheduler.add_node_collection(late, tests)
    scheduler.schedule()
    assert processes[2].given == [2, 6, 7] and not scheduler.workqueue


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
