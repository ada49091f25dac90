"""What a click asks: calls made of calls, and the URLs of pages that ask them. PQL is written by the unparser, never glued."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.http import urlencode

from indexing.calls import Call, RowRef
from proxy.ask import DEFAULT_INDEX, bitmap_of
from proxy.pql.unparse import unparse

# Past this many characters of a query its values are plain text on pages: a page of links would hold it a thousand times.
LONGEST_LINKED = 2000


def row(field: str, value: str) -> Call:
    """The packets that have a value."""
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


def _same_row(one: Call, other: Call) -> bool:
    # Not ==: calls that were parsed know their position, and 443 may stand where "443" does.
    first, second = one.args.get("row"), other.args.get("row")
    if one.name != "Row" or not isinstance(first, RowRef) or not isinstance(second, RowRef):
        return False
    return first.field == second.field and str(first.row) == str(second.row)


@dataclass
class Where:
    """Where a page stands: index, jobs, and the query without the jobs (None: every packet)."""

    index: str = DEFAULT_INDEX
    jobs: tuple[int, ...] = ()
    base: Call | None = None
    linked: bool = True
    facets: tuple[str, ...] = ()  # chosen on the explore page: they stay when a query is narrowed

    @classmethod
    def of(cls, index: str, jobs: list[int], q: str) -> Where:
        """From what a request says. Raises QueryError."""
        return cls(index, tuple(jobs), bitmap_of(q) if q.strip() else None, len(q) <= LONGEST_LINKED)

    def url(self, path: str, call: Call | None = None, **more: str) -> str:
        """A page about the packets of a call, in this index and these jobs."""
        query: list[tuple[str, str]] = [("index", self.index)] if self.index != DEFAULT_INDEX else []
        query += [("job", str(job)) for job in self.jobs]
        if call is not None:
            query.append(("q", unparse(call)))
        query += [("facet", name) for name in self.facets if path == "/explore/"]
        query += list(more.items())
        return f"{path}?{urlencode(query)}" if query else path

    def narrow(self, field: str, value: str) -> str:
        return self.url("/explore/", narrowed(self.base, row(field, value))) if self.linked else ""

    def exclude(self, field: str, value: str) -> str:
        return self.url("/explore/", without(self.base, row(field, value))) if self.linked else ""

    def top(self, field: str, **more: str) -> str:
        return self.url("/top/", self.base if self.linked else None, field=field, **more)
