"""What a scan with a filter counts, how it cuts its batches, and that it goes on exactly from each of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capture.packets.errors import FilterError
from capture.packets.sources import open_capture
from tests.capture.packets.sources.scanning import check_every_resume_point, locator_of, scan_all
from tests.capture.packets.sources.writing import Packet, enhanced, interface, pcap, section, simple


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(large=st.lists(st.booleans(), max_size=120), batch=st.integers(1, 4))
def test_numbers_counts_and_resume_points(tmp_path: Path, large: list[bool], batch: int) -> None:
    path = tmp_path / "some"
    path.write_bytes(pcap([Packet(b"\0" * (90 if one else 20), 90 if one else 20) for one in large]))
    batches, error = scan_all(path, batch, "greater 60")
    assert error is None
    assert locator_of(batches)["number"].tolist() == [i + 1 for i, one in enumerate(large) if one]
    assert sum(one.read for one in batches) == len(large)
    for one in batches:
        assert one.read == len(one.locator) + one.filtered_out > 0
        assert len(one.locator) <= batch
        assert one.filtered_out <= 10 * batch
    for one in batches[:-1]:
        assert len(one.locator) == batch or one.filtered_out == 10 * batch
    check_every_resume_point(path, batch, "greater 60")


@pytest.mark.parametrize(
    "capture",
    [pcap([Packet(b"", 0)] * 45), section() + interface() + enhanced(b"", 0) * 20 + simple(b"", 0) * 25],
    ids=["pcap", "pcapng"],
)
def test_a_long_run_of_dropped_packets_shows_progress(tmp_path: Path, capture: bytes) -> None:
    path = tmp_path / "dropped"
    path.write_bytes(capture)
    batches, _ = scan_all(path, 2, "greater 60")
    assert [(len(one.locator), one.read, one.filtered_out) for one in batches] == [(0, 20, 20), (0, 20, 20), (0, 5, 5)]


def test_batches_that_were_handed_out_stay_as_they_were(tmp_path: Path) -> None:
    """Also those that ended before they were full."""
    path = tmp_path / "rare"
    path.write_bytes(pcap(([Packet(b"", 90)] + [Packet(b"", 0)] * 20) * 4))
    batches, _ = scan_all(path, 2, "greater 60")
    assert [one.locator["number"].tolist() for one in batches] == [[1], [22], [43], [64]]


def test_the_wire_length_is_what_len_means(tmp_path: Path) -> None:
    path = tmp_path / "snapped"
    path.write_bytes(pcap([Packet(b"\0" * 40, 1500), Packet(b"\0" * 40, 40)]))
    assert locator_of(scan_all(path, bpf="greater 1000")[0])["number"].tolist() == [1]


def test_a_bad_filter_is_refused_when_the_scan_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "some"
    path.write_bytes(pcap([Packet(b"", 0)]))
    with open_capture(path) as source, pytest.raises(FilterError, match="syntax error"):
        source.scan(10, "tcp port or")


def test_a_blank_filter_is_none(tmp_path: Path) -> None:
    path = tmp_path / "some"
    path.write_bytes(pcap([Packet(b"", 0)]))
    assert len(locator_of(scan_all(path, bpf="  ")[0])) == 1


def test_an_empty_capture_has_no_batches(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.write_bytes(pcap([]))
    assert scan_all(path) == ([], None)


def test_batches_of_less_than_one_packet_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.write_bytes(pcap([]))
    with open_capture(path) as source, pytest.raises(ValueError, match="at least 1"):
        source.scan(0)
