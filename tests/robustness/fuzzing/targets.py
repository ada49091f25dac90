"""What is fuzzed: each reader with inputs that it can read, how more are made of them, and which errors are answers."""

from __future__ import annotations

import gzip
import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import zstandard

from capture.packets.dissect import dissect
from capture.packets.errors import FilterError, NotACapture, PacketsError
from capture.packets.layers import layer_tree
from capture.packets.reading import read_batch
from capture.packets.segment import segment
from capture.packets.sources import decompress, open_capture
from indexing.calls import QueryError
from indexing.client.embedded_roaring import decoded
from indexing.client.roaring_forms import RoaringError, as_pilosa
from indexing.roaring import encode
from proxy.display.compile import compile_filter
from proxy.pql.parse import parse
from proxy.pql.unparse import unparse
from proxy.protobuf import imports, query, wire
from tests.hostile import capture as hostile
from tests.proxy.display.comparison import filters
from tests.robustness.fuzzing import conversations
from tests.robustness.fuzzing.damage import damaged, worded
from tests.robustness.fuzzing.languages import PQL_SEEDS, PQL_WORDS, display_words
from tests.robustness.values import check_columns

SHARED = Path(__file__).resolve().parents[4] / "shared" / "pcaps"
LARGEST = 1 << 16  # bytes of an input
LARGEST_PLAIN = 8 << 20  # of what it may become

Make = Callable[[random.Random], bytes]


@dataclass(frozen=True)
class Target:
    """name: of the reader. make: an input. run: reads it; what it raises is a finding. share: of the time, against the others."""

    name: str
    make: Make
    run: Callable[[bytes], None]
    share: float = 1.0


@cache
def _captures() -> tuple[bytes, ...]:
    """Small captures of every form: the shared ones where they are, and some that are made here."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        hostile.made(path)
        found = [path.read_bytes()[:20_000]]
    head = b"\xd4\xc3\xb2\xa1\x02\0\x04\0" + bytes(8) + b"\xff\xff\0\0\x01\0\0\0"
    packet = hostile.tcp(80, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    record = bytes(8) + len(packet).to_bytes(4, "little") * 2 + packet
    found.append(head + record * 20)
    if SHARED.is_dir():
        found += [path.read_bytes() for path in sorted(SHARED.glob("*/*.pcap*")) if path.stat().st_size < 30_000]
    return tuple(found)


@cache
def _compressed() -> tuple[bytes, ...]:
    found = [gzip.compress(one) for one in _captures()[:20]] + [zstandard.compress(one) for one in _captures()[:20]]
    return (*found, found[0] + found[0], zstandard.compress(found[-1]), gzip.compress(bytes(1 << 20)))


def _says(error: Exception, beginning: str = "") -> None:
    """An error that is an answer has words, and those of a text a place in it."""
    assert str(error).startswith(beginning)
    assert len(str(error)) > len(beginning)
    assert not beginning or getattr(error, "position", None) is not None


def _read_capture(data: bytes) -> None:
    """Every packet that is read is accounted for, lies in the file, and has columns that keep their contract."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        path = Path(folder) / "capture"
        path.write_bytes(data)
        _account(path)


def _account(path: Path) -> None:
    size = path.stat().st_size
    for expression in ("", "greater 60"):
        try:
            with open_capture(path) as source:
                for scanned in source.scan(50, expression):
                    assert scanned.read == len(scanned.locator) + scanned.filtered_out
                    if len(scanned.locator):
                        assert int((scanned.locator["offset"] + scanned.locator["captured_length"]).max()) <= size
                        check_columns(dissect(read_batch(path, scanned.locator), ["all"], "fast"), len(scanned.locator))
        except NotACapture:
            return
        except FilterError:
            assert expression, "a filter that nobody gave"  # libpcap has none for a link type that it does not know


def _read_compressed(data: bytes) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        packed, plain = Path(folder) / "packed", Path(folder) / "plain"
        packed.write_bytes(data)
        try:
            decompress(packed, plain, LARGEST_PLAIN)
        except PacketsError:
            return
        assert plain.stat().st_size <= LARGEST_PLAIN
        if plain.stat().st_size < 1 << 18:
            _account(plain)


def _read_pql(data: bytes) -> None:
    """Calls, which can be written and are read again as they were; or an error with words."""
    try:
        calls = parse(data.decode("utf-8", "surrogatepass"))
    except QueryError as error:
        _says(error)
        return
    for call in calls:
        try:
            text = unparse(call)
        except ValueError:
            continue  # PQL cannot say it, as the function's words are
        assert unparse(parse(text)[0]) == text


def _read_display(data: bytes) -> None:
    try:
        call = compile_filter(data.decode("utf-8", "surrogatepass")).call
    except QueryError as error:
        _says(error, "display filter: ")
        return
    if call is not None:
        assert unparse(parse(unparse(call))[0]) == unparse(call)


def _messages() -> tuple[bytes, ...]:
    some = np.array([0, 1, 127, 128, 1 << 20, (1 << 64) - 1], np.uint64)
    return (
        wire.text(1, "net")
        + wire.text(2, "f")
        + wire.number(3, 1)
        + wire.numbers(4, some)
        + wire.numbers(5, some)
        + wire.numbers(6, some),
        wire.text(1, "net") + wire.text(2, "f") + wire.texts(7, ["a", "é"]) + wire.texts(8, ["b"]),
        wire.number(1, 1) + wire.blob(2, wire.text(1, "standard") + wire.blob(2, encode(some[:4]))),
        wire.text(1, 'Count(Row(f="a"))') + wire.numbers(2, some) + wire.number(3, 1),
        wire.text(1, "net") + wire.text(2, "f") + wire.texts(3, ["a", "b"]),
    )


_READERS = (
    query.read_request,
    imports.read_import,
    imports.read_import_values,
    imports.read_import_roaring,
    imports.read_translate_keys,
)


def _read_protobuf(data: bytes) -> None:
    for read in _READERS:
        try:
            read(data)
        except wire.ProtobufError as error:
            _says(error)


def _roaring() -> tuple[bytes, ...]:
    from pyroaring import BitMap

    dense = np.arange(70_000, dtype=np.uint64)
    sparse = np.array([0, 5, 65_535, 65_536, 1 << 20, 1 << 40], np.uint64)
    official = [BitMap(range(0, 200_000, 3)), BitMap([1, 2, 3, 1 << 20]), BitMap(range(100_000))]
    official[2].run_optimize()
    return (encode(dense)[:9_000], encode(sparse), encode(dense[:5000]), *(one.serialize()[:9_000] for one in official))


def _read_roaring(data: bytes) -> None:
    """Both doors: bits of an import for our own index, and the form in which it is handed to a Pilosa."""
    try:
        found = decoded(data, "standard")
        assert found.dtype == np.uint64 and (np.diff(found.astype(object)) > 0).all()
    except (QueryError, RoaringError) as error:
        _says(error)
    try:
        as_pilosa(data)
    except (QueryError, RoaringError) as error:
        _says(error)


@cache
def _packets() -> tuple[bytes, ...]:
    return tuple(packet for text in hostile.HOSTILE.values() for packet in hostile.packets(text))


def _read_layers(data: bytes) -> None:
    """What a packet's page shows, in a web process: it raises nothing, and each field lies within the packet."""
    for linktype in (1, 101):
        for layer in layer_tree(data, linktype, len(data)):
            assert 0 <= layer.offset <= layer.offset + layer.length <= len(data)
        segment(data, linktype, len(data))


def _make_conversations(rng: random.Random) -> bytes:
    """Half of them captures with any damage, half such whose packets alone are damaged."""
    if rng.random() < 0.5:
        return damaged(rng, (*conversations.seeds(), *_captures()), LARGEST)
    return conversations.damaged_packets(rng)


def _read_conversations(data: bytes) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        path = Path(folder) / "capture"
        path.write_bytes(data)
        conversations.compare(path)


def _bytes(seeds: Callable[[], Sequence[bytes]]) -> Make:
    kept = cache(seeds)
    return lambda rng: damaged(rng, kept(), LARGEST)


def _text(words: Callable[[], Sequence[str]], seeds: Callable[[], Sequence[str]]) -> Make:
    words, seeds = cache(words), cache(seeds)
    return lambda rng: worded(rng, words(), seeds()).encode("utf-8", "surrogatepass")


TARGETS = (
    Target("captures", _bytes(_captures), _read_capture, 3.0),
    Target("compressed", _bytes(_compressed), _read_compressed),
    Target("conversations", _make_conversations, _read_conversations, 2.0),
    Target("layers", _bytes(_packets), _read_layers),
    Target("pql", _text(lambda: PQL_WORDS, lambda: PQL_SEEDS), _read_pql),
    Target("display", _text(display_words, lambda: tuple(filters())), _read_display),
    Target("protobuf", _bytes(_messages), _read_protobuf),
    Target("roaring", _bytes(_roaring), _read_roaring),
)
