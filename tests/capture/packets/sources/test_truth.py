"""All captures of the shared corpus against tshark's figures: packets, lengths, first and last time, whether they break."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from capture.packets.batch import NO_TIME
from capture.packets.errors import NotACapture
from capture.packets.sources import decompress, open_capture
from tests.capture.packets.sources.scanning import locator_of, packets_of

PCAPS = Path(__file__).resolve().parents[5] / "shared" / "pcaps"
TRUTHS = sorted(str(path.relative_to(PCAPS / "truth"))[: -len(".json")] for path in (PCAPS / "truth").glob("*/*.json"))

pytestmark = pytest.mark.needs("../shared")

NOT_CAPTURES = {
    "malformed/derived__not-a-capture.pcap": "the first bytes are 54 68 69 73",
    "malformed/derived__short-file-header.pcap": "header is cut after 10 bytes",
    "malformed/derived__zero-bytes.pcap": "the file is empty",
    "malformed/libpcap__pcapng-invalid-vers-1.pcapng": "unknown pcapng version 0.1",
}

# Where tshark's figures are not ours: what differs, ours, and why.
DIFFERENT: dict[str, tuple[dict[str, object], str]] = {
    "linktypes/libpcap__dsa.pcap": (
        {
            "packets": 8,
            "frame_len_sum": 722,
            "frame_cap_len_sum": 722,
            "read_error": False,
            "time_first": 80499_544060000,
            "time_last": 80504_560415000,
        },
        "tshark 4.0 knows no link type 284 and reads nothing; tcpdump reads 8 packets, and so do we",
    ),
    "formats/nfstream__dhcp_big_endian.pcapng": (
        {"time_first": NO_TIME, "time_last": NO_TIME},
        "the stamps are in the year 151993: beyond what an int64 of nanoseconds holds",
    ),
    "malformed/nfstream__fuzz-2021-06-07-c6c72a0a56.pcap": (
        {
            "frame_len_sum": 4093509168,
            "time_first": 1953631157_000000000 + 4293562680 * 1000,
            "time_last": 1953631157_000000000 + 4293562680 * 1000,
        },
        "length and microseconds have their top bit set; both are unsigned in the format, tshark holds them signed",
    ),
    "malformed/suricata__bug-6875-01__fuzz.pcap": (
        {"packets": 1, "frame_len_sum": 188, "frame_cap_len_sum": 188, "time_last": 1508525002_992213000},
        "tshark takes the damaged second header for one of another dialect of pcap; tcpdump reads 1 packet, and so do we",
    ),
}


def nanoseconds(text: str | None) -> int | None:
    """tshark's epoch time; the part behind the point is a count of nanoseconds, not always of nine digits."""
    if text is None:
        return None
    if text == "":
        return NO_TIME
    seconds, rest = text.lstrip("-").split(".")
    return int(seconds) * 1_000_000_000 + int(rest)


def plain(relative: str, tmp_path: Path) -> tuple[Path, str | None]:
    path = PCAPS / relative
    if path.read_bytes()[:2] != b"\x1f\x8b":
        return path, None
    return tmp_path / "plain", decompress(path, tmp_path / "plain", 1 << 30)


@pytest.mark.parametrize("relative", [name for name in TRUTHS if name not in NOT_CAPTURES])
def test_agrees_with_tshark(relative: str, tmp_path: Path) -> None:
    truth = json.loads((PCAPS / "truth" / f"{relative}.json").read_text())
    path, cut = plain(relative, tmp_path)
    with open_capture(path) as source:
        batches = list(source.scan(1000))
    locator = locator_of(batches)

    wanted = {name: truth[name] for name in ("packets", "frame_len_sum", "frame_cap_len_sum", "read_error")}
    wanted |= {name: nanoseconds(truth[name]) for name in ("time_first", "time_last")}
    wanted |= DIFFERENT.get(relative, ({}, ""))[0]
    found = {
        "packets": len(locator),
        "frame_len_sum": int(locator["wire_length"].sum(dtype="u8")),
        "frame_cap_len_sum": int(locator["captured_length"].sum(dtype="u8")),
        "read_error": source.read_error is not None or cut is not None,
        "time_first": int(locator["time_ns"][0]) if len(locator) else None,
        "time_last": int(locator["time_ns"][-1]) if len(locator) else None,
    }
    assert found == wanted
    assert locator["number"].tolist() == list(range(1, len(locator) + 1))
    assert sum(map(len, packets_of(path, batches))) == found["frame_cap_len_sum"]


@pytest.mark.parametrize("relative", NOT_CAPTURES)
def test_what_is_no_capture_is_refused_with_the_reason(relative: str) -> None:
    assert json.loads((PCAPS / "truth" / f"{relative}.json").read_text())["packets"] == 0
    with pytest.raises(NotACapture, match=NOT_CAPTURES[relative]):
        open_capture(PCAPS / relative)


def test_every_listed_difference_is_one() -> None:
    """A line of the table that tshark's figures no longer need must go."""
    for relative, (ours, _why) in DIFFERENT.items():
        truth = json.loads((PCAPS / "truth" / f"{relative}.json").read_text())
        for name, value in ours.items():
            theirs = nanoseconds(truth[name]) if name.startswith("time_") else truth[name]
            assert theirs != value or name == "time_first", (relative, name)


def test_the_whole_corpus_is_here() -> None:
    assert len(TRUTHS) == 188
    assert set(NOT_CAPTURES) | set(DIFFERENT) <= set(TRUTHS)
