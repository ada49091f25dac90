"""Programs that capture: ours, dumpcap and tcpdump, each told to begin, and asked at its end what it counted."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from capture.packets.live.recorder import RecorderOrder
from capture.packets.sources import open_capture

OURS, PLAIN, DUMPCAP, TCPDUMP = "picapweb", "picapweb, nice 0", "dumpcap", "tcpdump"
OUR_BUFFER = RecorderOrder.buffer_bytes
PATIENCE = 90.0
# dumpcap and tcpdump leave what is in the kernel's buffer when they are interrupted: before that, none of them is until its
# file has not grown for so long. tcpdump gets a block of the buffer that is not full after a second.
QUIET_SECONDS = 1.5


@dataclass(frozen=True)
class Counted:
    """What a program says that the kernel dropped for want of room, and the packets in its file, counted by us."""

    dropped: int
    written: int


@dataclass(frozen=True)
class Program:
    """command(interface, folder): what to run. ready: a line of its output says so when it captures. numbers: of its
    output at the end, group 1 is the packets that the kernel dropped. interrupt: how it is told to end."""

    name: str
    does: str
    command: Callable[[str, Path], list[str]]
    ready: str
    numbers: str
    interrupt: bool = True


def programs() -> tuple[list[Program], list[str]]:
    """Those that are here, and sentences on those that are missing."""
    mib = OUR_BUFFER >> 20
    found = [
        _recorder(OURS, f"the recorder as the live worker runs it: buffer {mib} MiB (its default), nice -10"),
        _recorder(PLAIN, "the same at the priority of the others", "--plain"),
    ]
    missing = []
    for name, make in ((DUMPCAP, _dumpcap), (TCPDUMP, _tcpdump)):
        if shutil.which(name) is None:
            missing.append(f"{name} is not installed")
            continue
        found += [make(None), make(mib)]
    return found, missing


def _recorder(name: str, does: str, *options: str) -> Program:
    def command(interface: str, folder: Path) -> list[str]:
        return [sys.executable, "-m", "benchmarks.live.recorder_program", interface, str(folder), *options]

    return Program(name, does, command, r'"ready"', r'"dropped": (\d+)', interrupt=False)


def _dumpcap(mib: int | None) -> Program:
    def command(interface: str, folder: Path) -> list[str]:
        return ["dumpcap", "-q", "-i", interface, *(["-B", str(mib)] if mib else []), "-w", str(folder / "a.pcapng")]

    name, does = _called(DUMPCAP, "-w", f"-B {mib}" if mib else "", mib)
    return Program(name, does, command, r"^File: ", r"received/dropped on interface '.*?': \d+/(\d+)")


def _tcpdump(mib: int | None) -> Program:
    def command(interface: str, folder: Path) -> list[str]:
        options = ["-B", str(mib << 10)] if mib else []
        return ["tcpdump", "-n", "-Z", "root", "-i", interface, *options, "-w", str(folder / "a.pcap")]

    name, does = _called(TCPDUMP, "-w", f"-B {mib << 10}" if mib else "", mib)
    return Program(name, does, command, r"listening on ", r"(\d+) packets? dropped by kernel")


def _called(program: str, write: str, option: str, mib: int | None) -> tuple[str, str]:
    if mib is None:
        return program, f"`{program} {write}`, buffer 2 MiB (its default)"
    return f"{program}, {mib} MiB", f"`{program} {write} {option}`, a buffer as large as ours"


class Running:
    """A program at work, a context manager. Entered, it captures."""

    def __init__(self, program: Program, interface: str, folder: Path) -> None:
        self.program, self.folder = program, folder
        self._said = ""
        self._process = subprocess.Popen(
            program.command(interface, folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )

    def __enter__(self) -> Running:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._said += line
            if re.search(self.program.ready, line):
                return self
        raise RuntimeError(f"{self.program.name} does not capture: {self._said.strip()}")

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def end(self) -> Counted:
        """Waits until it has written what it has, and tells it to end."""
        self._settle()
        if self.program.interrupt:
            self._process.send_signal(signal.SIGINT)
        rest, _ = self._process.communicate(timeout=PATIENCE)
        self._said += rest
        found = re.findall(self.program.numbers, self._said)
        if self._process.returncode or not found:
            raise RuntimeError(f"{self.program.name} ended with {self._process.returncode}: {self._said.strip()}")
        (path,) = list(self.folder.iterdir())
        return Counted(int(found[-1]), packets_in(path))

    def _settle(self) -> None:
        until, size, since = time.monotonic() + PATIENCE, -1, time.monotonic()
        while time.monotonic() < until and time.monotonic() - since < QUIET_SECONDS:
            now = sum(path.stat().st_size for path in self.folder.iterdir())
            if now != size:
                size, since = now, time.monotonic()
            time.sleep(0.05)


def packets_in(path: Path) -> int:
    """Packets in a capture file, all of it whole."""
    with open_capture(path) as source:
        packets = sum(batch.read for batch in source.scan(1 << 18))
        if source.read_error:
            raise RuntimeError(f"{path}: {source.read_error}")
    return packets
