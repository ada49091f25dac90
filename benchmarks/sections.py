# ruff: noqa: E501
"""The sections of the page: what was measured, as Markdown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import captures, compilation, machine, memory, references, subjects
from benchmarks.timing import Subject, measure, on_one_core, per_second

SAMPLE, TINY = 200_000, 20_000  # packets for programs that are slow, and very slow
TARGETS = {subjects.PICAP: 3e6, subjects.ALL: 1.5e6, subjects.WORKER_PICAP: 3e6, subjects.WORKER_ALL: 1.5e6}

Say = Callable[[str], None]


def speed(capture: Path, folder: Path, rounds: int, parseonly: Path | None, say: Say) -> str:
    """Packets per second of our steps and of others, on one core."""
    if parseonly is None:
        say("building gopacket's part of picap")
        parseonly = references.build_parseonly(captures.SHARED / "anchors", folder)
    packets = captures.packets_of(capture)
    sample, tiny = captures.head(capture, min(SAMPLE, packets), folder), captures.head(capture, min(TINY, packets), folder)
    on_one_core()
    own = subjects.ours(capture, tiny)
    others, missing = references.references(capture, packets, sample, tiny, parseonly)
    measure([*own, *others], rounds, say)
    title = (
        f"{packets:,} packets, {capture.stat().st_size / 1e6:.0f} MB (`make_capture.py`), one core, batches of {subjects.BATCH_PACKETS:,}, code compiled, file in the page "
        f"cache; {rounds} rounds of all rows in turns after one that does not count. Best and median by the clock; packets per "
        "second of CPU time (median) leave out what others on the machine took."
    )
    return "\n".join(["## One core", "", title, "", *_table(own, others), "", *_missing(missing), _by("speed")])


def _table(own: list[Subject], others: list[Subject]) -> list[str]:
    lines = ["| what | does | packets | best | median | per CPU second | target |", "| --- " * 7 + "|"]
    for subject in [*own, *others]:
        target = per_second(TARGETS[subject.name]) if subject.name in TARGETS else ""
        lines.append(
            f"| {subject.name} | {subject.does} | {subject.packets:,} | {per_second(subject.best)} | {per_second(subject.median)} | "
            f"**{per_second(subject.per_cpu)}** | {target} |"
        )
    fast = [subject for subject in own if subject.name in (subjects.PICAP, subjects.ALL)]
    lines += ["", "Times as fast, per CPU second:", "", "| | " + " | ".join(subject.name for subject in fast) + " |"]
    lines.append("| --- |" + " --- |" * len(fast))
    for other in [*(subject for subject in own if subject.name == subjects.SCAPY), *others]:
        ratios = " | ".join(_times(subject.per_cpu / other.per_cpu) for subject in fast)
        lines.append(f"| as {other.name} | {ratios} |")
    return lines


def _by(section: str) -> str:
    return f"`script/benchmark {section}`: {machine.described()}"


def _times(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.2g}"


def _missing(sentences: list[str]) -> list[str]:
    return [f"Not measured: {'; '.join(sentences)}.", ""] if sentences else []


def peak_memory(capture: Path, say: Say) -> str:
    """Anonymous memory while a large capture is dissected."""
    say(f"memory: {capture}")
    figures = memory.measured(capture)
    lines = [
        "## Memory",
        "",
        f"A capture of {figures['packets']:,} packets, {figures['bytes'] / 1e9:.2f} GB, scanned, read and dissected by `fast` "
        f"with all fields, in batches of {subjects.BATCH_PACKETS:,} packets, in {figures['seconds']:.1f} s. RssAnon, every 5 ms:",
        "",
        "| | MiB |",
        "| --- | --- |",
        f"| before the first packet (Python, numpy, numba, compiled code) | {figures['before'] / 2**20:.0f} |",
        f"| highest | **{figures['peak'] / 2**20:.0f}** |",
        "| target | below 1,024 |",
        "",
        _by("memory"),
    ]
    return "\n".join(lines)


def compiling(say: Say) -> str:
    """What compilation costs."""
    say("compiling into an empty folder")
    figures: dict[str, Any] = compilation.measured()
    lines = [
        "## Compiling",
        "",
        "At set-up (`script/server`, the image's build, `manage.py compile`), never in a user's job; the key is a hash of all "
        "sources that the code depends on.",
        "",
        "| | |",
        "| --- | --- |",
        f"| all loops into an empty folder | {figures['seconds']:.0f} s |",
        f"| size of the folder | {figures['bytes'] / 1e6:.1f} MB in {figures['files']} files |",
        f"| loading it in a new process | {figures['load']:.2f} s |",
        "",
        _by("compiling"),
    ]
    return "\n".join(lines)
