"""A live job's counters, held against each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

SUMMED = {
    "received": "received",
    "captured": "captured",
    "dropped_by_kernel": "dropped_kernel",
    "dropped_by_interface": "dropped_interface",
    "bytes_captured": "bytes_captured",
    "unread": "unread",
}


def adding_up(job: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """What must be true of an ended live job, each with its numbers, and whether it is."""
    packets, live = job["packets"], job["live"]
    received, captured, dropped, unread = (live[name] for name in ("received", "captured", "dropped_by_kernel", "unread"))
    yield (
        f"received {received:,} = captured {captured:,} + dropped by the kernel {dropped:,} + unread {unread:,}",
        received == captured + dropped + unread,
    )
    yield f"read {packets['read']:,} = captured {captured:,}", packets["read"] == captured
    parts = ("indexed", "removed", "filtered_out", "failed")
    words = " + ".join(f"{name.replace('_', ' ')} {packets[name]:,}" for name in parts)
    yield f"read {packets['read']:,} = {words}", packets["read"] == sum(packets[name] for name in parts)
    for total, name in SUMMED.items():
        summed = sum(one[name] for one in live["interfaces"])
        yield f"{total.replace('_', ' ')}: {live[total]:,}, of its interfaces together {summed:,}", live[total] == summed
