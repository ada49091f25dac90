"""gzip: streamed to a plain file, one member or many; cut, damaged and too large."""

from __future__ import annotations

import gzip
import os
import random
from pathlib import Path

import pytest
import zstandard

from capture.packets.errors import NotACapture, PacketsError
from capture.packets.sources import decompress, first_bytes, open_capture

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
    with pytest.raises(PacketsError, match="larger than 1,000,000 bytes"):
        decompress(tmp_path / "bomb", tmp_path / "dst", 1_000_000)
    assert not (tmp_path / "dst").exists()


def test_the_limit_itself_is_allowed(tmp_path: Path) -> None:
    assert run(tmp_path, gzip.compress(PLAIN), len(PLAIN)) == (None, PLAIN)


def test_compressed_files_are_not_scanned_as_they_are(tmp_path: Path) -> None:
    for kind, data in (("gzip", gzip.compress(b"x")), ("zstd", zstandard.compress(b"x"))):
        (tmp_path / "src").write_bytes(data)
        with pytest.raises(NotACapture, match=f"{kind}-compressed: decompress it first"):
            open_capture(tmp_path / "src")


@pytest.mark.parametrize("cut", [1, 2, 5])
def test_compressed_twice_is_refused_in_words_and_nothing_is_left(tmp_path: Path, cut: int) -> None:
    """Told by the first plain bytes, also where they come one by one."""
    inner = {"gzip": gzip.compress(PLAIN), "zstd": zstandard.compress(PLAIN)}
    for outer, pack in (("gzip", gzip.compress), ("zstd", zstandard.compress)):
        for kind, data in inner.items():
            (tmp_path / "src").write_bytes(pack(data[:cut]) + pack(data[cut:]))
            with pytest.raises(NotACapture, match=f"{kind} in {outer}: one level of compression is read"):
                decompress(tmp_path / "src", tmp_path / "dst", 1 << 30)
            assert not (tmp_path / "dst").exists()


def test_what_is_not_compressed_is_refused(tmp_path: Path) -> None:
    (tmp_path / "src").write_bytes(b"\x0a\x0d\x0d\x0a" + bytes(30))
    with pytest.raises(NotACapture, match="not compressed: pcapng"):
        decompress(tmp_path / "src", tmp_path / "dst", 1 << 30)


def test_the_first_bytes_are_had_without_the_rest(tmp_path: Path) -> None:
    for kind, pack in (("gzip", gzip.compress), ("zstd", zstandard.compress)):
        packed = pack(PLAIN)
        (tmp_path / "src").write_bytes(packed)
        assert first_bytes(tmp_path / "src", 16)[0] == kind
        assert first_bytes(tmp_path / "src", 16)[1][:16] == PLAIN[:16]
        (tmp_path / "src").write_bytes(packed[: len(packed) // 2])
        assert first_bytes(tmp_path / "src", 16)[2] is None
        (tmp_path / "src").write_bytes(packed[:9])
        assert first_bytes(tmp_path / "src", 16)[1] == b""
        assert "is cut" in str(first_bytes(tmp_path / "src", 16)[2])
