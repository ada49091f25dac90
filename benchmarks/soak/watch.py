"""What the product holds at a moment: memory of each process, disk, rows."""

from __future__ import annotations

import os
import re
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.live.product import Product

# By what a command line holds, the first that matches.
SERVICES = (
    ("postgres", re.compile(r"\bpostgres\b")),
    ("valkey", re.compile(r"valkey-server")),
    ("live worker", re.compile(r"manage\.py live")),
    ("worker", re.compile(r"celery .*\bworker\b")),
    ("clock", re.compile(r"celery .*\bbeat\b")),
    ("web", re.compile(r"granian")),
    ("up", re.compile(r"manage\.py up")),
)
KINDS = {"Rss": "rss", "Pss": "pss", "Pss_Anon": "anonymous"}


@dataclass(frozen=True)
class Memory:
    """Bytes. pss: with its part of what it shares. anonymous: of that, what belongs to no file and no shared memory."""

    rss: int
    pss: int
    anonymous: int

    def __add__(self, other: Memory) -> Memory:
        return Memory(self.rss + other.rss, self.pss + other.pss, self.anonymous + other.anonymous)


@dataclass(frozen=True)
class Sample:
    """seconds: since the start. memory: of processes, the oldest of a kind being its parent; Postgres as a whole, for a
    process of it comes and goes with each connection. pids: of the same. disk: bytes by part of the data folder. rows: of
    batches. database: bytes. job: as the API has it. ring: bytes of its files."""

    seconds: float
    memory: dict[str, Memory]
    pids: dict[str, int]
    disk: dict[str, int]
    ring: int
    ring_files: int
    batches: int
    database: int
    job: dict[str, Any]


def sample(product: Product, job: int, began: float) -> Sample:
    memory, pids = processes(product)
    disk = {path.name: allocated(path) for path in product.data.iterdir() if path.is_dir() and not path.is_symlink()}
    disk["write-ahead log"] = allocated(product.data / "postgres" / "pg_wal")
    disk["postgres"] -= disk["write-ahead log"]
    ring = product.data / "captures" / str(job) / "ring"
    return Sample(
        time.monotonic() - began,
        memory,
        pids,
        disk,
        allocated(ring),
        len(list(ring.iterdir())),
        int(product.sql("SELECT count(*) FROM indexing_batch")),
        int(product.sql("SELECT pg_database_size(current_database())")),
        product.connection.job(job),
    )


def processes(product: Product) -> tuple[dict[str, Memory], dict[str, int]]:
    """Memory by name, and process ids by name."""
    found: dict[str, list[tuple[float, int, Memory]]] = defaultdict(list)
    for process in product.processes():
        try:
            service = service_of(" ".join(process.cmdline()))
            found[service].append((process.create_time(), process.pid, memory_of(process.pid)))
        except (psutil.Error, OSError):
            continue  # it has ended meanwhile
    memory, pids = {}, {}
    for service, members in found.items():
        members.sort(key=lambda member: member[:2])
        if service == "postgres":
            pids[service] = members[0][1]
            memory[service] = sum((one for *_, one in members), Memory(0, 0, 0))
            continue
        for number, (_, pid, one) in enumerate(members):
            name = service if number == 0 else f"{service}, child {number}"
            memory[name], pids[name] = one, pid
    return memory, pids


def service_of(command: str) -> str:
    """The service that a command line is of; `other` if it is of none."""
    return next((name for name, mark in SERVICES if mark.search(command)), "other")


def memory_of(pid: int) -> Memory:
    """From the kernel's own sum over all mappings. Raises OSError."""
    return parsed(Path(f"/proc/{pid}/smaps_rollup").read_text())


def parsed(text: str) -> Memory:
    """smaps_rollup (proc(5)) as bytes."""
    lines = (line.split() for line in text.splitlines()[1:])
    found = {KINDS[words[0].rstrip(":")]: int(words[1]) * 1024 for words in lines if words[0].rstrip(":") in KINDS}
    return Memory(**found)


def allocated(folder: Path) -> int:
    """Bytes on the disk of all that is in a folder (holes are none)."""
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(where, name)).st_blocks * 512
            except FileNotFoundError:
                continue  # it went meanwhile
    return total
