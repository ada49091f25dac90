from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

LINKTYPE, INTERFACE = 3, 4
COLUMNS = ("frame.time_epoch", "frame.len", "frame.cap_len", "frame.encap_type", "frame.interface_name", "frame.md5_hash")


@dataclass
class Exported:
    """An answer of /packets/export, its body read."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self.body)
        return said


@pytest.fixture
def client(data) -> Client:
    return Client(headers={"host": "localhost"})


@pytest.fixture
def two_passes(monkeypatch) -> None:
    """Records are not held, however few they are."""
    monkeypatch.setattr("proxy.export.packets.FEW", 0)


@pytest.fixture
def export(client) -> Callable[..., Exported]:
    """Asks for an export: HEAD first, whose size and counts must be those of what comes."""

    def ask(**query: Any) -> Exported:
        url = f"/packets/export?{urlencode(query, doseq=True)}"
        head, answer = client.head(url), client.get(url)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert head.status_code == answer.status_code
        if answer.status_code == 200:
            assert head.content == b""
            for name in ("Content-Length", "Content-Type", "Content-Disposition", "Picapweb-Packets", "Picapweb-Packets-Gone"):
                assert head.get(name) == answer.get(name), name
            assert answer.get("Content-Length") in (None, str(len(body)))
        return Exported(answer.status_code, dict(answer.items()), body)

    return ask


def frames(path: Path, display_filter: str = "") -> list[list[str]]:
    """What tshark says of each frame: time, lengths, link type, interface, MD5 of its bytes. A break at the end is no error."""
    command = ["tshark", "-n", "-r", str(path), "-o", "frame.generate_md5_hash:TRUE", "-T", "fields"]
    for name in COLUMNS:
        command += ["-e", name]
    if display_filter:
        command += ["-Y", display_filter]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    for row in rows:
        row[INTERFACE] = row[INTERFACE].replace("unknown", "")  # of a pcapng without a name; a pcap has no interfaces
    return [row for row in rows if row[LINKTYPE]]  # custom blocks of pcapng are frames to tshark


def capinfos(path: Path) -> dict[str, str]:
    """What capinfos says of a whole file."""
    done = subprocess.run(["capinfos", "-T", "-m", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    names, values = (line.split(",") for line in done.stdout.splitlines()[:2])
    return dict(zip(names, values, strict=False))  # comments, which come last, may have commas


@pytest.fixture
def needs_tshark() -> None:
    from tests.conftest import needs

    needs("tshark")
