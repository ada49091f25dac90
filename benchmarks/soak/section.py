# ruff: noqa: E501
"""The section `soak` of docs/performance.md."""

from __future__ import annotations

from benchmarks import machine
from benchmarks.live.wire import Wire
from benchmarks.soak.run import EVERY, Soaked
from benchmarks.soak.verdicts import FLAT_BYTES, FLAT_SHARE, MIB, fifths
from benchmarks.timing import per_second


def section(found: Soaked, wire: Wire) -> str:
    """A soak, as Markdown."""
    sent, ring, samples = found.sent, found.ring, found.samples[:-1]
    lines = [
        "## A soak",
        "",
        f"`manage.py up` with a live job of all fields on a veth pair for {sent.seconds / 60:.0f} minutes; {per_second(sent.rate)} packets/s of {wire.bytes / wire.packets:.0f} bytes on average, "
        f"a capture of {wire.packets:,} packets in a loop; a ring of {ring.files} files of {ring.bytes / MIB:g} MiB, whose columns go with them; two queries a second and a page every three. "
        f"A sample every {EVERY:g} s; compared are the medians of the second and of the last fifth of the run.",
        "",
        "| process | MiB of its own | later | growth | PSS | later |",
        "| --- " * 6 + "|",
    ]
    for name in sorted(samples[-1].memory):
        own = fifths(samples, lambda one, name=name: one.memory[name].anonymous if name in one.memory else None)  # type: ignore[misc]
        pss = fifths(samples, lambda one, name=name: one.memory[name].pss if name in one.memory else None)  # type: ignore[misc]
        numbers = f"{own[0] / MIB:.1f} | {own[1] / MIB:.1f} | **{(own[1] - own[0]) / MIB:+.1f}** | {pss[0] / MIB:.0f} | {pss[1] / MIB:.0f}"
        lines.append(f"| {name} | {numbers} |")
    lines += [
        "",
        f"*Of its own*: Pss_Anon, without shared memory and mapped files; flat is what grows by no more than {FLAT_SHARE:.0%} and {FLAT_BYTES / MIB:.0f} MiB. "
        "Postgres is all its processes, whose number follows that of the connections.",
        "",
        "| verdict | |",
        "| --- | --- |",
    ]
    lines += [f"| {verdict.words} | {'yes' if verdict.right else '**no**'} |" for verdict in found.verdicts]
    lines += ["", f"`script/soak`: {machine.described()}"]
    return "\n".join(lines)
