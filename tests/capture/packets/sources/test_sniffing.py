"""What a file is, is told by its first bytes; what it is not, in words."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from capture.packets.errors import NotACapture
from capture.packets.sources import open_capture, sniff


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        ("d4c3b2a1", "pcap"),
        ("a1b2c3d4", "pcap"),
        ("4d3cb2a1", "pcap"),
        ("a1b23c4d", "pcap"),
        ("34cdb2a1", "pcap"),
        ("a1b2cd34", "pcap"),
        ("0a0d0d0a1c000000", "pcapng"),
        ("1f8b0800", "gzip"),
        ("28b52ffd", "zstd"),
    ],
)
def test_known(head: str, kind: str) -> None:
    assert sniff(bytes.fromhex(head)) == kind


def test_unknown_says_what_it_saw_and_what_is_read() -> None:
    with pytest.raises(NotACapture) as caught:
        sniff(b"PK\x03\x04 and so on")
    assert "50 4b 03 04" in str(caught.value)
    assert "pcap, pcapng" in str(caught.value)


def test_empty() -> None:
    with pytest.raises(NotACapture, match="the file is empty"):
        sniff(b"")


def test_missing_file_and_directory_are_os_errors(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(OSError, match=str(path)):
            open_capture(path)


def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotACapture, match="not a regular file"):
        open_capture(tmp_path / "pipe")
