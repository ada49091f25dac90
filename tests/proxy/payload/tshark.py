"""What tshark says of conversations: streams and their payload ("Follow TCP/UDP stream"), fields of packets."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

_SEPARATOR = "=" * 67
_MISSING = re.compile(rb"\[\d+ bytes missing in capture file\]\0?")


@dataclass(frozen=True)
class Stream:
    """ends: address:port of who began and of the other. said: what each of them sent; lost: whether tshark misses some."""

    ends: tuple[str, str]
    said: tuple[bytes, bytes]
    lost: bool


def tshark(*arguments: str) -> str:
    return subprocess.run(["tshark", "-n", *arguments], capture_output=True, text=True, check=False).stdout


def follow(path: Path, protocol: str, count: int) -> list[Stream]:
    """Streams 0 to `count` - 1 of tcp or udp."""
    asked = [word for number in range(count) for word in ("-z", f"follow,{protocol},raw,{number}")]
    parts = tshark("-q", "-r", str(path), *asked).split(_SEPARATOR)
    streams = {}
    for part in parts:
        lines = part.strip("\n").split("\n")
        if not lines[0].startswith("Follow:"):
            continue
        number = int(lines[1].rpartition(" ")[2])
        ends = tuple(re.sub(r"[\[\]]", "", line.partition(": ")[2]) for line in lines[2:4])
        said = [b"", b""]
        for line in lines[4:]:
            said[line.startswith("\t")] += bytes.fromhex(line.strip())
        lost = any(_MISSING.search(one) for one in said)
        streams[number] = Stream((ends[0], ends[1]), tuple(_MISSING.sub(b"", one) for one in said), lost)  # type: ignore[arg-type]
    return [streams[number] for number in range(count)]


def fields(path: Path, *names: str) -> list[list[str]]:
    """Of each packet, in order, fields in tshark's words; of several values the first."""
    asked = [word for name in names for word in ("-e", name)]
    lines = tshark("-r", str(path), "-T", "fields", "-E", "occurrence=f", *asked).split("\n")[:-1]
    return [line.split("\t") for line in lines]
