"""What binds tighter, what is one word, what a quote means: as Wireshark 4.0 reads it."""

from __future__ import annotations

import pytest

from proxy.display.compile import compile_filter
from proxy.display.parse import parse
from proxy.display.tree import Both, Either, Member, Negated, Present, Range, Slice


def same(one: str, other: str) -> bool:
    return parse(one) is not None and _shape(parse(one)) == _shape(parse(other))


def _shape(node):
    """A tree without positions."""
    match node:
        case Both(parts) | Either(parts):
            return type(node).__name__, [_shape(part) for part in parts]
        case Negated(part):
            return "not", _shape(part)
        case Present(operand):
            return operand.field
    return compile_shape(node)


def compile_shape(node):
    return type(node).__name__, node.operand.field, getattr(node, "op", ""), getattr(node, "quantifier", None)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("tcp or udp and ip", "tcp or (udp and ip)"),
        ("tcp && udp || ip", "(tcp and udp) or ip"),
        ("not tcp and udp", "(not tcp) and udp"),
        ("!tcp || udp", "(!tcp) or udp"),
        ("not not tcp", "!(!(tcp))"),
        ("!!tcp", "not (not tcp)"),
        ("tcp and udp and ip", "tcp && udp && ip"),
        ("ip.src==10.0.0.1&&tcp.port==80", "ip.src == 10.0.0.1 and tcp.port eq 80"),
        ("any tcp.port != 80", "tcp.port !== 80"),
        ("any tcp.port != 80", "tcp.port ~= 80"),
        ("all tcp.port == 80", "tcp.port === 80"),
        ("http.host ~ 'a'", "http.host matches 'a'"),
    ],
)
def test_two_ways_to_write_one_filter(written, meant):
    assert same(written, meant)


@pytest.mark.parametrize(("one", "other"), [("(tcp or udp) and ip", "tcp or udp and ip"), ("!(tcp && udp)", "!tcp && udp")])
def test_parentheses_count(one, other):
    assert not same(one, other)


def test_an_empty_filter_is_none():
    assert parse("") is None
    assert parse(" \n\t") is None
    assert compile_filter("").call is None


def test_not_in_is_the_negation_of_in():
    node = parse("tcp.port not in {80, 8000..8080}")
    assert isinstance(node, Member)
    assert node.negated
    assert isinstance(node.elements[1], Range)
    assert (node.elements[1].low.text, node.elements[1].high.text) == ("8000", "8080")


def test_addresses_and_ranges_of_them_are_words():
    node = parse("ipv6.src in {fe80::..fe80::ffff, 2001:db8::/32}")
    assert isinstance(node, Member)
    assert [node.elements[0].low.text, node.elements[0].high.text, node.elements[1].text] == [
        "fe80::",
        "fe80::ffff",
        "2001:db8::/32",
    ]


@pytest.mark.parametrize(
    ("written", "slices"),
    [
        ("[0:3]", (Slice(0, 3),)),
        ("[3-5]", (Slice(3, 3),)),
        ("[4]", (Slice(4, 1),)),
        ("[:4]", (Slice(0, 4),)),
        ("[4:]", (Slice(4, None),)),
        ("[-3:2]", (Slice(-3, 2),)),
        ("[0:2, 5]", (Slice(0, 2), Slice(5, 1))),
    ],
)
def test_ranges_of_bytes(written, slices):
    assert parse(f"eth.src{written}").operand.slices == slices


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (r'"a\"b"', b'a"b'),
        (r'"a\\.b"', b"a\\.b"),
        (r'"\x41\102\u00e9\n"', "AB\u00e9\n".encode()),
        (r'"\xff"', b"\xff"),
        (r'r"\.com$"', b"\\.com$"),
        ("'a'", b"a"),
        (r"'\x50'", b"P"),
        ('"\u00e9"', "\u00e9".encode()),
    ],
)
def test_quoted_text(written, value):
    assert parse(f"http.host == {written}").value.text.encode("latin-1") == value


def test_ten_thousand_terms_and_two_hundred_parentheses():
    assert len(parse(" or ".join(["tcp"] * 10_000)).parts) == 10_000
    assert parse("!" * 199 + "tcp") is not None
    compile_filter("(" * 3_000 + "tcp" + ")" * 3_000)
