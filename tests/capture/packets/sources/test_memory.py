"""Reading a large capture takes no more memory than reading a small one."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import pytest

from capture.packets.reading import read_batch
from capture.packets.sources import open_capture
from tests.capture.packets.sources.writing import interface, pcap_header, section

LARGE = 1 << 30
PACKET = 200_000

SCRIPT = """
import resource, sys
import numpy as np
from capture.packets.reading import read_batch
from capture.packets.sources import open_capture

def scanned(path, bpf):
    with open_capture(path) as source:
        locators = [batch.locator for batch in source.scan(1000, bpf)]
        assert source.read_error is None, source.read_error
        return locators

scanned(sys.argv[1], "ip")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for bpf in ("", "greater 100"):
    locators = scanned(sys.argv[2], bpf)
read_batch(sys.argv[2], locators[0][::100])
print(sum(map(len, locators)), (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def pcap_file(path: Path, size: int) -> int:
    """Packets of zeros in a file with holes."""
    header = struct.pack("<IIII", 1, 0, PACKET, PACKET)
    count = size // (PACKET + len(header))
    with open(path, "wb") as file:
        file.write(pcap_header(snaplen=PACKET))
        for _ in range(count):
            file.write(header)
            file.seek(PACKET, 1)
        file.truncate()
    return count


def pcapng_file(path: Path, size: int) -> int:
    length = PACKET + 32
    header = struct.pack("<IIIIIII", 6, length, 0, 0, 0, PACKET, PACKET)
    count = size // length
    with open(path, "wb") as file:
        file.write(section() + interface())
        for _ in range(count):
            file.write(header)
            file.seek(PACKET, 1)
            file.write(struct.pack("<I", length))
    return count


@pytest.mark.parametrize("make", [pcap_file, pcapng_file])
def test_a_large_file_is_scanned_and_filtered_in_little_memory(tmp_path: Path, make) -> None:
    make(tmp_path / "small", 1 << 20)
    count = make(tmp_path / "large", LARGE)
    command = [sys.executable, "-c", SCRIPT, tmp_path / "small", tmp_path / "large"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    packets, megabytes = map(int, done.stdout.split())
    assert packets == count
    assert megabytes < 32


def test_offsets_beyond_4_gib(tmp_path: Path) -> None:
    """USB captures may have packets of 128 MiB: 40 of them, nearly all holes."""
    size = 128 << 20
    path = tmp_path / "usb"
    with open(path, "wb") as file:
        file.write(pcap_header(word=249))
        for n in range(40):
            file.write(struct.pack("<IIII", n, 0, size, size) + bytes([n]) * 9)
            file.seek(size - 9, 1)
        file.truncate()
    with open_capture(path) as source:
        (batch,) = source.scan(1000)
        (rest,) = source.scan(1000, state={"offset": 24 + 35 * (size + 16), "number": 35})
    assert len(batch.locator) == 40
    assert batch.locator["offset"].tolist() == [40 + n * (size + 16) for n in range(40)]
    assert rest.locator.tolist() == batch.locator[35:].tolist()
    small = batch.locator.copy()
    small["captured_length"] = 9
    found = read_batch(path, small)
    assert [found.packet(n) for n in range(40)] == [bytes([n]) * 9 for n in range(40)]
