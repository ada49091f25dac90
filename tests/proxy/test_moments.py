"""Times as text and as nanoseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.moments import nanoseconds, written

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01", 0),
        ("1970-01-02T00:00", 86400 * SECOND),
        ("1970-01-01 00:00:01.5", 1_500_000_000),
        ("1970-01-01T02:00:00.000000001+02:00", 1),
        ("1970-01-01T00:00:00-0130", 5400 * SECOND),
        ("1969-12-31T23:59:59.999999999Z", -1),
        ("2016-12-31T23:59:60Z", 1483228800 * SECOND),
    ],
)
def test_what_can_be_written(text, ns):
    assert nanoseconds(text) == ns


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "12:00",
        "2024-13-01",
        "2024-02-30T00:00:00Z",
        "2024-01-01T25:00:00Z",
        "2024-01-01T00:00:61Z",
        "2024-01-01T00:00:00.1234567890Z",
        "2024-01-01T00:00:00+99:00",
        "٢٠٢٤-01-01",
    ],
)
def test_what_is_no_time(text):
    assert nanoseconds(text) is None


@given(st.integers(0, 4 * 10**18))
def test_there_and_back(ns):
    text = written(ns)
    assert nanoseconds(text) == ns
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=ns // SECOND)
    assert datetime.fromisoformat(text[:19] + "+00:00") == at
