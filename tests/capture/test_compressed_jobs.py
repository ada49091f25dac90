"""Compressed captures as jobs: told by content; whole packets before a break count; refused at the door if never to be read."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import zstandard

from capture.models import JobState
from capture.services.describe import job_json
from capture.services.errors import Refused
from tests.capture.packets.sources.writing import Packet, pcap
from tests.jobs import order_job, run_job

FRAME = bytes(12) + b"\x08\x00" + bytes.fromhex("4500001c000000004011000001020304050607080035d43100080000")
CAPTURE = pcap([Packet(FRAME + n.to_bytes(4, "big"), 46, 1_700_000_000 + n) for n in range(300)])
PACK = {"gzip": gzip.compress, "zstd": zstandard.compress}


@pytest.mark.parametrize("kind", PACK)
def test_a_compressed_capture_is_a_job_whatever_its_name(data, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "some.pcap"
    path.write_bytes(PACK[kind](CAPTURE[:5000]) + PACK[kind](CAPTURE[5000:]))
    said = job_json(run_job(path))
    assert said["state"] == JobState.DONE
    assert said["packets"]["indexed"] == 300
    assert (said["capture"]["compression"], said["capture"]["size"]) == (kind, len(CAPTURE))
    assert said["capture"]["read_error"] is None


@pytest.mark.parametrize("kind", PACK)
def test_a_cut_stream_is_done_and_says_where(data, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "cut"
    path.write_bytes(PACK[kind](CAPTURE[:10_000]) + PACK[kind](CAPTURE[10_000:])[:-9])
    said = job_json(run_job(path))
    assert said["state"] == JobState.DONE
    assert said["packets"]["indexed"] == said["packets"]["read"] >= (10_000 - 24) // 62
    assert f"the {kind} stream is cut (after " in said["capture"]["read_error"]


@pytest.mark.parametrize("outer", PACK)
@pytest.mark.parametrize("inner", PACK)
def test_compressed_twice_is_refused_at_the_door(data, tmp_path: Path, outer: str, inner: str) -> None:
    path = tmp_path / "twice"
    path.write_bytes(PACK[outer](PACK[inner](CAPTURE)))
    with pytest.raises(Refused, match=f"{inner} in {outer}: one level of compression is read"):
        order_job(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (gzip.compress(b"a letter to an old friend", mtime=0), "not a capture: the first bytes are 61 20 6c"),
        (zstandard.compress(b"a letter to an old friend"), "not a capture: the first bytes are 61 20 6c"),
        (zstandard.compress(b""), "the file is empty"),
        (gzip.compress(CAPTURE, mtime=0)[:12], "not a capture: the gzip stream is cut"),
        (zstandard.compress(CAPTURE)[:12], "not a capture: the zstd stream is cut"),
        (b"\x1f\x8b\x08\x00" + bytes(30), "the gzip stream"),
        (b"\x28\xb5\x2f\xfd" + bytes([0, 20 << 3]) + b"\x01\0\0", "asks for 1073741824 bytes of memory"),
    ],
)
def test_what_can_never_be_read_is_refused_at_the_door(data, tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "odd"
    path.write_bytes(content)
    with pytest.raises(Refused, match=reason):
        order_job(path)
