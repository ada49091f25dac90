"""gzip: streamed to a plain file, one member or many; cut, damaged and too large."""

from __future__ import annotations

import gzip
import os
import random
from pathlib import Path

import pytest

from capture.packets.errors import NotACapture, PacketsError
from capture.packets.sources import decompress, open_capture, sniff

# Half random, half not: several deflate blocks of either kind.
PLAIN = random.Random(7).randbytes(300_000) + bytes(range(256)) * 2000


def run(tmp_path: Path, compressed: bytes, max_bytes: int = 1 << 30) -> tuple[str | None, bytes]:
    (tmp_path / "src").write_bytes(compressed)
    sentence = decompress(tmp_path / "src", tmp_path / "dst", max_bytes)
    return sentence, (tmp_path / "dst").read_bytes()


def test_one_member(tmp_path: Path) -> None:
    assert run(tmp_path, gzip.compress(PLAIN)) == (None, PLAIN)


@pytest.mark.parametrize("padding", [b"", b"\0" * 100_000], ids=["", "padded"])
def test_several_members_are_one_stream(tmp_path: Path, padding: bytes) -> None:
    compressed = gzip.compress(PLAIN) + padding + gzip.compress(b"") + gzip.compress(b"end") + padding
    assert run(tmp_path, compressed) == (None, PLAIN + b"end")


def test_what_follows_the_last_member_is_no_part_of_it(tmp_path: Path) -> None:
    assert run(tmp_path, gzip.compress(PLAIN) + b"a tape's end mark") == (None, PLAIN)


def test_a_cut_stream_keeps_what_it_gave(tmp_path: Path) -> None:
    small = b"a capture, say" * 20
    compressed = gzip.compress(small)
    lengths = []
    for cut in range(2, len(compressed)):
        sentence, found = run(tmp_path, compressed[:cut])
        assert sentence is not None
        assert "is cut" in sentence
        assert small.startswith(found)
        lengths.append(len(found))
    assert lengths == sorted(lengths)
    assert lengths[-1] == len(small)


def test_a_large_cut_stream_keeps_nearly_all_before_the_cut(tmp_path: Path) -> None:
    compressed = gzip.compress(PLAIN)
    sentence, found = run(tmp_path, compressed[:200_000])
    assert sentence is not None
    assert PLAIN.startswith(found)
    assert 190_000 < len(found) < 210_000


def test_a_damaged_stream_keeps_what_came_before_the_damage(tmp_path: Path) -> None:
    compressed = bytearray(gzip.compress(PLAIN))
    compressed[-8:-4] = b"\0\0\0\0"  # the checksum: all bytes are there, and wrong
    sentence, found = run(tmp_path, bytes(compressed))
    assert found == PLAIN
    assert sentence is not None
    assert "incorrect data check" in sentence


def test_a_bomb_is_stopped_and_removed(tmp_path: Path) -> None:
    (tmp_path / "bomb").write_bytes(gzip.compress(b"\0" * (50 << 20)))
    assert os.path.getsize(tmp_path / "bomb") < 100_000
    with pytest.raises(PacketsError, match="limit of 1000000 bytes"):
        decompress(tmp_path / "bomb", tmp_path / "dst", 1_000_000)
    assert not (tmp_path / "dst").exists()


def test_the_limit_itself_is_allowed(tmp_path: Path) -> None:
    assert run(tmp_path, gzip.compress(PLAIN), len(PLAIN)) == (None, PLAIN)


def test_zstd_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "src").write_bytes(b"\x28\xb5\x2f\xfd" + bytes(20))
    assert sniff((tmp_path / "src").read_bytes()) == "zstd"
    for refused in (lambda: decompress(tmp_path / "src", tmp_path / "dst", 9), lambda: open_capture(tmp_path / "src")):
        with pytest.raises(NotACapture, match="zstd-compressed: decompress it first"):
            refused()


def test_compressed_files_are_not_scanned_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "src").write_bytes(gzip.compress(b"x"))
    with pytest.raises(NotACapture, match="gzip-compressed"):
        open_capture(tmp_path / "src")
