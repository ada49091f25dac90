"""The way of a question: text -> AST -> values to ids -> mask -> backend -> ids to values."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from capture import sight
from capture.services.options import INDEX_NAME
from indexing import store
from indexing.backends.base import ACCESS_FIELD, LIVE_ROW, Backend
from indexing.calls import Call, CountResult, QueryError, Result, RowRef, ValCountResult
from indexing.models import PacketIndex
from picapweb import counts
from proxy.packet_writes import write_packets
from proxy.pql.mask import mask, restrict
from proxy.pql.parse import parse
from proxy.pql.translate import translate, untranslate
from proxy.pql.walk import everything
from proxy.pql.writes import not_allowed, readable
from proxy.question import Question, question
from proxy.recent import Recent
from proxy.resolve import RESOLVERS, resolve
from proxy.translator import TableTranslator

DEFAULT_INDEX = "net"
NO_INDEX = "index not found"
JOB_FIELD = "job"
# Shift is none of them: what it gives are columns of no packet.
BITMAP_CALLS = frozenset({"Row", "Union", "Intersect", "Difference", "Xor", "Not", "Range", "Values", *RESOLVERS})
# A packet index is known for so long after Postgres said so. One that is new is known at once: what is not there is not kept.
_known: Recent[str, bool] = Recent(seconds=1.0, most=1024)


@dataclass
class Answer:
    """The calls as they were asked (in values) and their results, in values too."""

    calls: Sequence[Call]
    results: list[Result]


def is_packet_index(index: str) -> bool:
    """Whether there is a packet index of that name that whoever asks may know of; the default one is always there."""
    if index == DEFAULT_INDEX:
        return True
    if not INDEX_NAME.fullmatch(index):
        return False
    names = sight.index_names()
    if names is not None and index not in names:
        return False
    return _known.get(index, PacketIndex.objects.filter(name=index).exists, keep=bool)


def known_index(index: str) -> str:
    """The index, if it is a packet index. Raises QueryError in Pilosa's words."""
    if not is_packet_index(index):
        raise QueryError(NO_INDEX)
    return index


def ask_text(index: str, text: str, shards: Sequence[int] | None = None) -> Answer:
    """Answers PQL that reads. Raises QueryError, BackendAway."""
    asked = question(text)
    known_index(index)
    if asked.write is not None:
        raise not_allowed(asked.write)
    return Answer(asked.calls, ask_packets(index, asked, shards))


def ask(index: str, calls: Sequence[Call], shards: Sequence[int] | None = None) -> Answer:
    """Answers calls whose rows are values, and which read. Raises QueryError, BackendAway."""
    readable(calls)
    return Answer(calls, _ask(index, calls, shards))


def ask_packets(index: str, asked: Question, shards: Sequence[int] | None = None) -> list[Result]:
    """Answers a question to a packet index that is there; who may write was looked at before. Raises QueryError, BackendAway."""
    if asked.write is not None:
        return write_packets(index, asked.calls, shards)
    return _ask(index, asked.calls, shards)


def _ask(index: str, calls: Sequence[Call], shards: Sequence[int] | None) -> list[Result]:
    if not calls:
        return []
    translator = TableTranslator(index)
    try:
        return untranslate(ask_rows(index, translate(resolve(index, calls), translator), shards), translator)
    except OverflowError as error:
        raise QueryError(f"a number is out of range: {error}") from None


def ask_rows(index: str, calls: list[Call], shards: Sequence[int] | None = None) -> list[Result]:
    """Answers calls whose rows are row ids, in row ids: for who needs few of the values. Raises QueryError, BackendAway."""
    backend = store.ensure_index(index)
    began = time.perf_counter()
    results = _asked(backend, index, calls, shards)
    counts.add("picapweb_query_seconds", (call_of(calls),), time.perf_counter() - began)
    return results


def call_of(calls: Sequence[Call]) -> str:
    """The name of the call that was asked; "several" of more than one kind."""
    names = {call.name for call in calls}
    return names.pop() if len(names) == 1 else "several"


def _asked(backend: Backend, index: str, calls: list[Call], shards: Sequence[int] | None) -> list[Result]:
    seen = seen_columns(index)
    # The embedded store has no columns but packets'; only Shift makes some.
    if seen is None and any(node.name == "Shift" for call in calls for node in everything(call)):
        seen = access()
    if seen is None:
        return backend.query(index, calls, shards)
    masked = mask(calls, seen)
    return masked.results(backend.query(index, masked.calls, shards))


def in_rows(index: str, call: Call) -> Call:
    """A call in values as one in row ids. Raises QueryError."""
    readable([call])
    try:
        return translate(resolve(index, [call]), TableTranslator(index))[0]
    except OverflowError as error:
        raise QueryError(f"a number is out of range: {error}") from None


def with_values(index: str, results: list[Result]) -> list[Result]:
    """Results in row ids as results in values."""
    return untranslate(results, TableTranslator(index))


def access() -> Call:
    """The live columns."""
    return Call("Row", args={"row": RowRef(ACCESS_FIELD, LIVE_ROW)})


def seen_columns(index: str) -> Call | None:
    """The mask: the columns that whoever asks may see now, in row ids; None: all that the backend has.

    Those that are live (the embedded store has no others), and of jobs that they may see."""
    live = access() if store.ensure_index(index).masked else None
    jobs = sight.seen_in(index)
    if jobs is None:
        return live
    rows = [Call("Row", args={"row": RowRef(JOB_FIELD, job)}) for job in jobs]
    own = rows[0] if len(rows) == 1 else Call("Union", rows)
    return own if live is None else Call("Intersect", [live, own])


def bounded(index: str, within: Call | None) -> Call | None:
    """A bitmap call in row ids (None: every packet), restricted to what whoever asks may see, for who asks a backend past
    `ask_rows`."""
    seen = seen_columns(index)
    if seen is None or within is None:
        return seen if within is None else within
    return restrict(within, seen)


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
            f"{call.name} does not give packets; write Row, Values, Time, Union, Intersect, Difference, Xor or Not",
            position=call.position,
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
