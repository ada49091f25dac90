"""Whatever is written: a filter is answered with calls that PQL can say, or with an error that has a place."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from indexing.calls import Call, QueryError
from proxy.display.compile import compile_filter
from proxy.display.fields import meanings
from proxy.pql.parse import parse
from proxy.pql.unparse import unparse
from tests.long import examples
from tests.proxy.display.comparison import filters

PIECES = r"""and or not in any all && || ! ( ) { } [ ] , .. & == != < >= === ~= contains
    matches eq lower len flow outer:ip.src 80 0x50
    -1 10.0.0.0/8 fe80::1 00:0c:29 00:0c:29:01:02:03 "a" r"\." 'a' "(a" 0:3 [0:3] [-1:] {1..5,7} "2012-04-02" True é #""".split()
a_piece = st.sampled_from(PIECES) | st.sampled_from(sorted(meanings()))
a_text = st.lists(a_piece, max_size=12).map(" ".join) | st.text(max_size=30)


@st.composite
def a_damaged_filter(draw):
    """A filter with a piece left out, doubled or in another's place."""
    pieces = draw(st.sampled_from(filters())).split(" ")
    at = draw(st.integers(0, len(pieces) - 1))
    other = draw(a_piece)
    changed = [pieces[:at] + pieces[at + 1 :], [*pieces[:at], other, *pieces[at:]], [*pieces[:at], other, *pieces[at + 1 :]]]
    return " ".join(draw(st.sampled_from(changed)))


@settings(max_examples=examples(400, long=20_000), deadline=None)
@given(a_text | a_damaged_filter())
def test_calls_or_an_error_with_a_place(text):
    found = _compiled(text)
    if isinstance(found, QueryError):
        assert found.position is not None
        assert 0 <= found.position <= len(text)
        assert str(found).startswith("display filter: ")
    elif found is not None:
        assert unparse(parse(unparse(found))[0]) == unparse(found)


def _compiled(text: str) -> Call | QueryError | None:
    try:
        return compile_filter(text).call
    except QueryError as error:
        return error
