"""Fields of the record itself: length, link type, time rows."""

from __future__ import annotations

from capture.packets.batch import NO_TIME
from capture.packets.dissect import dissect
from tests.capture.packets.making import batch_of, per_packet

SECOND = 1_000_000_000


def test_length_is_that_on_the_wire() -> None:
    assert per_packet(dissect(batch_of(b"\0" * 60, wire=1500), ["length"]), "length", 1) == [{1500}]


def test_link_type_is_a_number() -> None:
    assert per_packet(dissect(batch_of(b"\0" * 60, linktype=101), []), "linktype", 1) == [{"101"}]


def test_time_rows_name_the_start_of_their_unit() -> None:
    found = dissect(batch_of(b"", b"", times=[1333333710 * SECOND + 293035000, 0]), [])
    assert per_packet(found, "time-second", 2) == [{"2012-04-02T02:28:30Z"}, {"1970-01-01T00:00:00Z"}]
    assert per_packet(found, "time-minute", 2) == [{"2012-04-02T02:28:00Z"}, {"1970-01-01T00:00:00Z"}]
    assert per_packet(found, "time-hour", 2) == [{"2012-04-02T02:00:00Z"}, {"1970-01-01T00:00:00Z"}]
    assert per_packet(found, "time-day", 2) == [{"2012-04-02T00:00:00Z"}, {"1970-01-01T00:00:00Z"}]


def test_no_timestamp_and_times_before_1970_have_no_time_row() -> None:
    found = dissect(batch_of(b"", b"", b"", times=[NO_TIME, -1, SECOND]), [])
    assert per_packet(found, "time-second", 3) == [set(), set(), {"1970-01-01T00:00:01Z"}]


def test_an_empty_batch_has_nothing() -> None:
    found = dissect(batch_of(), ["all"])
    assert found.fields == {} and found.undecodable == 0
