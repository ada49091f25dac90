"""A question in either language, PQL or display filter, as one bitmap call."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from indexing.calls import Call
from proxy.ask import bitmap_of
from proxy.display.compile import compile_filter

PQL, DISPLAY = "pql", "display"
_CALL = re.compile(r"\s*[A-Z]\w*\(")


class Asked(NamedTuple):
    """lang: the language that the question was read in. notes: sentences on what the index tells less apart than Wireshark."""

    lang: str
    call: Call
    notes: tuple[str, ...] = ()


def language_of(text: str, lang: str = "") -> str:
    """`lang`, or where that is empty what the text looks like: PQL if it is empty or begins like a call, else a filter."""
    if lang:
        return lang
    return PQL if not text.strip() or _CALL.match(text) else DISPLAY


def bitmap_of_any(text: str, lang: str = "", jobs: Sequence[int] = ()) -> Asked:
    """The one bitmap call that a text means, within jobs; an empty text means every packet. Raises QueryError with a position."""
    language = language_of(text, lang)
    if language == PQL:
        return Asked(PQL, bitmap_of(text, jobs))
    compiled = compile_filter(text)
    within = bitmap_of("", jobs)
    if compiled.call is None:
        return Asked(DISPLAY, within)
    call = Call("Intersect", [compiled.call, within]) if jobs else compiled.call
    return Asked(DISPLAY, call, compiled.notes)
