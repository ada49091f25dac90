"""Compiled code on disk: no edit leaves stale code, an edit elsewhere compiles nothing, and a read-only folder is no obstacle.

A tiny package is compiled and run in processes of their own: a kernel in one file, a helper in another, a constant in a third.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server import ROOT, clean_environment

KERNEL = """
from numba import types
from capture.packets.compiling import compiled
from tiny.helper import plus

@compiled(types.int64(types.int64))
def answer(x):
    return plus(x) * 2
"""
HELPER = """
from capture.packets.compiling import compiled
from .constants import MORE

@compiled()
def plus(x):
    return x + MORE
"""
ANOTHER_KERNEL = """
from numba import types
from capture.packets.compiling import compiled
from tiny.helper import plus

@compiled(types.float64(types.float64))
def answer(x):
    return plus(x) * 2
"""
RUN = """
import sys
sys.path[:0] = [sys.argv[1], sys.argv[2]]
import numba.core.event
with numba.core.event.install_recorder("numba:compile") as recorder:
    from tiny.kernel import answer
    print(answer(20), sum(event.is_start for _, event in recorder.buffer))
"""
# Root may write anywhere, unless it gives that power up.
WITHOUT_POWER = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"]


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    package = tmp_path / "tiny"
    package.mkdir()
    for name, text in (
        ("__init__", ""),
        ("kernel", KERNEL),
        ("another_kernel", ANOTHER_KERNEL),
        ("helper", HELPER),
        ("constants", "MORE = 1\n"),
        ("other", "A = 1\n"),
    ):
        (package / f"{name}.py").write_text(text)
    return package


def start(tiny: Path, *, prefix: tuple[str, ...] = (), code: str = RUN, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*prefix, sys.executable, "-c", code, str(tiny.parent), str(ROOT)],
        # Python's own cache knows an edit by time and length alone.
        env=clean_environment(**{"PICAPWEB_COMPILED": str(tiny.parent / "cache"), "PYTHONDONTWRITEBYTECODE": "1", **environment}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def result(process: subprocess.Popen[str]) -> tuple[int, int, str]:
    """The kernel's answer, how many functions were compiled, and stderr."""
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    answer, compiled = out.split()
    return int(answer), int(compiled), err


def run(tiny: Path, **how) -> tuple[int, int]:
    return result(start(tiny, **how))[:2]


def edit(file: Path, old: str, new: str) -> None:
    """A change that keeps length and time: nothing but the content tells it."""
    text, told = file.read_text(), file.stat()
    assert old in text and len(old) == len(new)
    file.write_text(text.replace(old, new))
    os.utime(file, ns=(told.st_atime_ns, told.st_mtime_ns))


def kept(tiny: Path) -> dict[str, int]:
    return {str(file): file.stat().st_mtime_ns for file in (tiny.parent / "cache").rglob("*.nb*")}


def test_an_edit_of_a_helper_in_another_file_leaves_no_stale_code(tiny):
    assert run(tiny) == (42, 2)
    assert run(tiny) == (42, 0)
    edit(tiny / "helper.py", "x + MORE", "x - MORE")
    assert run(tiny) == (38, 2)
    edit(tiny / "constants.py", "MORE = 1", "MORE = 5")
    assert run(tiny)[0] == 30
    edit(tiny / "constants.py", "MORE = 5", "MORE = 1")
    assert run(tiny) == (38, 0)  # as it was: the old code is there still


def test_an_edit_of_a_file_that_is_not_imported_compiles_nothing(tiny):
    run(tiny)
    before = kept(tiny)
    edit(tiny / "other.py", "A = 1", "A = 2")
    assert run(tiny) == (42, 0)
    assert before and kept(tiny) == before
    # No part of a name is the path of the clone: its copy can use a copy of this.
    assert {Path(file).parent.parent for file in before} == {tiny.parent / "cache"}


def test_bounds_are_checked_in_code_of_its_own(tiny):
    run(tiny)
    assert run(tiny, PICAPWEB_BOUNDS_CHECK="1") == (42, 2)
    assert run(tiny) == (42, 0)


def test_several_processes_at_once_are_right_and_leave_a_whole_cache(tiny):
    started = [start(tiny) for _ in range(3)]
    assert {result(one)[0] for one in started} == {42}
    assert run(tiny) == (42, 0)


OTHER_TYPES = RUN.replace("tiny.kernel", "tiny.another_kernel").replace("answer(20)", "int(answer(20.25) * 10)")


def test_a_helper_that_two_processes_compile_for_different_types_is_right_in_both(tiny):
    """numba's own cache can mix up what two of them write at the same moment."""
    started = [start(tiny, code=code) for code in (RUN, OTHER_TYPES) * 2]
    assert [result(one)[0] for one in started] == [42, 425] * 2
    assert result(start(tiny))[:2] == (42, 0)
    assert result(start(tiny, code=OTHER_TYPES))[:2] == (425, 0)


KILLED_WHILE_SAVING = RUN.replace(
    "import numba.core.event\n",
    """import numba.core.event, numba.core.caching, os, signal
numba.core.caching.IndexDataCacheFile._save_data = lambda self, name, data: os.kill(os.getpid(), signal.SIGKILL)
""",
)


def test_a_process_that_was_killed_between_a_functions_index_and_its_code_leaves_nothing_broken(tiny):
    killed = start(tiny, code=KILLED_WHILE_SAVING)
    assert killed.communicate(timeout=600)[0] == "" and killed.returncode == -signal.SIGKILL
    assert kept(tiny)
    assert run(tiny) == (42, 2)
    assert run(tiny) == (42, 0)


@pytest.mark.needs("setpriv (util-linux)", "root")
def test_where_the_folder_cannot_be_written_the_users_is_taken_and_a_line_says_so(tiny, tmp_path):
    (tmp_path / "cache").mkdir(mode=0o555)
    users = tmp_path / "users"
    answer, compiled, said = result(start(tiny, prefix=tuple(WITHOUT_POWER), XDG_CACHE_HOME=str(users)))
    assert (answer, compiled) == (42, 2)
    assert str(tmp_path / "cache") in said and str(users) in said and "PICAPWEB_COMPILED" in said
    assert list((tmp_path / "cache").iterdir()) == []
    assert run(tiny, prefix=tuple(WITHOUT_POWER), XDG_CACHE_HOME=str(users)) == (42, 0)


def test_where_no_folder_can_be_written_it_works_all_the_same_and_a_line_says_so(tiny, tmp_path):
    (tmp_path / "file").touch()
    nowhere = str(tmp_path / "file" / "below")  # even root can make no folder below a file
    answer, _, said = result(start(tiny, PICAPWEB_COMPILED=nowhere, XDG_CACHE_HOME=nowhere, TMPDIR=str(tmp_path)))
    assert answer == 42
    assert nowhere in said and "anew" in said
    assert list(tmp_path.glob("picapweb-compiled-*")) == []


@pytest.fixture(scope="module")
def whole() -> Path:
    """The clone's own cache, with all loops of the product in it."""
    done = subprocess.run(
        [sys.executable, "-m", "capture.packets.fast.warm"], cwd=ROOT, env=clean_environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return ROOT / ".cache" / "compiled"


LOAD_ALL = """
import numba.core.event
with numba.core.event.install_recorder("numba:compile") as recorder:
    from capture.packets.fast import warm
    warm.warm()
    ours = [event.data["dispatcher"].py_func for _, event in recorder.buffer if warm._is_ours(event)]
    assert not ours, ours
    from capture.packets.compiled_cache import cache_folder
    print(cache_folder())
"""


def load_all(*prefix: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [*prefix, sys.executable, "-c", LOAD_ALL]
    return subprocess.run(command, cwd=ROOT, env=clean_environment(**environment), capture_output=True, text=True, timeout=600)


def test_once_compiled_no_process_compiles_again(whole):
    done = load_all()
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(whole)


@pytest.mark.needs("setpriv (util-linux)", "root")
def test_a_read_only_folder_that_holds_all_of_it_is_used_as_it_is(whole, tmp_path):
    image = tmp_path / "image"
    shutil.copytree(whole, image, ignore=shutil.ignore_patterns("*.tmp.*"))
    for path in [image, *image.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    done = load_all(*WITHOUT_POWER, PICAPWEB_COMPILED=str(image), XDG_CACHE_HOME=str(tmp_path / "users"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(image)
    assert done.stderr == ""


def test_the_command_says_what_it_did(whole):
    done = subprocess.run(
        [sys.executable, "manage.py", "compile"], cwd=ROOT, env=clean_environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("nothing to compile") and str(whole) in done.stdout


LOOK_AT_THE_LOCK = """
import fcntl, sys
sys.path[:0] = [sys.argv[1], sys.argv[2]]
import numba.core.event
from capture.packets.compiled_cache import cache_folder

class Look(numba.core.event.Listener):
    def on_start(self, event):
        if event.data["dispatcher"].py_func.__module__.startswith("tiny"):
            try:
                fcntl.flock((cache_folder() / "locks" / "kernel").open("a"), fcntl.LOCK_EX | fcntl.LOCK_NB)
                print("free")
            except BlockingIOError:
                print("held")
    def on_end(self, event):
        pass

numba.core.event.register("numba:compile", Look())
from tiny.kernel import answer
"""


def test_while_a_process_compiles_a_module_no_other_does(tiny):
    done = subprocess.run(
        [sys.executable, "-c", LOOK_AT_THE_LOCK, str(tiny.parent), str(ROOT)],
        env=clean_environment(PICAPWEB_COMPILED=str(tiny.parent / "cache")),
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["held", "held"], done.stderr


SHARED = """
import os, sys
from capture.packets import compiled_cache
from capture.packets.fast import warm
modules = tuple(path for path in compiled_cache.compiled_modules() if path.stem in ("pilosa_varints", "gather", "moving"))
assert len(modules) == 3
compiled_cache.compiled_modules = lambda: modules
warm._dissect_a_packet = lambda: None
os.sched_getaffinity = lambda pid: range(3)
own = []
share = warm._share
warm._share = lambda wanted, note: share(wanted, lambda name, *how: (own.append(name), note(name, *how)))
sys.executable = sys.argv[1] or sys.executable
for _ in range(2):
    print(len(warm.compile_all().modules), len(own), int(warm.is_warm()))
"""


@pytest.mark.parametrize("helper", ["", "/bin/false"])
def test_processes_share_the_modules_and_what_a_helper_leaves_is_done(tmp_path, helper):
    environment = clean_environment(PICAPWEB_COMPILED=str(tmp_path / "cache"))
    command = [sys.executable, "-c", SHARED, helper]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    first, again = ([int(word) for word in line.split()] for line in done.stdout.splitlines())
    assert first[::2] == [3, 1]
    assert first[1] <= 3 if not helper else first[1] == 3
    assert again == [0, first[1], 1]


EDIT_WHILE_IMPORTING = RUN.replace(
    "import numba.core.event\n",
    """import numba.core.event, pathlib, capture.packets.compiling
import tiny.constants
file = pathlib.Path(sys.argv[1], "tiny", "constants.py")
file.write_text("MORE = 7\\n")
""",
)


def test_what_was_compiled_while_a_source_was_edited_is_nobody_elses(tiny):
    """The process has the old constant and would keep its code under the key of the new text."""
    done = subprocess.run(
        [sys.executable, "-c", EDIT_WHILE_IMPORTING, str(tiny.parent), str(ROOT)],
        env=clean_environment(PICAPWEB_COMPILED=str(tiny.parent / "cache"), PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True,
        text=True,
    )
    assert done.stdout.split()[0] == "42", done.stderr
    assert run(tiny)[0] == 54
