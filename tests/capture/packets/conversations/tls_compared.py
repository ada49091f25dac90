"""How TLS handshakes end by the records that tshark sees in streams put together: a judge of `tls-handshake`."""

from __future__ import annotations

import subprocess
from collections import defaultdict
from pathlib import Path

_FIELDS = (
    "frame.number frame.time_epoch tcp.stream tcp.srcport ip.src ipv6.src tcp.flags.fin tcp.flags.reset"
    " tls.record.content_type tls.record.opaque_type tls.handshake.type tls.alert_message.level tls.record.length"
).split()


def _rows(path: Path) -> list[dict[str, list[str]]]:
    command = ["tshark", "-n", "-r", str(path), "-Y", "tls or tcp.flags.syn==1 or tcp.flags.fin==1 or tcp.flags.reset==1"]
    command += ["-T", "fields", "-E", "occurrence=a", "-E", "separator=/t", "-E", "aggregator=|"]
    for name in _FIELDS:
        command += ["-e", name]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    cells = [line.split("\t") for line in done.stdout.splitlines()]
    return [{name: cell.split("|") if cell else [] for name, cell in zip(_FIELDS, row, strict=True)} for row in cells]


def judged(path: Path, timeout: float) -> dict[int, str]:
    """frame in which tshark shows a stream's first ClientHello -> how that handshake ended."""
    streams: dict[str, list[dict[str, list[str]]]] = defaultdict(list)
    for row in _rows(path):
        if row["tcp.stream"]:
            streams[row["tcp.stream"][-1]].append(row)
    found = {}
    for rows in streams.values():
        hello = next((k for k, row in enumerate(rows) if "1" in row["tls.handshake.type"]), None)
        if hello is not None:
            found[int(rows[hello]["frame.number"][0])] = _ended(rows[hello:], timeout)
    return found


def _ended(rows: list[dict[str, list[str]]], timeout: float) -> str:
    began, client = float(rows[0]["frame.time_epoch"][0]), _sender(rows[0])
    changed: set[bool] = set()
    protected: set[bool] = set()
    for row in rows:
        if float(row["frame.time_epoch"][0]) - began > timeout:
            break
        side = _sender(row) == client
        hellos = sum(kind in ("1", "2") for kind in row["tls.handshake.type"])
        lengths = [int(length) for length in row["tls.record.length"]]
        declined = side and side not in protected and len(lengths) == 1 and lengths[0] < 20  # an encrypted alert of TLS 1.3
        kinds = [*row["tls.record.content_type"], *row["tls.record.opaque_type"]]
        for kind in kinds:
            if kind == "20":
                changed.add(side)
            elif kind == "22" and hellos:
                hellos -= 1
            elif (kind == "22" and side in changed) or (kind == "23" and not declined):
                protected.add(side)
        if len(protected) == 2:
            return "complete"
        encrypted = "21" in kinds and not row["tls.alert_message.level"]
        if "2" in row["tls.alert_message.level"] or encrypted or _is(row, "fin") or _is(row, "reset"):
            return "broken-off"
    return "broken-off"


def _sender(row: dict[str, list[str]]) -> tuple[str, ...]:
    return tuple(row[name][-1] for name in ("ip.src", "ipv6.src", "tcp.srcport") if row[name])


def _is(row: dict[str, list[str]], flag: str) -> bool:
    return row[f"tcp.flags.{flag}"][-1:] in (["1"], ["True"])
