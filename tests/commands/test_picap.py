"""manage.py picap, as a user starts it: a process of its own, real parts, picap's options."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.request
from types import SimpleNamespace

import pytest

from capture.management.commands import picap
from capture.management.commands.picap import Command
from capture.models import Job
from tests.ports import free_port
from tests.server import PATIENCE, ROOT, clean_environment

CAPTURE = "pcaps/protocols/zeek__wikipedia.pcap"


def command(*arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), "picap", *arguments]


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What it says on stderr before it exits with 1 or 2, in this process: all that is refused is refused by it."""
    with pytest.raises(SystemExit) as ended:
        Command().run_from_argv(["manage.py", "picap", *arguments])
    assert ended.value.code in (1, 2)
    return capsys.readouterr().err


def test_once_indexes_a_file_prints_the_job_and_leaves_nothing_behind(shared, tmp_path):
    environment = clean_environment(TMPDIR=str(tmp_path))
    done = subprocess.run(
        command("-f", str(shared / CAPTURE), "-e", "tcp", "-b", f"localhost:{free_port()}", "--once", "--json"),
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    job = json.loads(done.stdout)
    assert (job["state"], job["packets"]["indexed"], job["packets"]["read"]) == ("done", 78, 136)
    assert job["options"]["snaplen"] == 1500
    assert job["options"]["bufsize"] == 100000
    assert list(tmp_path.iterdir()) == []


def test_it_serves_the_proxy_until_interrupted(shared, tmp_path):
    port = free_port()
    process = subprocess.Popen(
        command("--filename", str(shared / CAPTURE), "--bind-addr", f"localhost:{port}", "-m", str(tmp_path / "data")),
        env=clean_environment(),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("done:"):
                break
        query = urllib.request.Request(
            f"http://localhost:{port}/index/net/query", b'Count(Bitmap(frame=transproto, rowID="TCP"))'
        )
        with urllib.request.urlopen(query, timeout=PATIENCE) as answer:
            assert json.loads(answer.read()) == {"results": [78]}
    finally:
        process.send_signal(signal.SIGINT)
        end = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < end:
            time.sleep(0.1)
        process.kill()
    assert process.returncode == 0
    assert (tmp_path / "data" / "postgres").is_dir()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-f", "nonesuch.pcap"], "nonesuch.pcap"),
        (["-f", "README.md", "-n", "Net"], "option index"),
        (["-f", "README.md", "-b", "11000"], "host:port"),
        (["-f", "README.md", "-t", "soon"], "option timeout"),
        (["-f", "README.md", "-p=perhaps"], "perhaps"),
        (["-i", "nonesuch0"], "no interface 'nonesuch0'"),
        (["-i", "lo", "-e", "tcp prot 80"], "syntax error"),
        (["-i", "lo", "--max-seconds", "soon"], "option max_seconds"),
    ],
)
def test_a_bad_option_is_a_message_and_exit_1_or_2(arguments, words, capsys):
    assert words in refused(capsys, *arguments)


def test_a_bad_option_leaves_no_traceback():
    """As a user sees it: of a process of its own."""
    done = subprocess.run(command("-f", "nonesuch.pcap"), env=clean_environment(), capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "nonesuch.pcap" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bad_filter_of_a_file_is_told_in_libpcaps_words(data, shared, capsys, monkeypatch):
    """When everything runs already, which this test does without: the order is refused, and that is the exit code."""
    monkeypatch.setattr(picap, "restart_with", lambda _: None)
    monkeypatch.setattr(picap, "run", lambda options, do: do(SimpleNamespace(options=options)))
    assert "syntax error" in refused(capsys, "-f", str(shared / CAPTURE), "-e", "tcp prot 80", "--once")
    assert not Job.objects.exists()
