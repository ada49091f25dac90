"""The field registry: names, presets, selection, and lists whose row ids are permanent."""

from __future__ import annotations

import pytest

from capture.packets.decode_errors import DECODE_ERRORS
from capture.packets.registry import FIELDS, PRESETS, UnknownField, select


def test_picaps_fields_have_picaps_names() -> None:
    assert set(PRESETS["picap"]) == set(
        "length netproto netsrc netdst transproto transsrc transdst tcp appproto http-hostname http-useragent http-method".split()
    )


def test_every_field_says_what_it_is_and_how_it_is_asked() -> None:
    for name, field in FIELDS.items():
        assert name == field.name
        assert field.description and field.protocol
        assert name in field.example or field.encoding == "int"


def test_the_rows_of_tcp_flags_are_permanent() -> None:
    assert FIELDS["tcp"].choices == ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "NS")


def test_the_rows_of_errors_are_permanent() -> None:
    """A new reason goes to the end of the list: the first, the last of the first release and its place never change."""
    assert DECODE_ERRORS[0] == "linktype: unsupported"
    assert DECODE_ERRORS.index("ipv4: truncated header") == 52
    assert DECODE_ERRORS.index("sctp: truncated header") == 75
    assert len(set(DECODE_ERRORS)) == len(DECODE_ERRORS)
    assert all(": " in text for text in DECODE_ERRORS)


def test_a_selection_has_the_fields_that_are_always_there() -> None:
    names = [f.name for f in select(["netdst", "netsrc"])]
    assert names == [
        "netsrc", "netdst", "job", "tag", "linktype", "error", "time-second", "time-minute", "time-hour", "time-day"
    ]  # fmt: skip


def test_presets_and_fields_may_be_mixed_and_repeated() -> None:
    assert [f.name for f in select(["all"])] == list(FIELDS)
    names = [f.name for f in select(["picap", "appproto-port", "netsrc"])]
    assert len(names) == len(set(names)) and "appproto-port" in names and "length" in names


def test_an_unknown_field_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownField, match="'http-host' .did you mean http-hostname") as caught:
        select(["netsrc", "http-host"])
    assert caught.value.name == "http-host" and "http-hostname" in caught.value.nearest
    with pytest.raises(UnknownField, match=r"no such field: '%%%'$"):
        select(["%%%"])
