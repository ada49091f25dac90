"""The parts of a page's query as chips: each can be set aside for a while, turned round, or taken away, by a link.

What is set aside stands in the URL as `off=PLACE:TEXT`, PLACE being where it stood among all parts, so that it comes back there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.http import QueryDict

from capture.services.errors import Refused
from indexing.calls import QueryError
from proxy.conjunction import alternatives_of, bare, either, joined, negated, parts_of, short
from proxy.display.ask import bitmap_of_any, language_of
from proxy.page_query import changed

MOST, LONGEST = 30, 2000  # chips on a page, characters of a query that is shown as some
MOST_ALTERNATIVES = 12  # of a chip; one that has more is shown as it is written
OFF = "off"
_PLACED = re.compile(r"([0-9]{1,3}):(.+)", re.DOTALL)


@dataclass(frozen=True)
class Alternative:
    """One way to be what a chip asks for. remove: the page where it is none."""

    label: str
    remove: str


@dataclass(frozen=True)
class Chip:
    """label: without the negation. toggle: the page with it, or without it; negate: with its opposite; remove: without either.
    alternatives: of `a || b`, each of which is enough; of a chip that is one thing, none."""

    label: str
    text: str
    on: bool
    negated: bool
    toggle: str
    negate: str
    remove: str
    alternatives: list[Alternative]


@dataclass(frozen=True)
class _Part:
    text: str
    on: bool


def chips_of(given: QueryDict) -> list[Chip]:
    """The chips of a query that can be asked; none of one that is long, has very many parts, or is wrong."""
    q, lang = given.get("q", ""), given.get("lang", "")
    aside = [match for text in given.getlist(OFF) if (match := _PLACED.fullmatch(text))]
    if len(q) + sum(len(match[2]) for match in aside) > LONGEST or lang not in ("", "pql", "display"):
        return []
    language = language_of(q if q.strip() or not aside else aside[0][2], lang)
    try:
        if q.strip():
            bitmap_of_any(q, lang)
        parts = [_Part(text, True) for text in parts_of(q, language)]
        for match in aside:
            bitmap_of_any(match[2], language)
            parts.insert(int(match[1]), _Part(match[2], False))
        if len(parts) > MOST:
            return []
        return [_chip(given, parts, i, language) for i in range(len(parts))]
    except (QueryError, Refused, ValueError):
        return []  # the page says what is wrong


def _chip(given: QueryDict, parts: list[_Part], i: int, lang: str) -> Chip:
    one = parts[i]
    inner, is_negated = bare(one.text, lang)
    before, behind = parts[:i], parts[i + 1 :]
    ways = alternatives_of(inner, lang)

    def without(way: int) -> str:
        left = either([*ways[:way], *ways[way + 1 :]], lang)
        return _page(given, [*before, _Part(negated(left, lang) if is_negated else left, one.on), *behind], lang)

    several = 1 < len(ways) <= MOST_ALTERNATIVES
    return Chip(
        label=short(inner, lang),
        text=one.text,
        on=one.on,
        negated=is_negated,
        toggle=_page(given, [*before, _Part(one.text, not one.on), *behind], lang),
        negate=_page(given, [*before, _Part(negated(one.text, lang), one.on), *behind], lang),
        remove=_page(given, [*before, *behind], lang),
        alternatives=[Alternative(short(way, lang), without(k)) for k, way in enumerate(ways)] if several else [],
    )


def _page(given: QueryDict, parts: list[_Part], lang: str) -> str:
    q = joined([part.text for part in parts if part.on], lang)
    said = lang if language_of(q) != lang and q else ""
    off = [f"{place}:{part.text}" for place, part in enumerate(parts) if not part.on]
    return changed(given, q=q, lang=said, off=off)
