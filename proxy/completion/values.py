"""Values of a field that go on as what was typed: the frequent ones first, each with how many packets it stands for.

Nothing here looks at all values of a field: the most frequent ones are known to the index, others are found in the translation
table by their beginning or by a piece of them, so many at most."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from capture import sight
from capture.packets.fields import Field
from capture.packets.registry import FIELDS
from capture.packets.values import bytes_of, text_of
from indexing import predicates as p
from indexing.calls import Call, CountResult, PairsResult, QueryError, RowRef
from indexing.translation_find import first_values
from proxy.analysis.values import named
from proxy.ask import ask, ask_rows, in_rows
from proxy.completion.place import Place, Proposal
from proxy.display.compile import compile_filter
from proxy.display.fields import Meaning, meanings, outermost
from proxy.display.sources import Rows
from proxy.display.write import quoted
from proxy.pql.literals import quote

FREQUENT = 500  # of the most frequent values, so many are looked at
FOUND = 40  # from the translation table
SECONDS = 0.25  # of a search there
SHORTEST_PIECE = 3  # what is looked for in the middle of values has so many letters: an index holds pieces of three


@dataclass
class Values:
    """Where values are looked for. jobs: only values of their packets. cut: a search took too long, and there may be more."""

    index: str
    jobs: Sequence[int] = ()
    cut: bool = False
    labels: dict[str, str] = field(default_factory=dict)

    def of_filter(self, place: Place, most: int) -> list[Proposal]:
        """For a place in a display filter."""
        meaning = meanings().get(place.field.removeprefix("outer:"))
        if meaning is None or place.operator not in ("==", "!=", "eq", "ne", "===", "!==", "in", "contains", "all_eq", "any_eq"):
            return []
        if place.field.startswith("outer:"):
            meaning = outermost(meaning)
        if meaning.kind == "bool":
            texts = [text for text in ("1", "0") if text.startswith(place.typed)]
        else:
            found: dict[str, None] = {}
            for source in meaning.sources:
                if isinstance(source, Rows):
                    found |= dict.fromkeys(self._of(FIELDS[source.field], place.typed, most, _family(meaning)))
            folded = place.typed.casefold()
            texts = sorted(found, key=lambda text: not text.casefold().startswith(folded))
        after = "" if place.operator == "in" else " "
        asked: dict[str, tuple[str, Call]] = {}
        for text in texts[: 2 * most]:
            literal = _literal(meaning, text)
            try:
                call = compile_filter(f"{place.field} == {literal}").call
            except QueryError:
                continue  # it cannot be written here: the field's values are of another kind
            if call is not None:
                asked[text] = literal + after, call
        return self._counted(asked, place.typed, most)

    def of_pql(self, place: Place, most: int) -> list[Proposal]:
        """For a place in PQL."""
        about = FIELDS.get(place.field)
        if about is None or about.kind != "set":
            return []
        texts = self._of(about, place.typed, most, "")
        asked = {
            text: (text if about.encoding == "number" else quote(text), Call("Row", args={"row": RowRef(about.name, text)}))
            for text in texts[: 2 * most]
        }
        return self._counted(asked, place.typed, most)

    def _of(self, about: Field, typed: str, most: int, family: str) -> list[str]:
        """Values of one field of the index, the likely ones first."""
        found = [text for text in self._frequent(about, typed) if _is_of(text, family)]
        begun = [text for text in found if text.casefold().startswith(typed.casefold())]
        if not typed or len(begun) >= most:
            return list(dict.fromkeys([*begun, *found]))
        others = [text for text in self._others(about, typed) if _is_of(text, family)]
        more = [text for text in others if text.casefold().startswith(typed.casefold())]
        return list(dict.fromkeys([*begun, *more, *found, *others]))

    def _frequent(self, about: Field, typed: str) -> Iterator[str]:
        children = [in_rows(self.index, within)] if (within := self._within()) is not None else []
        (found,) = ask_rows(self.index, [Call("TopN", children, {"field": about.name, "n": FREQUENT})])
        assert isinstance(found, PairsResult)
        rows = np.array([pair.id for pair in found.pairs if pair.count], np.uint64)
        names = named(self.index, {about.name: rows})[about.name]
        jobs = dict(sight.seen().filter(pk__in=rows.tolist()).values_list("pk", "name")) if about.name == "job" else {}
        folded = typed.casefold()
        for row in rows.tolist():
            text, label = str(names[row]["value"]), names[row]["label"] or jobs.get(row, "")
            if folded in text.casefold() or folded in label.casefold():
                self.labels[text] = label
                yield text

    def _others(self, about: Field, typed: str) -> Iterator[str]:
        if about.encoding == "number":
            yield from self._numbers(about, typed)
        elif about.encoding == "text":
            piece = bytes_of(typed)
            looks: list[p.Predicate] = [p.StartsWith(piece)]
            if len(typed) >= SHORTEST_PIECE:
                looks.append(p.Contains(piece, ignore_case=True))
            for look in looks:
                some, done = first_values(self.index, about, look, FOUND, SECONDS)
                self.cut |= not done
                yield from sorted(map(text_of, some))
                if len(some) >= FOUND:
                    return

    def _numbers(self, about: Field, typed: str) -> Iterator[str]:
        """Numbers that packets have, of up to two digits more, that begin with these."""
        if not re.fullmatch("[1-9][0-9]{0,8}", typed):
            return
        numbers = [int(typed), *(int(typed) * 10**more + i for more in (1, 2) for i in range(10**more))]
        numbers = [number for number in numbers if about.minimum <= number <= (about.maximum or 1 << 32)]
        calls = [Call("Count", [Call("Row", args={"row": RowRef(about.name, number)})]) for number in numbers]
        for number, found in zip(numbers, ask_rows(self.index, calls), strict=True):
            if isinstance(found, CountResult) and found.count:
                yield str(number)

    def _within(self) -> Call | None:
        if not self.jobs:
            return None
        rows = [Call("Row", args={"row": RowRef("job", job)}) for job in self.jobs]
        return rows[0] if len(rows) == 1 else Call("Union", rows)

    def _counted(self, asked: dict[str, tuple[str, Call]], typed: str, most: int) -> list[Proposal]:
        """The values that have packets, by how well they go on and by how many: value -> (as written, its packets)."""
        within = self._within()
        calls = [Call("Count", [call if within is None else Call("Intersect", [call, within])]) for _, call in asked.values()]
        counts = [one.count if isinstance(one, CountResult) else 0 for one in ask(self.index, calls).results]
        folded = typed.casefold()
        order = sorted(
            ((not text.casefold().startswith(folded), -count, text) for text, count in zip(asked, counts, strict=True) if count),
        )
        return [Proposal(asked[text][0], "value", self._note(text, -count)) for _, count, text in order[:most]]

    def _note(self, text: str, count: int) -> str:
        label = self.labels.get(text, "")
        return f"{label}{', ' if label else ''}{count:,} packet{'' if count == 1 else 's'}"


def _family(meaning: Meaning) -> str:
    return {"ipv4": ".", "ipv6": ":"}.get(meaning.kind, "")


def _is_of(text: str, family: str) -> bool:
    return not family or (":" in text) == (family == ":")


def _literal(meaning: Meaning, text: str) -> str:
    if meaning.kind == "text" or (meaning.kind == "address" and meaning.name == "dns-answer"):
        return quoted(bytes_of(text))
    return text
