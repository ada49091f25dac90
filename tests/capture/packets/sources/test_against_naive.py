"""The compiled walks against the slow and obvious reader, packet by packet: real captures, damaged ones, made ones."""

from __future__ import annotations

import json
import random
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capture.packets.batch import NO_TIME
from capture.packets.errors import NotACapture
from capture.packets.sources import base, open_capture
from capture.packets.sources.pcapng_loop import nanoseconds
from tests.capture.packets.sources import naive
from tests.capture.packets.sources.scanning import locator_of, scan_all
from tests.capture.packets.sources.test_truth import NOT_CAPTURES, TRUTHS, plain
from tests.capture.packets.sources.writing import (
    MICROSECONDS,
    MODIFIED,
    NANOSECONDS,
    Packet,
    custom,
    enhanced,
    interface,
    obsolete,
    option,
    pcap,
    section,
    simple,
    statistics,
)
from tests.long import examples

_MONKEYPATCH = [HealthCheck.function_scoped_fixture]
RELAXED = settings(max_examples=examples(60, long=250), deadline=None, suppress_health_check=_MONKEYPATCH)
FILTERS = ["", "greater 60", "ip and not tcp port 80"]
SMALL_WINDOW = 256


def compare(path: Path, batch_packets: int, bpf: str = "") -> None:
    """Every record, every batch's figures, the error's words; and all of it again from the state behind some batch."""
    wanted = naive.read_file(path, bpf)
    batches, error = scan_all(path, batch_packets, bpf)
    assert locator_of(batches).tolist() == wanted.records
    figures = [(one.locator.tolist(), one.read, one.filtered_out) for one in batches]
    assert figures == naive.batches(wanted, batch_packets)
    assert (str(error), getattr(error, "reason", "")) == (str(wanted.error), getattr(wanted.error, "reason", ""))
    for i in {0, len(batches) // 2, len(batches) - 1} & set(range(len(batches))):
        rest, again = scan_all(path, batch_packets, bpf, json.loads(json.dumps(batches[i].state)))
        assert [(one.locator.tolist(), one.read, one.filtered_out) for one in rest] == figures[i + 1 :]
        assert [one.state for one in rest] == [one.state for one in batches[i + 1 :]]
        assert str(again) == str(wanted.error)


@pytest.mark.needs("../shared")
@pytest.mark.parametrize("relative", [name for name in TRUTHS if name not in NOT_CAPTURES])
def test_every_shared_capture(relative: str, tmp_path: Path) -> None:
    path, _ = plain(relative, tmp_path)
    for bpf, batch_packets in zip(FILTERS, (1000, 7, 313), strict=True):
        if bpf and path.stat().st_size > 4 << 20:
            continue  # the naive reader takes a second for each 20,000 packets that it asks a filter about
        try:
            compare(path, batch_packets, bpf)
        except base.FilterError:
            assert bpf


@pytest.mark.needs("../shared")
@pytest.mark.parametrize("seed", range(8))
def test_damaged_captures(seed: int, tmp_path: Path, monkeypatch) -> None:
    """Bytes overwritten, taken out, put in and cut off, all of them near block and record headers; with a small window."""
    dice = random.Random(seed)
    monkeypatch.setattr("capture.packets.sources.window.Window.__init__.__defaults__", (SMALL_WINDOW,))
    small = [plain(name, tmp_path)[0] for name in TRUTHS if name not in NOT_CAPTURES]
    small = [path for path in small if path != tmp_path / "plain" and path.stat().st_size < 60_000]
    read = 0
    for n in range(60):
        source = dice.choice(small)
        data = bytearray(source.read_bytes())
        heads = [0, *(record[0] for record in naive.read(bytes(data)).records)]
        for _ in range(dice.randint(1, 3)):
            if len(data) < 40:
                break
            at = max(4, min(len(data) - 4, dice.choice(heads) + dice.randint(-40, 40)))
            what = dice.randrange(5)
            if what == 0:
                data[at] ^= 1 << dice.randrange(8)
            elif what == 1:
                data[at : at + 4] = struct.pack(dice.choice("<>") + "I", dice.choice([0, 1, 12, 16, 31, 32, 2**31, 2**32 - 4]))
            elif what == 2:
                del data[at : at + dice.randint(1, 20)]
            elif what == 3:
                data[at:at] = dice.randbytes(dice.randint(1, 20))
            else:
                del data[at:]
        path = tmp_path / f"damaged-{n}"
        path.write_bytes(data)
        try:
            open_capture(path).close()
        except NotACapture:
            continue
        read += 1
        compare(path, dice.choice([1, 2, 50]))
        path.unlink()
    assert read > 30


U32, U64 = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)


@RELAXED
@given(data=st.data(), batch=st.integers(1, 9), window=st.sampled_from([40, SMALL_WINDOW, 1 << 20]))
def test_pcap_files_with_any_lengths(tmp_path: Path, monkeypatch, data, batch: int, window: int) -> None:
    """Versions before 2.4 too, whose lengths are swapped; lengths that lie; a file that is cut."""
    monkeypatch.setattr("capture.packets.sources.window.Window.__init__.__defaults__", (window,))
    order = data.draw(st.sampled_from("<>"))
    magic = data.draw(st.sampled_from([MICROSECONDS, NANOSECONDS, MODIFIED]))
    version = data.draw(st.sampled_from([(2, 4), (2, 4), (2, 3), (2, 2), (2, 1), (543, 0), (2, 9)]))
    packets = data.draw(st.lists(st.builds(Packet, st.binary(max_size=90), st.integers(0, 90) | U32, U32, U32), max_size=25))
    written = pcap(packets, order, magic, version=version, snaplen=data.draw(U32), word=data.draw(st.sampled_from([1, 12, 228])))
    path = tmp_path / "some"
    path.write_bytes(written[: data.draw(st.integers(24, len(written)))])
    compare(path, batch, data.draw(st.sampled_from(["", "greater 60", "src port 53"])))


@st.composite
def pcapngs(draw) -> bytes:
    """Blocks of every kind, most of them right, repeated descriptions among them."""
    out = []
    heads = draw(st.lists(st.sampled_from("<>"), min_size=1, max_size=4))
    flags = st.integers(0, 15).map(lambda n: (2, n))
    extras = st.one_of(flags, st.just((4, 1)), st.just((1, 2)), st.just((0, 0)))
    for order in heads:
        out.append(section(order, option(4, b"by hand", order) if draw(st.booleans()) else b""))
        for _ in range(draw(st.integers(0, 12))):
            kind = draw(st.integers(0, 8))
            body, ticks = draw(st.binary(max_size=30)), draw(st.integers(0, 2**34) | U64)
            which = draw(st.integers(0, 2))
            wire = draw(st.integers(0, 99))
            if kind <= 2:
                resolution = option(9, bytes([draw(st.integers(0, 255))]), order) if draw(st.booleans()) else b""
                plus = draw(st.sampled_from([0, 3600, -7200]) | st.integers(-(2**63), 2**63 - 1))
                offset = option(14, struct.pack(order + "q", plus), order) if draw(st.booleans()) else b""
                name = option(2, b"eth0", order)
                out.append(interface(draw(st.sampled_from([1, 101, 113])), wire // 3, name + resolution + offset, order))
            elif kind <= 5:
                given = b""
                for code, value in draw(st.lists(extras, max_size=3)):
                    size = {2: "I", 4: "Q"}.get(code, "")
                    given += option(code, struct.pack(order + size, value) if size else b"words" * value, order)
                out.append(enhanced(body, wire, ticks, which, order, given))
            elif kind == 6:
                out.append(simple(body, draw(st.just(len(body)) | st.just(wire)), order))
            elif kind == 7:
                out.append(obsolete(body, wire, ticks, which, order))
            else:
                out.append(draw(st.sampled_from([custom(order), statistics(which, {4: 7}, order)])))
    return b"".join(out)


@RELAXED
@given(
    written=pcapngs(),
    changes=st.lists(st.tuples(st.integers(28, 4000), st.integers(0, 255)), max_size=2),
    cut=st.integers(0, 4000),
    batch=st.integers(1, 9),
    window=st.sampled_from([64, SMALL_WINDOW, 1 << 20]),
    bpf=st.sampled_from(["", "greater 20"]),
)
def test_pcapng_files_of_any_blocks(tmp_path: Path, monkeypatch, written, changes, cut, batch, window, bpf) -> None:
    monkeypatch.setattr("capture.packets.sources.window.Window.__init__.__defaults__", (window,))
    data = bytearray(written)
    for at, value in changes:
        if at < len(data):
            data[at] = value
    path = tmp_path / "some"
    path.write_bytes(data[: len(data) - cut if cut < len(data) // 4 else len(data)])
    try:
        compare(path, batch, bpf)
    except NotACapture:
        with pytest.raises(NotACapture):
            open_capture(path)


@settings(max_examples=examples(500, long=3000), deadline=None)
@given(
    ticks=U64 | U32 | st.sampled_from([0, 1, 2**63, 2**64 - 1]),
    resolution=st.integers(0, 255),
    plus=st.integers(-(2**63), 2**63 - 1)
    | st.integers(-9_223_372_040, 9_223_372_040)
    | st.sampled_from([0, 9_223_372_036, -9_223_372_037, -9_223_372_036, -(2**63)]),
)
def test_times_are_exact_or_none(ticks: int, resolution: int, plus: int) -> None:
    """Of all resolutions and offsets: as whole numbers of any size give it."""
    wanted = naive.Interface(1, 0, resolution, plus).time(ticks >> 32, ticks & 0xFFFFFFFF)
    assert nanoseconds_of(ticks, resolution, plus) == wanted


@settings(max_examples=examples(200, long=1000), deadline=None)
@given(plus=st.integers(-9_223_372_038, 9_223_372_037), near=st.integers(-3, 3), resolution=st.sampled_from([9, 12, 0x9E, 0xA8]))
def test_times_at_both_ends_of_what_an_int64_holds(plus: int, near: int, resolution: int) -> None:
    unit = 2 ** (resolution & 0x7F) if resolution & 0x80 else 10**resolution
    for end in (2**63, -(2**63)):
        ticks = (end - plus * 10**9) * unit // 10**9 + near
        if 0 <= ticks < 2**64:
            wanted = naive.Interface(1, 0, resolution, plus).time(ticks >> 32, ticks & 0xFFFFFFFF)
            assert nanoseconds_of(ticks, resolution, plus) == wanted


def nanoseconds_of(ticks: int, resolution: int, plus: int) -> int:
    return int(nanoseconds(np.uint64(ticks), np.int64(resolution), np.int64(plus)))


def test_no_time_is_the_one_number_that_is_no_time() -> None:
    """-2^63 ns would be it: an int64 holds it, and it is taken."""
    assert nanoseconds_of(145_224_192, 9, -9_223_372_037) == NO_TIME
    assert nanoseconds_of(145_224_193, 9, -9_223_372_037) == NO_TIME + 1
