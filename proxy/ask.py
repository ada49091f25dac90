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
        return _ask(index, calls, shards)
    except OverflowError as error:
        raise QueryError(f"a number is out of range: {error}") from None


def _ask(index: str, calls: list[Call], shards: Sequence[int] | None) -> Answer:
    backend = store.ensure_index(index)
    translator = TableTranslator(index)
    asked = translate(calls, translator)
    if backend.masked:
        masked = mask(asked, access())
        results = masked.results(backend.query(index, masked.calls, shards))
    else:
        results = backend.query(index, asked, shards)
    return Answer(calls, untranslate(results, translator))


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
