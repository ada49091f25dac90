"""What figures were measured on."""

from __future__ import annotations

import datetime
import os
import platform
import re
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("numpy", "numba", "scapy", "dpkt")


def described(*programs: str) -> str:
    """A sentence: machine, system, versions, date. programs: others whose versions matter."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    versions = "; ".join((_program("tshark"), _program("tcpdump"), _program("go", "version"), *map(_program, programs)))
    return (
        f"{_cpu()}, {os.cpu_count()} cores, {memory:.0f} GiB, {_system()}, Linux {platform.release()}, "
        f"Python {platform.python_version()}, {packages}; {versions}. {datetime.date.today().isoformat()}, commit {_commit()}."
    )


def _cpu() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor()
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1] if found else platform.machine()


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.system()


def _program(name: str, option: str = "--version") -> str:
    if shutil.which(name) is None:
        return f"no {name}"
    done = subprocess.run([name, option], capture_output=True, text=True)
    line = (done.stdout or done.stderr).splitlines()[0].rstrip(".")
    return re.sub(r" \([Gg]it.*|\(Wireshark\) |^go version ", "", line)


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, cwd=Path(__file__).resolve().parent
    )
    return done.stdout.strip() or "unknown"
