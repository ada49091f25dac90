"""Reading protobuf: fields in any order, packed or not, unknown ones passed over; and everything that is no protobuf, refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.protobuf.wire import Message, ProtobufError, blob, number, numbers, text, texts

UINT64 = st.integers(0, 2**64 - 1)


def slow_varint(value: int) -> bytes:
    out = bytearray()
    while value >= 128:
        out.append(value % 128 + 128)
        value //= 128
    return bytes([*out, value])


@settings(deadline=None)
@given(st.lists(UINT64))
def test_packed_numbers_come_back(values):
    body = slow_varint(4 << 3 | 2) + slow_varint(sum(len(slow_varint(v)) for v in values)) + b"".join(map(slow_varint, values))
    assert Message(body, "M").numbers(4).tolist() == values
    assert numbers(4, np.array(values, np.uint64)) == (body if values else b"")


def test_packed_and_single_numbers_of_one_field_come_in_the_order_that_they_were_sent():
    body = number(4, 7) + numbers(4, np.array([1, 300], np.uint64)) + number(5, 9) + number(4, 2**64 - 1)
    message = Message(body, "M")
    assert message.numbers(4).tolist() == [7, 1, 300, 2**64 - 1]
    assert message.integers(4).tolist() == [7, 1, 300, -1]
    assert message.numbers(6).tolist() == []


def test_of_a_single_field_the_last_one_counts_and_an_absent_one_is_empty():
    message = Message(number(1, 5) + text(2, "a") + number(1, 6) + text(2, "b"), "M")
    assert (message.number(1), message.text(2)) == (6, "b")
    assert (message.number(3), message.text(3), message.flag(3), message.strings(3)) == (0, "", False, [])


def test_texts_are_bytes_as_sent_empty_ones_too():
    assert Message(texts(7, ["a", "", "é"]), "M").strings(7) == [b"a", b"", "é".encode()]


def test_fields_of_fixed_width_and_unknown_numbers_are_passed_over():
    body = b"\x31" + bytes(8) + b"\x3d" + bytes(4) + slow_varint(500 << 3) + b"\x01" + number(2, 3)
    assert Message(body, "M").number(2) == 3


def test_more_fields_than_were_room_for_at_first():
    assert Message(number(1, 1) * 1000, "M").numbers(1).tolist() == [1] * 1000


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"\x08", "unexpected EOF"),
        (b"\x80", "unexpected EOF"),
        (b"\x0a\x05abc", "unexpected EOF"),
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "unexpected EOF"),
        (b"\x31abc", "unexpected EOF"),
        (b"\x3dabc", "unexpected EOF"),
        (b"\x08" + b"\xff" * 10, "proto: integer overflow"),
        (b"\x08" + b"\xff" * 9 + b"\x02", "proto: integer overflow"),
        (b"\x00\x00", "proto: M: illegal tag"),
        (b"\x0b\x0c", "proto: illegal wireType"),
        (b"\x0c", "proto: M: wiretype end group for non-group"),
    ],
)
def test_what_is_no_protobuf_is_refused(body, words):
    with pytest.raises(ProtobufError, match=f"^unmarshaling M: {words}$"):
        Message(body, "M")


@pytest.mark.parametrize(
    ("packed", "words"),
    [(b"\x01\x80", "unexpected EOF"), (b"\x80", "unexpected EOF"), (b"\xff" * 10 + b"\x01", "integer overflow")],
)
def test_packed_numbers_that_break_off_are_refused(packed, words):
    with pytest.raises(ProtobufError, match=words):
        Message(blob(4, packed), "M").numbers(4)


def test_a_field_of_another_wire_type_is_refused():
    with pytest.raises(ProtobufError, match="wrong wireType = 2 for field 1"):
        Message(text(1, "a"), "M").number(1)
    with pytest.raises(ProtobufError, match="wrong wireType = 0 for field 2"):
        Message(number(2, 1), "M").text(2)


def test_a_text_that_is_not_utf_8_is_refused_and_one_that_cannot_be_is_written_with_a_mark():
    with pytest.raises(ProtobufError, match="field 1 contains invalid UTF-8"):
        Message(blob(1, b"\xff"), "M").text(1)
    assert text(1, "a\udcff") == blob(1, b"a\xef\xbf\xbd")


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body):
    try:
        message = Message(body, "M")
        message.numbers(1), message.strings(2), message.number(3)
    except ProtobufError:
        pass
