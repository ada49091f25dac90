"""zstd: streamed to a plain file, frames and skippable frames; cut, damaged, too large, and asking for too much memory."""

from __future__ import annotations

import random
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import zstandard

from capture.packets.errors import PacketsError
from capture.packets.sources import decompress, sniff
from tests.capture.packets.sources.test_gzip import PLAIN, run

SKIPPABLE = struct.pack("<II", 0x184D2A53, 5) + b"index"


def compress(data: bytes, **options) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True, **options).compress(data)


def streamed(data: bytes) -> bytes:
    """A frame that does not say how large its content is, as programs write it into a pipe."""
    packer = zstandard.ZstdCompressor(write_checksum=True).compressobj()
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize("pack", [compress, streamed])
def test_one_frame(tmp_path: Path, pack) -> None:
    assert run(tmp_path, pack(PLAIN)) == (None, PLAIN)


@pytest.mark.needs("zstd")
def test_what_the_zstd_program_writes(tmp_path: Path) -> None:
    """With several workers and a long window."""
    (tmp_path / "plain").write_bytes(PLAIN * 20)
    packed = subprocess.run(["zstd", "-q", "-c", "-T2", "--long=27", tmp_path / "plain"], capture_output=True, check=True)
    assert run(tmp_path, packed.stdout) == (None, PLAIN * 20)


def test_several_frames_and_skippable_ones_are_one_stream(tmp_path: Path) -> None:
    packed = SKIPPABLE + compress(PLAIN) + SKIPPABLE + SKIPPABLE + compress(b"") + streamed(b"end") + SKIPPABLE
    assert sniff(packed[:16]) == "zstd"
    assert run(tmp_path, packed) == (None, PLAIN + b"end")


def test_an_empty_stream_is_empty(tmp_path: Path) -> None:
    assert run(tmp_path, compress(b"")) == (None, b"")


def test_a_stream_cut_at_every_byte_keeps_what_it_gave(tmp_path: Path) -> None:
    first, second = b"a capture, say" * 20, random.Random(3).randbytes(300)
    frames = [compress(first), SKIPPABLE, streamed(second)]
    packed = b"".join(frames)
    whole = {len(frames[0]), len(frames[0] + frames[1]), len(packed)}
    lengths = []
    for cut in range(4, len(packed) + 1):
        sentence, found = run(tmp_path, packed[:cut])
        assert (sentence is None) is (cut in whole), cut
        assert sentence is None or "is cut" in sentence
        assert sentence is None or f"after {len(found)} decompressed bytes, at most {cut} compressed ones" in sentence
        assert (first + second).startswith(found)
        lengths.append(len(found))
    assert lengths == sorted(lengths)
    assert lengths[-1] == len(first + second)
    assert lengths[len(frames[0]) - 4] == len(first)


@pytest.mark.parametrize("before", [b"", compress(b"before")])
def test_a_damaged_stream_keeps_every_block_before_the_damage(tmp_path: Path, before: bytes) -> None:
    """A frame's blocks hold 128 KiB each; one of random bytes is stored as it is, so that its place is known."""
    plain = random.Random(1).randbytes(5 << 17)
    packed = bytearray(zstandard.ZstdCompressor(write_checksum=True).compress(plain))
    third_block = packed.find(plain[2 << 17 : (2 << 17) + 16]) - 3
    packed[third_block : third_block + 3] = b"\xff\xff\xff"  # block type 3 is reserved
    sentence, found = run(tmp_path, before + bytes(packed))
    assert found == (b"before" if before else b"") + plain[: 2 << 17]
    assert sentence is not None
    assert sentence.startswith("the zstd stream is damaged: ")
    assert f"after {len(found)} decompressed bytes" in sentence


def test_a_wrong_checksum_is_told_and_all_bytes_are_there(tmp_path: Path) -> None:
    packed = bytearray(compress(PLAIN))
    packed[-1] ^= 1
    sentence, found = run(tmp_path, bytes(packed))
    assert found == PLAIN
    assert sentence is not None
    assert "checksum" in sentence


def test_what_is_no_frame_behind_the_last_one_is_told(tmp_path: Path) -> None:
    sentence, found = run(tmp_path, compress(PLAIN) + b"something else")
    assert found == PLAIN
    assert sentence is not None
    assert "14 bytes behind its last frame are no frame" in sentence


def test_a_bomb_is_stopped_and_removed(tmp_path: Path) -> None:
    (tmp_path / "bomb").write_bytes(compress(b"\0" * (50 << 20)))
    assert (tmp_path / "bomb").stat().st_size < 10_000
    with pytest.raises(PacketsError, match="larger than 1,000,000 bytes"):
        decompress(tmp_path / "bomb", tmp_path / "dst", 1_000_000)
    assert not (tmp_path / "dst").exists()


def test_the_limit_itself_is_allowed(tmp_path: Path) -> None:
    assert run(tmp_path, compress(PLAIN), len(PLAIN)) == (None, PLAIN)


def test_a_frame_that_asks_for_too_large_a_window_is_refused_and_those_before_it_count(tmp_path: Path) -> None:
    # Frame header without a content size; window descriptor: exponent 10 + 20, so 1 GiB.
    greedy = b"\x28\xb5\x2f\xfd" + bytes([0, 20 << 3]) + b"\x01\0\0"
    sentence, found = run(tmp_path, compress(b"before") + greedy)
    assert found == b"before"
    assert sentence is not None
    assert "asks for 1073741824 bytes of memory for its window, more than 134217728" in sentence


def test_a_frame_that_needs_a_dictionary_is_told(tmp_path: Path) -> None:
    dictionary = zstandard.train_dictionary(1000, [random.Random(n).randbytes(8) * 20 for n in range(300)], dict_id=77)
    sentence, found = run(tmp_path, compress(b"known words", dict_data=dictionary))
    assert found == b""
    assert sentence is not None
    assert "needs dictionary 77" in sentence


def test_a_large_file_is_decompressed_in_little_memory(tmp_path: Path) -> None:
    """2 GB of nothing: 64 kB of zstd."""
    packer = zstandard.ZstdCompressor(level=1).compressobj()
    with open(tmp_path / "src", "wb") as file:
        for _ in range(2000):
            file.write(packer.compress(bytes(1_000_000)))
        file.write(packer.flush())
    script = (
        "import resource, sys\n"
        "from capture.packets.sources import decompress\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "assert decompress(sys.argv[1], '/dev/null', 1 << 40) is None\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path / "src"], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 300
