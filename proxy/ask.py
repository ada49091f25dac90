"""The way of a question: text -> AST -> values to ids -> mask -> backend -> ids to values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from capture.services.options import INDEX_NAME
from indexing import store
from indexing.backends.base import ACCESS_FIELD, LIVE_ROW
from indexing.calls import Call, CountResult, QueryError, Result, RowRef, ValCountResult
from indexing.models import PacketIndex
from proxy.pql.mask import mask
from proxy.pql.parse import parse
from proxy.pql.translate import translate, untranslate
from proxy.pql.writes import readable
from proxy.translator import TableTranslator

DEFAULT_INDEX = "net"
NO_INDEX = "index not found"
# Shift is none of them: what it gives are columns of no packet.
BITMAP_CALLS = frozenset({"Row", "Union", "Intersect", "Difference", "Xor", "Not", "Range"})


@dataclass
class Answer:
    """The calls as they were asked (in values) and their results, in values too."""

    calls: list[Call]
    results: list[Result]


def known_index(index: str) -> str:
    """The index, if there is one of that name; the default one is always there. Raises QueryError in Pilosa's words."""
    if index != DEFAULT_INDEX and not (INDEX_NAME.fullmatch(index) and PacketIndex.objects.filter(name=index).exists()):
        raise QueryError(NO_INDEX)
    return index


def ask_text(index: str, text: str, shards: Sequence[int] | None = None) -> Answer:
    """Answers PQL. Raises QueryError, BackendAway."""
    calls = parse(text)
    known_index(index)
    return ask(index, calls, shards)


def ask(index: str, calls: list[Call], shards: Sequence[int] | None = None) -> Answer:
    """Answers calls whose rows are values. Raises QueryError, BackendAway."""
    readable(calls)
    if not calls:
        return Answer([], [])
    try:
        asked = translate(calls, TableTranslator(index))
        return Answer(calls, with_values(index, ask_rows(index, asked, shards)))
    except OverflowError as error:
        raise QueryError(f"a number is out of range: {error}") from None


def ask_rows(index: str, calls: list[Call], shards: Sequence[int] | None = None) -> list[Result]:
    """Answers calls whose rows are row ids, in row ids: for who needs few of the values. Raises QueryError, BackendAway."""
    backend = store.ensure_index(index)
    if not backend.masked:
        return backend.query(index, calls, shards)
    masked = mask(calls, access())
    return masked.results(backend.query(index, masked.calls, shards))


def in_rows(index: str, call: Call) -> Call:
    """A call in values as one in row ids. Raises QueryError."""
    readable([call])
    try:
        return translate([call], TableTranslator(index))[0]
    except OverflowError as error:
        raise QueryError(f"a number is out of range: {error}") from None


def with_values(index: str, results: list[Result]) -> list[Result]:
    """Results in row ids as results in values."""
    return untranslate(results, TableTranslator(index))


def access() -> Call:
    """The mask: the live columns."""
    return Call("Row", args={"row": RowRef(ACCESS_FIELD, LIVE_ROW)})


def every_packet() -> Call:
    """All packets of an index."""
    return Call("Not", [Call("Union")])


def bitmap_of(text: str, jobs: Sequence[int] = ()) -> Call:
    """The one bitmap call that a text means, within jobs; an empty text means every packet. Raises QueryError."""
    calls = parse(text) if text.strip() else []
    if len(calls) > 1:
        raise QueryError("a packet query is one call; this is more", position=calls[1].position)
    call = calls[0] if calls else every_packet()
    if call.name == "Count" and len(call.children) == 1:
        call = call.children[0]
    if call.name not in BITMAP_CALLS:
        raise QueryError(
            f"{call.name} does not give packets; write Row, Union, Intersect, Difference, Xor or Not", position=call.position
        )
    if jobs:
        rows = [Call("Row", args={"row": RowRef("job", job)}) for job in jobs]
        within = rows[0] if len(rows) == 1 else Call("Union", rows)
        call = Call("Intersect", [call, within]) if calls else within
    return call


def count_and_bytes(index: str, call: Call) -> tuple[int, int]:
    """How many packets a bitmap call has, and the sum of their lengths on the wire."""
    total, size = ask(index, [Call("Count", [call]), Call("Sum", [call], {"field": "length"})]).results
    assert isinstance(total, CountResult)
    assert isinstance(size, ValCountResult)
    return total.count, size.value
