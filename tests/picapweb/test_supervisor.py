"""The process table itself, with children that are nothing but Python."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from picapweb.embedded.child import NotReady, Service, describe_exit
from picapweb.supervisor import Supervisor
from tests.server import alive


def python(name: str, code: str, **options) -> Service:
    return Service(name=name, argv=[sys.executable, "-c", code], **options)


class Lines:
    """What a supervisor said, to be waited for."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._more = threading.Condition()

    def __call__(self, line: str) -> None:
        with self._more:
            self.lines.append(line)
            self._more.notify_all()

    def wait_for(self, text: str, times: int = 1) -> None:
        with self._more:
            found = self._more.wait_for(lambda: sum(text in line for line in self.lines) >= times, timeout=60)
        assert found, (text, self.lines)


SLEEP = "import time; print('here', flush=True); time.sleep(600)"


def test_in_order_up_and_in_reverse_down(tmp_path: Path):
    log = tmp_path / "order"
    code = (
        "import signal, sys, time\n"
        "def end(*_): open(sys.argv[1], 'a').write(sys.argv[2] + ' down\\n'); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "open(sys.argv[1], 'a').write(sys.argv[2] + ' up\\n')\n"
        "time.sleep(600)"
    )

    def row(name: str) -> Service:
        argv = [sys.executable, "-c", code, str(log), name]
        return Service(name, argv, probe=lambda: log.exists() and f"{name} up" in log.read_text())

    supervisor = Supervisor([row("a"), row("b")], Lines())
    supervisor.start()
    supervisor.stop()
    assert log.read_text().split("\n")[:-1] == ["a up", "b up", "b down", "a down"]


def test_output_comes_with_the_name_in_front():
    said = Lines()
    supervisor = Supervisor([python("sleeper", SLEEP)], said)
    supervisor.start()
    said.wait_for("sleeper: here")
    supervisor.stop()


def test_a_child_that_keeps_dying_is_started_again_ever_more_rarely():
    said = Lines()
    supervisor = Supervisor([python("broken", "import time; time.sleep(0.2); raise SystemExit(3)", probe=lambda: True)], said)
    supervisor.start()
    said.wait_for("broken ended with exit code 3; it is started again in", times=3)
    supervisor.stop()
    pauses = [line.rsplit(" ", 2)[1] for line in said.lines if "started again in" in line]
    assert pauses[:3] == ["0.2", "0.4", "0.8"]


def test_what_a_dead_child_started_ends_with_it(tmp_path: Path):
    pid = tmp_path / "pid"
    code = (
        "import subprocess, sys, time, pathlib\n"
        f"child = subprocess.Popen([sys.executable, '-c', {SLEEP!r}]); pathlib.Path({str(pid)!r}).write_text(str(child.pid))\n"
        "time.sleep(600)"
    )
    said = Lines()
    supervisor = Supervisor([python("parent", code, probe=lambda: pid.exists() and pid.read_text() != "")], said)
    supervisor.start()
    grandchild = psutil.Process(int(pid.read_text()))
    psutil.Process(supervisor.pids()["parent"]).kill()
    said.wait_for("parent was killed by SIGKILL")
    end = time.monotonic() + 60
    while alive([grandchild]):
        assert time.monotonic() < end
        time.sleep(0.02)
    supervisor.stop()


def test_one_that_will_not_end_is_killed():
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    said = Lines()
    supervisor = Supervisor([python("deaf", deaf, stop_seconds=0.5)], said)
    supervisor.start()
    said.wait_for("deaf: deaf")
    process = psutil.Process(supervisor.pids()["deaf"])
    supervisor.stop()
    assert not process.is_running()


def test_one_that_ends_before_it_serves_ends_the_start_with_its_reason(tmp_path: Path):
    log = tmp_path / "log"
    supervisor = Supervisor(
        [python("first", SLEEP), python("second", "print('no such thing'); raise SystemExit(2)", probe=lambda: False, log=log)],
        Lines(),
    )
    with pytest.raises(NotReady, match="second ended with exit code 2 / no such thing before it served"):
        supervisor.start()
    assert not any(psutil.pid_exists(pid) for pid in supervisor.pids().values())


def test_stopping_while_it_starts():
    supervisor = Supervisor([python("slow", SLEEP, probe=lambda: False)], Lines())
    starting = threading.Thread(target=supervisor.start)
    starting.start()
    end = time.monotonic() + 60
    while not supervisor.pids() and time.monotonic() < end:
        time.sleep(0.01)
    (pid,) = supervisor.pids().values()
    supervisor.stop()
    starting.join()
    assert not psutil.pid_exists(pid)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "ended with exit code 0"),
        (3, "ended with exit code 3"),
        (-9, "was killed by SIGKILL"),
        (-64, "was killed by SIGRTMAX"),
    ],
)
def test_reasons_in_words(code: int, words: str):
    assert describe_exit(code) == words


def test_a_second_word_hurries_it(tmp_path: Path):
    """A child that does not end when it is asked to is waited for, until there is no time for that."""
    lines = Lines()
    code = (
        "import signal, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: print('asked', flush=True))\n"
        "print('here', flush=True)\n"
        "while True: time.sleep(1)"
    )
    supervisor = Supervisor([python("a", code, stop_seconds=600.0)], lines)
    supervisor.start()
    lines.wait_for("a: here")
    pid = supervisor.pids()["a"]
    stopping = threading.Thread(target=supervisor.stop)
    stopping.start()
    lines.wait_for("a: asked")
    supervisor.hurry()
    stopping.join(60)
    assert not stopping.is_alive() and not psutil.pid_exists(pid)
