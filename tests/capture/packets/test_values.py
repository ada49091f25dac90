"""The text form of values, and the rows of fields that are their own numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.packets.registry import FIELDS
from capture.packets.values import bytes_of, label_of, row_of_text, row_text, text_of


@given(st.binary())
def test_every_value_survives_its_text_form(value: bytes) -> None:
    assert bytes_of(text_of(value)) == value


@given(st.binary())
def test_the_text_form_is_valid_utf8(value: bytes) -> None:
    text_of(value).encode("utf-8")


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\\")))
def test_text_without_backslash_is_its_own_form(text: str) -> None:
    assert text_of(text.encode()) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"example.com", "example.com"),
        ("müller".encode(), "müller"),
        (b"\xff\xfea", "\\xff\\xfea"),
        (b"a\\b", "a\\\\b"),
        (b"\\xff", "\\\\xff"),
        (b"\\\xff", "\\\\\\xff"),
        (b"a\x00\x1b\n", "a\x00\x1b\n"),
        (b"\xc3", "\\xc3"),
        (b"\xed\xa0\x80", "\\xed\\xa0\\x80"),
        (b"", ""),
    ],
)
def test_text_form(value: bytes, text: str) -> None:
    assert text_of(value) == text
    assert bytes_of(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("C:\\temp", b"C:\\temp"),
        ("end\\", b"end\\"),
        ("\\xFF", b"\xff"),
        ("\\x41", b"A"),
        ("\\xg1", b"\\xg1"),
        ("\\x4", b"\\x4"),
        ("\ud800", b"\xed\xa0\x80"),
    ],
)
def test_what_a_user_may_type_besides(text: str, value: bytes) -> None:
    assert bytes_of(text) == value


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_no_text_is_refused(text: str) -> None:
    assert isinstance(bytes_of(text), bytes)


@pytest.mark.parametrize(
    ("field", "value", "row"),
    [
        ("transsrc", 443, 443),
        ("transsrc", "443", 443),
        ("transsrc", "0", 0),
        ("transsrc", 65536, None),
        ("transsrc", -1, None),
        ("transsrc", "http", None),
        ("transsrc", "", None),
        ("transsrc", "٤", None),
        ("transsrc", True, None),
        ("transsrc", "9" * 5000, None),
        ("job", 2**64 - 1, 2**64 - 1),
        ("job", 2**64, None),
        ("linktype", "EN10MB", 1),
        ("linktype", "en10mb", 1),
        ("linktype", "1", 1),
        ("linktype", 9999, 9999),
        ("tcp", "FIN", 0),
        ("tcp", "syn", 1),
        ("tcp", "NS", 8),
        ("tcp", 1, None),
        ("tcp", "AE", None),
        ("error", "tcp: bad data offset", None),
    ],
)
def test_row_of_a_number_or_choice(field: str, value: str | int | bool, row: int | None) -> None:
    if field == "error":
        row = FIELDS["error"].choices.index(str(value))
    assert row_of_text(FIELDS[field], value) == row


@pytest.mark.parametrize(
    ("unit", "text", "seconds"),
    [
        ("second", "2012-04-02T02:28:30Z", 1333333710),
        ("second", "2012-04-02T04:28:30+02:00", 1333333710),
        ("second", "2012-04-01T20:58:30.999-05:30", 1333333710),
        ("second", "2012-04-02t02:28:30z", 1333333710),
        ("second", "2012-04-02 02:28:30", 1333333710),
        ("second", "2012-04-02T02:28", 1333333680),
        ("second", "2012-04-02", 1333324800),
        ("second", "2016-12-31T23:59:60Z", 1483228800),
        ("second", "1970-01-01T00:00:00Z", 0),
        ("second", 1333333710, 1333333710),
        ("minute", "2012-04-02T02:28:30Z", 1333333680),
        ("hour", "2012-04-02T02:28:30Z", 1333332000),
        ("day", "2012-04-02", 1333324800),
        ("day", "2012-04-02T23:30-02:00", 1333324800 + 86400),
    ],
)
def test_row_of_an_instant_is_that_of_its_unit(unit: str, text: str | int, seconds: int) -> None:
    field = FIELDS[f"time-{unit}"]
    assert row_of_text(field, text) == seconds // field.seconds


@pytest.mark.parametrize(
    "text",
    ["", "now", "2012-13-01", "2012-02-30", "2012-04-02T25:00:00Z", "1969-12-31T23:59:59Z", "2012-04-02T00:00:00+99:00", True],
)
def test_what_is_no_instant_has_no_row(text: str) -> None:
    assert row_of_text(FIELDS["time-second"], text) is None


@pytest.mark.parametrize(
    ("unit", "seconds", "text"),
    [
        ("second", 1333333710, "2012-04-02T02:28:30Z"),
        ("minute", 1333333710, "2012-04-02T02:28:00Z"),
        ("hour", 1333333710, "2012-04-02T02:00:00Z"),
        ("day", 1333333710, "2012-04-02T00:00:00Z"),
        ("second", 0, "1970-01-01T00:00:00Z"),
        ("second", 253402300800, "253402300800"),
    ],
)
def test_text_of_a_time_row(unit: str, seconds: int, text: str) -> None:
    field = FIELDS[f"time-{unit}"]
    assert row_text(field, seconds // field.seconds) == text


@given(st.sampled_from([f for f in FIELDS.values() if f.encoding in ("number", "choice", "time")]), st.integers(0, 60_000))
def test_the_text_of_a_row_means_that_row(field, row) -> None:
    if field.encoding == "choice":
        row %= len(field.choices)
    elif field.encoding == "number" and field.maximum:
        row %= field.maximum + 1
    assert row_of_text(field, row_text(field, row)) == row


def test_labels_stand_beside_the_number() -> None:
    assert label_of(FIELDS["linktype"], 1) == "EN10MB"
    assert label_of(FIELDS["linktype"], 60000) is None


@pytest.mark.parametrize("name", ["netsrc", "length"])
def test_fields_without_rows_of_their_own_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        row_text(FIELDS[name], 1)
    with pytest.raises(ValueError, match=name):
        row_of_text(FIELDS[name], "1")
