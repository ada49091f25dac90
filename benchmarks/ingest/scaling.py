# ruff: noqa: E501
"""docs/scaling.md: from what a large capture cost, what 10^9, 10^11 and 10^13 packets take."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from benchmarks import machine
from benchmarks.ingest.run import Ingested

PAGE = Path(__file__).resolve().parents[2] / "docs" / "scaling.md"
SIZES = (10**9, 10**11, 10**13)
# The machine that is reckoned with: sixteen cores like those measured, and a disk of 16 TB.
CORES, DISK = 16, 16e12
SHARD = 1 << 20
PILOSA_COPIES = 3  # replicas = nodes, of the compose file


@dataclass(frozen=True)
class Cost:
    """What one subject cost: CPU seconds a million packets, bytes a packet, fields."""

    name: str
    found: Ingested
    fields: int

    @property
    def cpu(self) -> float:
        """CPU seconds a packet, of all processes."""
        return sum(self.found.cpu.values()) / self.found.packets

    def bytes_of(self, part: str) -> float:
        """Bytes a packet on disk."""
        return self.found.sizes.get(part, 0) / self.found.packets


def measured_table(costs: list[Cost]) -> str:
    """What a million packets cost."""
    lines = [
        "| subject | CPU s: workers | Postgres | Pilosa | others | index, MB | translation, MB | locators, MB | batch rows, MB | capture, MB |"
    ]
    lines.append("| --- " * 10 + "|")
    for cost in costs:
        per_million = 1e6 / cost.found.packets
        cpu = [cost.found.cpu.get(kind, 0.0) * per_million for kind in ("workers", "Postgres", "Pilosa", "others")]
        sizes = [cost.bytes_of(part) for part in ("store", "translation", "locators", "batches", "captures")]
        lines.append(
            f"| {cost.name} ({cost.found.packets:,} packets) | "
            + " | ".join(f"{seconds:.2f}" for seconds in cpu)
            + " | "
            + " | ".join(f"{size:.2f}" for size in sizes)
            + " |"
        )
    lines += ["", f"`script/benchmark ingest`: {machine.described()}"]
    return "\n".join(lines)


def reckoned_table(costs: list[Cost]) -> str:
    """What more packets take, if each costs what it cost here."""
    lines = [
        "| subject | packets | core hours | hours on one machine | disk: index and locators | translation table | captures | machines for the disk | fragments | batch rows |"
    ]
    lines.append("| --- " * 10 + "|")
    for cost in costs:
        copies = PILOSA_COPIES if "Pilosa" in cost.name else 1
        for packets in SIZES:
            hours = packets * cost.cpu / 3600
            index = packets * (cost.bytes_of("store") * copies + cost.bytes_of("locators"))
            captures, values = packets * cost.bytes_of("captures"), packets * cost.bytes_of("translation")
            nodes = max(1, math.ceil((index + captures + values) / DISK))
            fragments = math.ceil(packets / SHARD) * cost.fields
            lines.append(
                f"| {cost.name} | 10^{round(math.log10(packets))} | {_short(hours)} | {_short(hours / CORES)} | {_bytes(index)} | {_bytes(values)} | "
                f"{_bytes(captures)} | {nodes:,} | {_short(fragments)} | {_short(packets / 1e5)} |"
            )
    return "\n".join(lines)


def _short(number: float) -> str:
    for size, letter in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if number >= size:
            return f"{number / size:.3g}{letter}"
    return f"{number:.2g}"


def _bytes(number: float) -> str:
    for size, name in ((1e15, "PB"), (1e12, "TB"), (1e9, "GB")):
        if number >= size:
            return f"{number / size:.3g} {name}"
    return f"{number / 1e6:.3g} MB"
