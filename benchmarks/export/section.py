# ruff: noqa: E501
"""The section of the page: packets of a query written to a file, by us over HTTP, by tcpdump and tshark, and the same bytes copied."""

from __future__ import annotations

import filecmp
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from benchmarks import machine
from benchmarks.ingest.run import ended, upload
from benchmarks.live.product import Product

Say = Callable[[str], None]
WARM_UP = "one that does not count"


@dataclass(frozen=True)
class Filter:
    """The same packets in three languages; "" is all of them. tshark: it is asked, too."""

    name: str
    display: str
    bpf: str
    tshark: bool = False


FILTERS = (
    Filter("every packet", "", ""),
    Filter("longer than 1,000 bytes", "frame.len > 1000", "greater 1001", tshark=True),
    Filter("1,400 to 1,450 bytes long", "frame.len >= 1400 && frame.len <= 1450", "greater 1400 and less 1450"),
)


@dataclass
class Subject:
    """Who writes a file, and how long it took each time. same: the file is that of tcpdump, byte for byte; None: not compared."""

    name: str
    command: list[str]
    out: Path
    seconds: list[float] = field(default_factory=list)
    size: int = 0
    same: bool | None = None

    def run(self) -> float:
        """Writes the file anew. Raises RuntimeError."""
        self.out.unlink(missing_ok=True)
        began = time.perf_counter()
        done = subprocess.run(self.command, capture_output=True, text=True)
        took = time.perf_counter() - began
        if done.returncode:
            raise RuntimeError(f"{self.command}: {done.stderr[-500:]}")
        self.size = self.out.stat().st_size
        return took

    @property
    def rate(self) -> float:
        """Bytes a second, of the best."""
        return self.size / min(self.seconds)


def measured(capture: Path, packets: int, folder: Path, rounds: int, say: Say) -> str:
    """The section."""
    missing = [name for name in ("curl", "tcpdump", "tshark") if shutil.which(name) is None]
    if missing:
        raise SystemExit(f"export cannot be measured without {', '.join(missing)}")
    lines = _head(packets, capture, rounds)
    with tempfile.TemporaryDirectory(dir=folder) as made, Product(Path(made) / "data") as product:
        job = upload(product, capture, "again=1&fields=picap")
        said = ended(product, job)
        if said["state"] != "done" or said["packets"]["indexed"] != packets:
            raise RuntimeError(f"job {job}: {said}")
        say(f"export: {packets:,} packets are indexed")
        for one in FILTERS:
            subjects = _subjects(one, capture, Path(made), product.up.port)
            if not one.display:
                subjects.insert(0, _stored(job, Path(made), product.up.port))
            lines += _table(one, _timed(one, subjects, rounds, say))
    return "\n".join([*lines, "", f"`script/benchmark export`: {machine.described('curl')}"])


def _subjects(one: Filter, capture: Path, folder: Path, port: int) -> list[Subject]:
    def ours(form: str, order: str) -> Subject:
        url = f"http://localhost:{port}/packets/export?" + urlencode({"format": form, "order": order, "q": one.display})
        out = folder / f"ours-{order}.{form}"
        name = f"picapweb, {form}" + (", order=time" if order == "time" else "")
        return Subject(name, ["curl", "-sSf", "-o", str(out), url], out)

    theirs, slow = folder / "tcpdump.pcap", folder / "tshark.pcap"
    subjects = [ours("pcap", "capture"), ours("pcapng", "capture"), ours("pcap", "time")]
    subjects.append(
        Subject("tcpdump -r -w", ["tcpdump", "-r", str(capture), "-w", str(theirs), *([one.bpf] if one.bpf else [])], theirs)
    )
    if one.tshark:
        subjects.append(
            Subject(
                "tshark -r -Y -w", ["tshark", "-n", "-r", str(capture), "-Y", one.display, "-w", str(slow), "-F", "pcap"], slow
            )
        )
    # Last: what is copied is what tcpdump wrote.
    for name, command in (("cp", ["cp", str(theirs)]), ("dd bs=1M", ["dd", "bs=1M", f"if={theirs}"])):
        out = folder / f"copy-{name[:2]}"
        subjects.append(Subject(f"{name} of those bytes", [*command, str(out) if name == "cp" else f"of={out}"], out))
    return subjects


def _stored(job: int, folder: Path, port: int) -> Subject:
    """What HTTP alone takes: a file that is sent as it is."""
    out = folder / "stored.pcap"
    return Subject(
        "the stored capture, `/jobs/N/pcap`", ["curl", "-sSf", "-o", str(out), f"http://localhost:{port}/jobs/{job}/pcap"], out
    )


def _timed(one: Filter, subjects: list[Subject], rounds: int, say: Say) -> list[Subject]:
    for turn in range(rounds + 1):
        for subject in subjects:
            if turn != 1 and subject.name.startswith("tshark"):
                continue  # more minutes of it say no more
            took = subject.run()
            if turn:
                subject.seconds.append(took)
        if not turn:
            by_name = {subject.name: subject for subject in subjects}
            by_name["picapweb, pcap"].same = filecmp.cmp(
                by_name["picapweb, pcap"].out, by_name["tcpdump -r -w"].out, shallow=False
            )
    say(f"export: {one.name}: " + ", ".join(f"{subject.name} {subject.rate / 1e6:,.0f} MB/s" for subject in subjects))
    return subjects


def _head(packets: int, capture: Path, rounds: int) -> list[str]:
    return [
        "## Exports",
        "",
        f"Packets of a query, of a capture of {packets:,} packets and {capture.stat().st_size / 1e6:.0f} MB (`make_capture.py`), written to a file on the same disk, in the page cache: by `curl` from `/packets/export`, whole requests with the query, over HTTP on the loopback; by programs that read the capture from its beginning; and as copies of the file that comes out. "
        f"{rounds} rounds of all in turns after {WARM_UP} (tshark: once). MB/s are of the file that is written, in the best round.",
    ]


def _table(one: Filter, subjects: list[Subject]) -> list[str]:
    copied = max(subject.rate for subject in subjects if "of those bytes" in subject.name)
    query = f" (`{one.display}`)" if one.display else ""
    lines = [
        "",
        f"{one.name[0].upper()}{one.name[1:]}{query}:",
        "",
        "| | MB | seconds, best | median | MB/s | of a copy |",
        "| --- " * 6 + "|",
    ]
    for subject in subjects:
        same = {True: ", the same file as tcpdump's", False: ", **not** tcpdump's file", None: ""}[subject.same]
        best, median = min(subject.seconds), statistics.median(subject.seconds)
        lines.append(
            f"| {subject.name}{same} | {subject.size / 1e6:,.1f} | {best:.3f} | {median:.3f} | **{subject.rate / 1e6:,.0f}** | {subject.rate / copied:.2f} |"
        )
    return lines
