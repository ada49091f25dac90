"""What may stand where the cursor is: in a display filter, and in PQL."""

from __future__ import annotations

import pytest

from proxy.completion import in_display, in_pql

# "|" is the cursor; then what is wanted first, what a proposal takes the place of, and whose operator or value it is.
FILTERS = [
    ("|", "name", "", ""),
    ("ip.ad|", "name", "ip.ad", ""),
    ("ip.a|ddr == 1", "name", "ip.addr", ""),
    ("tcp && |", "name", "", ""),
    ("!(ht|", "name", "ht", ""),
    ("flow(|", "name", "", ""),
    ("len(http.ho|", "name", "http.ho", ""),
    ("len(http.host) |", "operator", "", "http.host"),
    ("ip.addr |", "operator", "", "ip.addr"),
    ("ip.addr con|", "operator", "con", "ip.addr"),
    ("ip.addr =|", "operator", "=", "ip.addr"),
    ("ip.addr ==|", "value", "", "ip.addr"),
    ("ip.addr == 10.|", "value", "10.", "ip.addr"),
    ("!(outer:ip.src == 10.|", "value", "10.", "outer:ip.src"),
    ('http.host == "a b|', "value", '"a b', "http.host"),
    ('http.host == "fo|" && tls-sni == "x"', "value", '"fo"', "http.host"),
    ('http.host == "fo| && tls-sni == "x"', "value", '"fo', "http.host"),
    ("tcp.port in |", "set", "", "tcp.port"),
    ("tcp.port not in |", "set", "", "tcp.port"),
    ("tcp.port in {80, 4|", "value", "4", "tcp.port"),
    ("tcp.port in {80 |", None, "", "tcp.port"),
    ("tcp.port in {80} |", "joiner", "", "tcp.port"),
    ("ip.addr == 10.0.0.1 |", "joiner", "", "ip.addr"),
    ("ip.addr == 10.0.0.1 &|", "joiner", "&", "ip.addr"),
    ("(tcp) |", "joiner", "", "tcp"),
]
QUERIES = [
    ("|", "call", "", ""),
    ("Cou|", "call", "Cou", ""),
    ("Count(|", "call", "", ""),
    ("Row(net|", "any-field", "net", ""),
    ("Row(netsrc |", "operator", "", "netsrc"),
    ("Row(netsrc=|", "value", "", "netsrc"),
    ('Count(Row(netsrc="10.|', "value", '"10.', "netsrc"),
    ('Union(Row(netsrc="10.|"), Row(tcp=SYN))', "value", '"10."', "netsrc"),
    ("Row(length >|", "value", "", "length"),
    ("TopN(net|", "field", "net", ""),
    ("TopN(netsrc, |", "argument", "", "netsrc"),
    ('TopN(netsrc, Row(tcp="S|', "value", '"S', "tcp"),
    ('TopN(netsrc, ids=["1|', "value", '"1', "netsrc"),
    ('Values(netsrc, prefix="|', "value", '"', "netsrc"),
    ("Values(netsrc, cidr=|", None, "", "netsrc"),
    ("Sum(Row(tcp=SYN), field=|", "int-field", "", ""),
    ("GroupBy(|", "call", "", ""),
    ("GroupBy(Rows(tcp), fil|", "call", "fil", ""),
    ('Named("|', "named", '"', ""),
    ('Bitmap(frame=netsrc, rowID="|', "value", '"', "netsrc"),
    ("Count(Row(tcp=SYN)|", None, "", ""),
]


def check(place_of, text, want, replaced, field):
    at = text.index("|")
    place = place_of(text.replace("|", "", 1), at)
    assert (place.wants[0] if place.wants else None) == want
    assert text.replace("|", "", 1)[place.begin : place.end] == replaced
    if field:
        assert place.field == field


@pytest.mark.parametrize(("text", "want", "replaced", "field"), FILTERS)
def test_in_a_display_filter(text, want, replaced, field):
    check(in_display.place_of, text, want, replaced, field)


@pytest.mark.parametrize(("text", "want", "replaced", "field"), QUERIES)
def test_in_pql(text, want, replaced, field):
    check(in_pql.place_of, text, want, replaced, field)


def test_any_text_has_a_place_within_it():
    texts = ['"', "'\\", "}{)(", "a.b..c", "== == ==", "Row((", "]]][", "[", "Row(a=[1,[", "&|&|", "\\", "ä == ö", "in in {in"]
    for text in texts:
        for at in range(len(text) + 1):
            for place_of in (in_display.place_of, in_pql.place_of):
                place = place_of(text, at)
                assert 0 <= place.begin <= at <= place.end <= len(text)
