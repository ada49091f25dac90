"""Every predicate on every encoding: the rows that Postgres finds are those for which plain Python says that it holds."""

from __future__ import annotations

import ipaddress
import random

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capture.packets.registry import FIELDS
from capture.packets.values import row_text
from indexing import predicates as p
from indexing import translation, translation_copy
from indexing.translation_predicates import rows_matching
from tests.indexing.predicates_in_python import holds

pytestmark = pytest.mark.django_db

NETSRC, PORT, TCP, SECOND = FIELDS["netsrc"], FIELDS["transsrc"], FIELDS["tcp"], FIELDS["time-second"]
checked = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))


def _values() -> list[bytes]:
    some = random.Random(8)
    bits = some.getrandbits
    found = [str(ipaddress.IPv4Address(bits(32))) for _ in range(60)]
    found += [f"10.{bits(1)}.{bits(2)}.{bits(8)}" for _ in range(120)]
    found += [str(ipaddress.IPv6Address((0x20010DB8 << 96) | bits(2) << 64 | bits(8))) for _ in range(60)]
    found += [str(ipaddress.IPv6Address(bits(128))) for _ in range(40)]
    found += ["::", "::1", "::ffff:10.0.0.1", "fe80::1%eth0", "10.0.0", "010.0.0.1", "10.0.0.0/8", "1:2:3:4:5:6:7::", "1::2::3"]
    found += [":".join(f"{bits(8):02x}" for _ in range(6)) for _ in range(40)] + ["00:0c:29:aa:bb:cc", "000c29aa", "00:0C:29:01"]
    found += [
        f"{a}{b}.{c}" for a in ("www", "cdn", "CDN-", "") for b in ("", "7", "ex_am%ple") for c in ("com", "example.net", "")
    ]
    found += [str(some.randrange(-50, 3000)) for _ in range(40)] + ["1.5", "-0", "007", "1e3", "+1", " 1", "1\n", "12.", ".5"]
    found += ["größe", "GRÖSSE", "é", "日本", "a\\b", "a\\\\b", "a\nb", "line\n", "%", "_", "*", "?", "", "A", "a", "aa", "tab\t"]
    raw = [text.encode() for text in found]
    raw += [bytes(some.choices(b"\0\x01a\x80\xff\\", k=some.randrange(1, 7))) for _ in range(60)]
    raw += [b"x" * 63, b"x" * 64, b"x" * 65, b"x" * 64 + b"y", b"x" * 200 + b"z", b"\xff" * 70, b"y" * 70000]
    return list(dict.fromkeys(raw))


VALUES = _values()
a_value = st.sampled_from(VALUES)
a_piece = st.builds(lambda v, a, n: v[a : a + n], a_value, st.integers(0, 5), st.integers(0, 8)) | st.binary(max_size=2)
an_address = st.sampled_from([b"10.0.1.7", b"::5", b"2001:db8::9"])
a_case = st.booleans()
an_op = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
a_number = st.integers(-60, 3000).map(lambda n: str(n).encode()) | st.sampled_from([b"1.25", b"-0.5", b"0"])
a_network = st.builds(
    lambda a, n: f"{a}/{n}", st.sampled_from(["10.0.1.7", "10.1.3.0", "200.1.2.3"]), st.integers(0, 32)
) | st.builds(lambda a, n: f"{a}/{n}", st.sampled_from(["2001:db8::9", "2001:db8:0:2::", "::1"]), st.integers(0, 128))
# fmt: off
PATTERNS = [
    "a", r"^10\.", r"\.net$", "(?i)CDN", "(?i:c)dn", r"^\d+$", r"\bcdn\b", "^$", "", ".", "^.$", "(?s)^.$", "[^a-z]",
    r"\w+\.com\Z", "x{63,65}$", "(?:00:0c|ff):", r"a(?=\\)", "(?<!a)b", r"(?<=a)\\", "a|b|", r"(ww+|c..)\S*", r"\xff",
    r"\x00[^\x00]", "größe", "ö?S", "É?S", "é+", r"[\x80-\xff]{2}", "(?m)^b$", "(?m)a$", r"a\nb", "a$", "line$", r"\s",
    r"^[^\W\d_]*$", r"[\]\\^-]", r"[]a]\\", "b*?$", r"%|_|\*|\?", "(?x) c d n  # comment", r"\t", "(?i)[^a]", "(?i)É",
    "(?:)", "(a|)$", r"\A\Z", r"[\d.]{7,}", r"((10)\.){1,2}0", r"x\B", r"[^\x00-\xff]", r"[\w\W]", r"(?:\b)*a",
]
# fmt: on
a_slice = st.tuples(st.integers(-6, 6), st.none() | st.integers(-6, 6))
plain = (
    st.just(p.Everything())
    | st.builds(p.OneOf, st.frozensets(a_value | st.binary(max_size=3), max_size=5))
    | st.builds(p.InNetwork, a_network)
    | st.builds(p.Matches, st.sampled_from(PATTERNS), a_case)
    | st.builds(p.Contains, a_piece, a_case)
    | st.builds(p.StartsWith, a_piece | a_value, a_case)
    | st.builds(p.EndsWith, a_piece, a_case)
    | st.builds(p.Glob, st.lists(a_piece | st.sampled_from([b"*", b"?", b"\\"]), max_size=4).map(b"".join), a_case)
    | st.builds(p.Compare, an_op, a_value)
    | st.builds(p.Compare, an_op, a_number, st.just("number"))
    | st.builds(p.Compare, an_op, an_address, st.just("address"))
    | st.builds(p.Between, a_value, a_value)
    | st.builds(p.Between, a_number, a_number, st.just("number"))
    | st.builds(p.Between, st.just(b"10.0.1.7"), st.just(b"10.1.2.3"), st.just("address"))
    | st.builds(lambda s, op, v: p.SliceCompare(*s, op, v), a_slice, an_op, a_piece)
    | st.builds(lambda s, v: p.SliceContains(*s, v), a_slice, a_piece)
    | st.builds(p.Length, an_op, st.integers(-1, 70))
)
octets = st.builds(p.Octets, st.sampled_from(["hex", "ip"]), plain) | st.builds(
    p.Octets,
    st.just("hex"),
    st.sampled_from([p.SliceCompare(0, 3, "==", b"\0\x0c\x29"), p.StartsWith(b"\0\x0c"), p.Length("==", 6)]),
)
a_predicate = st.recursive(
    plain | octets,
    lambda inner: (
        st.builds(p.Not, inner)
        | st.builds(p.Lower, inner)
        | st.builds(p.Upper, inner)
        | st.builds(p.And, st.lists(inner, max_size=3).map(tuple))
        | st.builds(p.Or, st.lists(inner, max_size=3).map(tuple))
    ),
    max_leaves=4,
)


@pytest.fixture
def rows(monkeypatch):
    """Row -> value, of a field that is copied up to its middle."""
    translation.clear_cache()
    monkeypatch.setattr(translation_copy, "COPIED_FROM", 1)
    monkeypatch.setattr(translation_copy, "COPIED_AT_ONCE", len(VALUES) // 2)
    found = translation.resolve("net", {"netsrc": VALUES})["netsrc"].tolist()
    assert rows_matching("net", NETSRC, p.Contains(b"none of them")).rows.tolist() == []
    assert translation_copy.copy_once()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM indexing_translationcopy")
        assert cursor.fetchone()[0] == len(VALUES) // 2
    yield dict(zip(found, VALUES, strict=True))
    translation.clear_cache()


@checked
@given(predicate=a_predicate)
def test_of_text(rows, predicate):
    wanted = [row for row, value in rows.items() if holds(predicate, value)]
    assert rows_matching("net", NETSRC, predicate).rows.tolist() == wanted


@pytest.mark.parametrize("field", [TCP, SECOND, FIELDS["ip-version"]], ids=lambda field: field.encoding)
@checked
@given(predicate=a_predicate)
def test_of_rows_that_are_numbers_of_their_own(field, predicate):
    known = range(len(field.choices)) if field.encoding == "choice" else range(1333333000, 1333333100)
    if field.encoding == "number":
        known = range(field.minimum, field.maximum + 1)
    if "order='number'" in repr(predicate) and field.encoding == "time":
        return  # of the row id, see below
    wanted = [row for row in known if holds(predicate, row_text(field, row).encode())]
    assert rows_matching("net", field, predicate, lambda: known).rows.tolist() == wanted
