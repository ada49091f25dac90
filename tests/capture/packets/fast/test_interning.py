"""Interning: distinct values and codes, as a dict would give them."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from capture.packets.fast.interning import NONE, distinct_pairs, finished, small, spans, texts, triples, wide


@given(st.lists(st.one_of(st.none(), st.integers(0, 65535)), max_size=300))
@settings(max_examples=60, deadline=None)
def test_small_numbers(numbers):
    cells = np.array([NONE if number is None else number for number in numbers], np.uint32)
    packet, code, values = small(cells, 65536)
    assert packet.tolist() == [i for i, number in enumerate(numbers) if number is not None]
    assert [int(values[c]) for c in code] == [number for number in numbers if number is not None]
    assert values.tolist() == list(dict.fromkeys(number for number in numbers if number is not None))


@given(st.lists(st.one_of(st.integers(0, 3), st.integers(0, 2**64 - 1)), max_size=300))
@settings(max_examples=60, deadline=None)
def test_any_numbers(numbers):
    code, values = wide(np.array(numbers, np.uint64))
    assert [int(values[c]) for c in code] == numbers
    assert values.tolist() == list(dict.fromkeys(numbers))


def test_more_distinct_numbers_than_the_first_table_holds():
    numbers = np.arange(100_000, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    code, values = wide(np.concatenate([numbers, numbers[::-1]]))
    assert (values == numbers).all()
    assert (code == np.concatenate([np.arange(100_000), np.arange(100_000)[::-1]])).all()


@given(st.lists(st.tuples(*[st.integers(0, 3)] * 3), max_size=300))
@settings(max_examples=60, deadline=None)
def test_triples(found):
    columns = [np.array([one[side] for one in found], kind) for side, kind in enumerate((np.uint64, np.uint64, np.uint32))]
    code, first = triples(*columns)
    assert [found[k] for k in first] == list(dict.fromkeys(found))
    assert [found[first[c]] for c in code] == found


def test_more_triples_than_the_first_table_holds():
    numbers = np.arange(5000, dtype=np.uint64)
    code, first = triples(numbers // np.uint64(50), numbers % np.uint64(50), np.ones(5000, np.uint32))
    assert (code == np.arange(5000)).all() and (first == np.arange(5000)).all()


@given(st.lists(st.binary(max_size=40), max_size=100))
@settings(max_examples=60, deadline=None)
def test_byte_strings(strings):
    data = np.frombuffer(b"".join(strings) or b"\0", np.uint8).copy()
    lengths = np.array([len(string) for string in strings], np.uint64)
    starts = np.cumsum(lengths, dtype=np.uint64) - lengths
    code, first = spans(data, starts, lengths)
    distinct = list(dict.fromkeys(strings))
    assert [distinct[c] for c in code] == strings
    assert [strings[k] for k in first] == distinct


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 5)), max_size=100))
@settings(max_examples=60, deadline=None)
def test_pairs_come_once(pairs):
    pairs = sorted(pairs, key=lambda pair: pair[0])
    packet, code = distinct_pairs(np.array([p for p, _ in pairs], np.uint32), np.array([c for _, c in pairs], np.uint32))
    assert list(zip(packet.tolist(), code.tolist(), strict=True)) == list(dict.fromkeys(pairs))


def test_finishing_may_join_values_and_leave_some_out():
    packet, code = np.array([0, 0, 1, 2, 3], np.uint32), np.array([0, 1, 1, 2, 3], np.uint32)
    column = finished(packet, code, [b"A", b"A", None, b""])
    assert column.values == [b"A"]
    assert column.packet.tolist() == [0, 1] and column.code.tolist() == [0, 0]


def test_texts_are_finished_once_per_distinct_one():
    asked = []

    def upper(value: bytes) -> bytes:
        asked.append(value)
        return value.upper()

    data = np.frombuffer(b"abcabd", np.uint8).copy()
    starts, lengths = np.array([0, 3, 0, 3], np.uint64), np.array([2, 2, 3, 3], np.uint64)
    column = texts(data, np.array([0, 1, 2, 3], np.uint32), starts, lengths, upper)
    assert [column.values[c] for c in column.code] == [b"AB", b"AB", b"ABC", b"ABD"]
    assert asked == [b"ab", b"abc", b"abd"]
