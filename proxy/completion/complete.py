"""Proposals for a place in a query, in either language."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from proxy.completion import in_display, in_pql, names
from proxy.completion.place import Place, Proposal, Want
from proxy.completion.values import Values
from proxy.display.ask import DISPLAY, PQL, language_of

MOST = 10
_KNOWN: dict[Want, Callable[[Place], Iterable[Proposal]]] = {
    "name": names.names,
    "joiner": names.joiners,
    "set": names.sets,
    "field": names.fields,
    "any-field": names.any_fields,
    "int-field": names.int_fields,
    "call": names.calls,
    "argument": names.arguments,
    "named": names.named,
}
_ONE_WORD = re.compile(r"\s*[A-Z][A-Za-z]*\Z")


@dataclass
class Completion:
    """begin, end: what a proposal takes the place of, in characters. cut: values were looked for until the time was over."""

    lang: str
    begin: int
    end: int
    proposals: list[Proposal] = field(default_factory=list)
    cut: bool = False


def complete(index: str, text: str, at: int, lang: str = "", jobs: Sequence[int] = (), most: int = MOST) -> Completion:
    """What may come next at the offset `at`. lang "": the one that the text looks like. Raises QueryError, LimitExceeded."""
    language = lang or (language_of(text) if text.strip() else DISPLAY)
    place = (in_pql if language == PQL else in_display).place_of(text, at)
    values = Values(index, jobs)
    found = list(islice(_proposals(place, language, values, most), most))
    if not lang and not place.function and (language == PQL or _ONE_WORD.match(text[:at])):
        # Where either language may stand a query is one of packets; the first letters of a call look like a field's
        first = in_pql.place_of(text, at)
        asked = [] if text[: first.begin].strip() else list(names.calls(first, packets=True))
        found = (asked if language == PQL else [*asked, *found])[:most]
    return Completion(language, place.begin, place.end, [one for one in found if one.text.strip() != place.typed], values.cut)


def _proposals(place: Place, language: str, values: Values, most: int) -> Iterator[Proposal]:
    for want in place.wants:
        if want == "value":
            yield from (values.of_pql if language == PQL else values.of_filter)(place, most)
        elif want == "operator":
            yield from (names.pql_operators if language == PQL else names.operators)(place)
        else:
            yield from _KNOWN[want](place)
