"""picap itself, and the Pilosa that it and we write to: built by ../shared/anchors/build.sh."""

from __future__ import annotations

import os
import resource
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.captures import SHARED

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 60.0


def built(folder: Path) -> Path | None:
    """The folder with picap in it, built into `folder` if it is not there; None where there is no Go or no sources."""
    script = SHARED / "anchors" / "build.sh"
    if (folder / "picap").exists():
        return folder
    if shutil.which("go") is None or not script.exists():
        return None
    done = subprocess.run(["bash", str(script), str(folder)], capture_output=True, text=True)
    return folder if done.returncode == 0 and (folder / "picap").exists() else None


def pilosa_program() -> Path:
    """Pilosa 1.4.1, built by script/build-pilosa if it is not there."""
    program = ROOT / ".cache" / "pilosa" / "pilosa"
    if not program.exists():
        subprocess.run([ROOT / "script" / "build-pilosa"], check=True)
    return program


@contextmanager
def pilosa(folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """A Pilosa of one node on an empty folder: its host:port, its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    shutil.rmtree(folder, ignore_errors=True)
    command = [str(pilosa_program()), "server", "--data-dir", str(folder), "--bind", address, "--metric.diagnostics=false"]
    with (folder.parent / "pilosa.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        until = time.monotonic() + READY_SECONDS
        while True:
            try:
                urllib.request.urlopen(f"http://{address}/status", timeout=5).read()
                break
            except OSError:
                if time.monotonic() > until or process.poll() is not None:
                    raise
                time.sleep(0.05)
        yield address, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def run(program: Path, capture: Path, folder: Path, parsers: int) -> tuple[float, float, float]:
    """picap on a capture, into an empty Pilosa: seconds by the clock, CPU seconds of its own, CPU seconds of Pilosa."""
    with pilosa(folder / "picap-pilosa") as (address, server):
        before, own = sum(server.cpu_times()[:2]), _children()
        began = time.monotonic()
        done = subprocess.run(
            [str(program / "picap"), "--filename", str(capture), "--pilosa-hosts", address, "--bind-addr", "127.0.0.1:0"],
            env={**os.environ, "PICAP_CONC": str(parsers)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        seconds = time.monotonic() - began
        if done.returncode:
            raise RuntimeError(f"picap: {done.stderr[-500:]}")
        return seconds, _children() - own, sum(server.cpu_times()[:2]) - before


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
