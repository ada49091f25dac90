"""PQL text as its calls and what is known of them at once; texts that are asked again are read once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from indexing.calls import Call
from proxy.not_indexed import fields_of
from proxy.pql.parse import parse
from proxy.pql.walk import WRITES, everything

# Together some tens of megabytes at most: a call is a few hundred bytes and takes eight characters or more.
KEPT_TEXTS, KEPT_CHARACTERS = 1024, 500


@dataclass(frozen=True)
class Question:
    """calls: in order. They are everybody's: nobody may change them. fields: packet fields that a job may be without. write: the
    first call that writes, wherever it stands."""

    calls: tuple[Call, ...]
    fields: tuple[str, ...]
    write: Call | None


def question(text: str) -> Question:
    """Raises QueryError as proxy.pql.parse does."""
    return _kept(text) if len(text) <= KEPT_CHARACTERS else _read(text)


def _read(text: str) -> Question:
    calls = tuple(parse(text))
    write = next((node for call in calls for node in everything(call) if node.name in WRITES), None)
    return Question(calls, tuple(fields_of(calls)), write)


_kept = lru_cache(KEPT_TEXTS)(_read)
