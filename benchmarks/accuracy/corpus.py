"""The shared captures: names, truth, plain files of the compressed ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from capture.packets.sources import decompress

PCAPS = Path(__file__).resolve().parents[3] / "shared" / "pcaps"
MOST_BYTES = 1 << 30  # of a decompressed capture: none of the corpus is near

# What we take for no capture, with tshark's truth: it reads no packet of them either.
NOT_CAPTURES = frozenset(
    {
        "malformed/derived__not-a-capture.pcap",
        "malformed/derived__short-file-header.pcap",
        "malformed/derived__zero-bytes.pcap",
        "malformed/libpcap__pcapng-invalid-vers-1.pcapng",
    }
)


def names() -> list[str]:
    """All captures that have a truth, as `folder/file`, sorted."""
    return sorted(str(path.relative_to(PCAPS / "truth"))[: -len(".json")] for path in (PCAPS / "truth").glob("*/*.json"))


def truth(name: str) -> dict[str, Any]:
    """What tshark, capinfos and tcpdump say of a capture (../shared/pcaps/README.md)."""
    told: dict[str, Any] = json.loads((PCAPS / "truth" / f"{name}.json").read_text())
    return told


def filters() -> dict[str, dict[str, Any]]:
    """BPF truth: capture -> filter -> packets, or a dict where tcpdump refused it."""
    told: dict[str, dict[str, Any]] = json.loads((PCAPS / "truth" / "bpf.json").read_text())["files"]
    return told


def plain(name: str, folder: Path) -> tuple[Path, str | None]:
    """The capture as a plain file (decompressed into `folder` if need be), and what is wrong with its compression."""
    path = PCAPS / name
    if path.read_bytes()[:2] != b"\x1f\x8b":
        return path, None
    return folder / "plain", decompress(path, folder / "plain", MOST_BYTES)
