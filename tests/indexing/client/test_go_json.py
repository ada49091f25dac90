"""JSON that is hard on a reader: it is read, or refused in words."""

from __future__ import annotations

import pytest

from indexing.client.go_json import GoJsonError, decode, encode, printed
from indexing.client.schema import SchemaRefused, read_field_options, read_index_options


def test_names_and_texts_are_escaped_as_go_does():
    assert encode({"<a>": "&é\u2028\udcff"}) == '{"\\u003ca\\u003e":"\\u0026é\\u2028\ufffd"}'.encode()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1.5, "1.5"),
        (-0.0001, "-0.0001"),
        (0.00001, "1e-05"),
        (123456, "123456"),
        (1234567, "1.234567e+06"),
        (1e100, "1e+100"),
    ],
)
def test_numbers_are_printed_as_go_does(value, text):
    assert printed(value) == text


def test_deep_and_long_things_are_refused_in_words():
    with pytest.raises(GoJsonError, match="exceeded max depth"):
        decode(b"[" * 200_000)
    with pytest.raises(GoJsonError, match="too many digits"):
        decode(b"1" * 10_000)
    for read in (read_index_options, read_field_options):
        for body in (b'{"a":' + b"1" * 4000 + b"}", b'{"a":1e400}', b'{"a":-1e400}', b'{"options":{"min":' + b"9" * 4000 + b"}}"):
            with pytest.raises(SchemaRefused):
                read(body)


def test_bytes_that_are_not_utf_8_become_marks():
    assert decode(b'"\xff"') == (True, "\ufffd")
    assert decode(b" \n") == (False, None)
