# ruff: noqa: E501
"""The section `faults` of docs/performance.md."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from benchmarks import machine
from benchmarks.faults.campaign import Campaign, Round
from benchmarks.faults.kinds import KINDS


def section(campaign: Campaign, rounds: Sequence[Round], backend: str, seconds: float) -> str:
    """A campaign, as Markdown."""
    faults = [fault for one in rounds for fault in one.faults]
    right = sum(fault.right for fault in faults)
    first = campaign.quiet[campaign.captures[0]]
    lines = [
        f"## Faults ({backend})",
        "",
        f"`manage.py up` with two workers and the {'embedded store' if backend == 'embedded' else 'real Pilosa 1.4.1'}; in each round two jobs, one of a capture of {first.counted['indexed']:,} packets "
        f"({first.seconds:.1f} s undisturbed, batches of {campaign.batch_packets:,}) with all fields, and three faults at random moments while they run (and while the jobs of the round before are being deleted). "
        "Then nobody does anything. Right is a round after which the packets' values in every field, their locators and the counters equal those of an undisturbed run, bit for bit, and `manage.py check_index` finds nothing.",
        "",
        "| fault | index equal | of them with a retry by hand |",
        "| --- | --- | --- |",
    ]
    for kind in KINDS:
        of_kind = [fault for fault in faults if fault.kind == kind]
        if of_kind:
            retried = sum(1 for one in rounds if one.retried for fault in one.faults if fault.kind == kind and kind.disk)
            lines.append(f"| {kind.words} | {sum(fault.right for fault in of_kind)} of {len(of_kind)} | {retried or 'none'} |")
    recovered = [one.recovered for one in rounds]
    lines += [
        f"| **all** | **{right} of {len(faults)}** | |",
        "",
        f"From a round's last fault to the end of its jobs: {statistics.median(recovered):.1f} s (median), {max(recovered):.1f} s at most, with a lease of 2 s; the whole took {seconds / 60:.0f} minutes. "
        "A job that failed because the disk was full says so, and is retried by `POST /jobs/N/retry/`.",
        "",
        f"`script/faults --kills {len(faults)} --seed {campaign.seed} --backend {backend}`: {machine.described()}",
    ]
    return "\n".join(lines)
