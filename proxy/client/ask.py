"""The way of a question to a client index: text -> calls -> keys to ids -> the engine -> ids to keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from django.db import transaction

from indexing import translation
from indexing.calls import Call, QueryError, Result, RowRef
from indexing.client import tables
from indexing.client.contract import Answered, ClientIndex, Wanted
from indexing.client.engine import engine
from indexing.client.schema import INDEX_NOT_FOUND
from proxy.client.check import check
from proxy.client.keys import NOBODYS_ROW, find, in_ids, keys_of
from proxy.client.results import ColumnAttrs, with_keys
from proxy.pql.parse import parse
from proxy.pql.walk import rebuild

MAX_WRITES = 5000
_COUNTED = frozenset({"Set", "Clear", "SetRowAttrs", "SetColumnAttrs"})


@dataclass
class ClientAnswer:
    """The calls as they were asked (in values) and their results, in values too.

    column_attrs: of the columns in Row results, by id, or by key where columns have keys, ascending by id."""

    calls: list[Call]
    results: list[Result]
    column_attrs: ColumnAttrs = field(default_factory=list)


def ask_client(index: ClientIndex, asked: str | Sequence[Call], wanted: Wanted | None = None) -> ClientAnswer:
    """Answers PQL, or calls whose rows and columns are values. Raises QueryError in Pilosa's words, BackendAway, BackendError.

    Not within a transaction where there are writes: keys are made in one of their own."""
    calls = parse(asked) if isinstance(asked, str) else list(asked)
    if sum(call.name in _COUNTED for call in calls) > MAX_WRITES:
        raise QueryError("too many write commands")
    if not calls:
        return ClientAnswer([], [])
    keys = keys_of(index, calls)
    wanted = wanted or Wanted()
    if not keys.made:
        return _answer(index, calls, in_ids(index, calls, find(index, keys)), wanted)
    while True:
        noted = translation.epoch(index.name)
        translated = in_ids(index, calls, find(index, keys))
        with transaction.atomic():
            # As long as this lasts, no field is deleted, so the keys that were made stay what they are.
            if translation.shares_epoch(index.name, noted):
                return _answer(index, calls, translated, wanted)
        translation.catch_up(index.name)
        index = _again(index)


def _again(index: ClientIndex) -> ClientIndex:
    found = tables.read(index.name)
    if found is None:
        raise QueryError(INDEX_NOT_FOUND)
    return found


def _answer(index: ClientIndex, calls: list[Call], translated: Sequence[Call], wanted: Wanted) -> ClientAnswer:
    """The first call that is wrong ends it; those before it have been carried out."""
    wrong: QueryError | None = None
    good: list[Call] = []
    bulk = all(call.name == "SetRowAttrs" for call in translated)
    for call in translated:
        try:
            check(index, call, bulk)
        except QueryError as error:
            wrong = error
            break
        good.append(rebuild(call, _unknown))
    answered = engine().query(index, good, wanted) if good else Answered([])
    if wrong is not None:
        raise wrong
    results, column_attrs = with_keys(index, calls, answered)
    return ClientAnswer(calls, results, column_attrs)


def _unknown(call: Call) -> Call:
    """A row that nobody has is None to an engine."""
    ref = call.args.get("row")
    if isinstance(ref, RowRef) and ref.row == NOBODYS_ROW:
        call.args["row"] = replace(ref, row=None)
    return call
