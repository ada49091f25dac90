"""What a click asks: calls made of calls, and the URLs of pages that ask them. PQL is written by the unparser, never glued."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.http import urlencode

from capture.packets.registry import FIELDS
from indexing.calls import Call, Condition, RowRef
from proxy.ask import DEFAULT_INDEX
from proxy.display import write
from proxy.display.ask import DISPLAY, bitmap_of_any, language_of
from proxy.pql.unparse import unparse

# Past this many characters of a query its values are plain text on pages: a page of links would hold it a thousand times.
LONGEST_LINKED = 2000


def row(field: str, value: str) -> Call:
    """The packets that have a value; of an int field, that number."""
    about = FIELDS.get(field)
    if about is not None and about.kind == "int" and value.isascii() and value.isdecimal():
        return Call("Row", args={"condition": (field, Condition("==", int(value)))})
    return Call("Row", args={"row": RowRef(field, value)})


def narrowed(base: Call | None, with_row: Call) -> Call:
    """Packets of `base` (None: all) that have the row too."""
    if base is None:
        return with_row
    if base.name == "Intersect" and base.children and not base.legacy:
        known = any(_same_row(child, with_row) for child in base.children)
        return base if known else Call("Intersect", [*base.children, with_row])
    return base if _same_row(base, with_row) else Call("Intersect", [base, with_row])


def without(base: Call | None, row_out: Call) -> Call:
    """Packets of `base` (None: all) that do not have the row."""
    if base is None:
        return Call("Not", [row_out])
    if base.name == "Difference" and base.children and not base.legacy:
        return Call("Difference", [*base.children, row_out])
    return Call("Difference", [base, row_out])


def widened(base: Call | None, with_row: Call) -> Call:
    """Packets of `base`, and those that have the row. Nothing is wider than all packets: there it is the row alone."""
    if base is None:
        return with_row
    if base.name == "Union" and base.children and not base.legacy:
        return Call("Union", [*base.children, with_row])
    return base if _same_row(base, with_row) else Call("Union", [base, with_row])


def _same_row(one: Call, other: Call) -> bool:
    # Not ==: calls that were parsed know their position, and 443 may stand where "443" does.
    first, second = one.args.get("row"), other.args.get("row")
    if one.name == "Row" and "condition" in one.args:
        return bool(one.args["condition"] == other.args.get("condition"))
    if one.name != "Row" or not isinstance(first, RowRef) or not isinstance(second, RowRef):
        return False
    return first.field == second.field and str(first.row) == str(second.row)


@dataclass
class Where:
    """Where a page stands: index, jobs, and the query without the jobs (None: every packet).

    display: the query as it was written, where it is a display filter: what is asked from there is one, too."""

    index: str = DEFAULT_INDEX
    jobs: tuple[int, ...] = ()
    base: Call | None = None
    linked: bool = True
    display: str = ""
    begin: str = ""  # of the time that the page is about, and its end: they stay everywhere
    end: str = ""
    kept: tuple[tuple[str, str], ...] = ()  # what else the explore page was told (columns, facets ...): it stays there

    @classmethod
    def of(cls, index: str, jobs: list[int], q: str, lang: str = "") -> Where:
        """From what a request says. Raises QueryError."""
        if not q.strip():
            return cls(index, tuple(jobs))
        asked = bitmap_of_any(q, lang)
        return cls(index, tuple(jobs), asked.call, len(q) <= LONGEST_LINKED, q if asked.lang == DISPLAY else "")

    def url(self, path: str, call: Call | str | None = None, **more: str) -> str:
        """A page about the packets of a call, or of a display filter, in this index and these jobs."""
        query: list[tuple[str, str]] = [("index", self.index)] if self.index != DEFAULT_INDEX else []
        query += [("job", str(job)) for job in self.jobs]
        if call is not None:
            query.append(("q", call if isinstance(call, str) else unparse(call)))
        query += [(name, value) for name, value in (("from", self.begin), ("to", self.end)) if value]
        if path == "/explore/":
            query += self.kept
        query += list(more.items())
        return f"{path}?{urlencode(query)}" if query else path

    def narrow(self, field: str, value: str) -> str:
        """Explore with the packets that have the value, too."""
        return self._changed(field, value, narrowed, write.narrowed)

    def exclude(self, field: str, value: str) -> str:
        """Explore with the packets that do not have it."""
        return self._changed(field, value, without, write.without)

    def widen(self, field: str, value: str) -> str:
        """Explore with the packets that have it besides those that are there."""
        return self._changed(field, value, widened, write.widened)

    def _changed(
        self, field: str, value: str, call: Callable[[Call | None, Call], Call], text: Callable[[str, str, str], str]
    ) -> str:
        if not self.linked:
            return ""
        if self.display:
            return self._filter(text(self.display, field, value))
        return self.url("/explore/", call(self.base, row(field, value)))

    def _filter(self, text: str) -> str:
        """Explore with a display filter; the language is said where the text does not show it."""
        return self.url("/explore/", text, **({} if language_of(text) == DISPLAY else {"lang": DISPLAY}))

    def top(self, field: str, **more: str) -> str:
        return self.url("/top/", (self.display or self.base) if self.linked else None, field=field, **more)
