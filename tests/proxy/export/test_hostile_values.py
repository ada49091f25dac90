"""Values with separators, quotes, ends of lines and bytes that are no UTF-8 come out of a table as they are."""

from __future__ import annotations

import csv
import io
import json
import struct

import pytest

from capture.packets.values import bytes_of, text_of
from tests.jobs import run_job

AGENTS = [
    b"a|b",
    b'say "hello", twice',
    b"tab\there",
    b"\xff\xfe",
    b"\xe2\x80\xa8line",
    b"back\\slash",
    b"=1+1",
    b"+1|2",
    b"-2+3",
    b"@SUM(1)",
    "\uff1d1".encode(),
]


def http(agent: bytes) -> bytes:
    """A packet on the wire: Ethernet, IPv4, TCP, HTTP."""
    payload = b"GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: " + agent + b"\r\n\r\n"
    tcp = struct.pack(">HHIIBBHHH", 40000, 80, 1, 1, 0x50, 0x18, 1000, 0, 0) + payload
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, b"\x0a\0\0\1", b"\x0a\0\0\2") + tcp
    return bytes(12) + b"\x08\0" + ip


@pytest.fixture
def job(data, tmp_path):
    packets = b"".join(struct.pack("<IIII", i, 0, len(one), len(one)) + one for i, one in enumerate(map(http, AGENTS)))
    path = tmp_path / "agents.pcap"
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + packets)
    return run_job(path)


def test_json_lines(export, job):
    body = export(format="jsonl", fields="http-useragent").body
    lines = body.decode("ascii").splitlines()
    assert [json.loads(line)["fields"]["http-useragent"] for line in lines] == [[text_of(agent)] for agent in AGENTS]


def test_csv(export, job):
    body = export(format="csv", fields="http-useragent").body
    rows = list(csv.DictReader(io.StringIO(body.decode(), newline=""), strict=True))
    told = [row["http-useragent"] for row in rows]
    assert [bytes_of(one) for one in told] == AGENTS  # no byte is lost
    assert not [one for one in told if one[0] in "=+-@\t\r\uff1d"]  # and no spreadsheet runs one
    assert told[-5:] == ["\\x3d1+1", "\\x2b1\\x7c2", "\\x2d2+3", "\\x40SUM(1)", "\\xef\\xbc\\x9d1"]
    assert rows[0]["http-useragent"] == "a\\x7cb"
