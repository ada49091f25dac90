# ruff: noqa: E501
"""docs/reliability.md: sections `faults-BACKEND` and `hold`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks import machine, page
from benchmarks.reliability.campaign import Seen
from benchmarks.reliability.hold import Held

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
HEAD = """# Reliability

What people see while parts of it die, hang, or run out of disk. `script/reliability` does it to the real thing and writes this page: people
upload captures and follow each job to its end, others ask questions whose right answers are known, one thing happens, and nobody helps.

A 503 with Retry-After says that a part is away. Without an answer are requests whose connection was refused or broken, or that took longer
than 45 s. Wrong is every other answer: another number than the right one, another status, a job that lost or doubled a packet, or whose conversations
were found to be others. Recovery is
from the end of the fault until `/readyz` answers 200 and a capture that was uploaded after it is indexed.
"""


def write(name: str, body: str) -> None:
    if not PAGE.exists():
        PAGE.write_text(HEAD)
    page.write(name, body, PAGE)


def faults(seen: Sequence[Seen], backend: str, people: tuple[int, int], command: str) -> str:
    uploaders, queriers = people
    lines = [
        f"## Faults under load ({backend})",
        "",
        f"{uploaders} people upload, {queriers} ask, all at once; `manage.py up` with two workers. All on one machine.",
        "",
        "| fault | right answers | 503, Retry-After | without an answer | wrong | jobs (packets) indexed meanwhile | well again after |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(
            f"| {one.words} | {one.right:,} | {one.away:,} | {one.refused:,} | {len(one.wrong) or 'none'} | {one.jobs:,} ({one.packets:,}) | {one.recovered:.1f} s |"
            for one in seen
        ),
        "",
        f"`{command}`: {machine.described()}",
    ]
    return "\n".join(lines)


def held(found: Held, people: tuple[int, int], command: str) -> str:
    uploaders, queriers = people
    p50, p95, p99 = found.milliseconds
    lines = [
        "## Load that is held",
        "",
        f"{uploaders} people upload, {queriers} ask, for {found.seconds / 60:.0f} minutes: {found.right:,} right answers (p50 {p50:.0f} ms, p95 {p95:.0f} ms, p99 {p99:.0f} ms), "
        f"{len(found.wrong) or 'none'} wrong, {found.away} x 503, {found.refused} without an answer; {found.jobs:,} jobs of {found.packets:,} packets, each whole.",
        "",
        "| memory of | after a minute, MiB | at the end, MiB |",
        "| --- | --- | --- |",
        *(f"| {name} | {first / 2**20:.0f} | {last / 2**20:.0f} |" for name, (first, last) in found.memory.items()),
        "",
        f"`{command}`: {machine.described()}",
    ]
    return "\n".join(lines)
