"""Answers that count: top values, over time, two fields or two sets of packets against each other, conversations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal, Unpack
from urllib.parse import quote

from picapweb_client.asking import Asking
from picapweb_client.comparison import Comparison, Side, comparison_of
from picapweb_client.crosstab import Crosstab, crosstab_of
from picapweb_client.flow import Flow, FlowOrder, Flows, NamedQuery, flow_of
from picapweb_client.histogram import Histogram, histogram_of
from picapweb_client.scope import Scope, parameters_of
from picapweb_client.top import Top, top_of

FLOWS_PAGE = 1000


class Analysis(Asking):
    """See above. `q` and the keywords of Scope as in every question."""

    def top(
        self,
        field: str,
        q: str = "",
        *,
        n: int = 10,
        order: Literal["top", "rare"] = "top",
        metric: str = "packets",
        prefix: str = "",
        **scope: Unpack[Scope],
    ) -> Top:
        """The n values of a field that most (or, rare, fewest) packets have.

        metric: packets, bytes, or distinct:FIELD, the number of values of another field. prefix: only values that begin so."""
        asked = [("field", field), ("n", str(n)), ("order", order), ("metric", metric), ("prefix", prefix)]
        return top_of(self.http.question("/top/", [*parameters_of(q, scope), *asked], q))

    def histogram(
        self,
        q: str = "",
        *,
        bins: int | None = None,
        width: str | float | timedelta | None = None,
        by: str | None = None,
        n: int | None = None,
        **scope: Unpack[Scope],
    ) -> Histogram:
        """Packets and bytes over time: in at most so many bins of a round width, or in bins of a width (seconds, a timedelta, or
        text like "100ms" or "1h30m"), which begin at whole multiples of it since 1970 (UTC).

        by: split by the n values of a field that most packets have."""
        asked = [("bins", bins), ("width", None if width is None else _seconds(width)), ("by", by), ("n", n)]
        given = [(name, str(value)) for name, value in asked if value is not None]
        return histogram_of(self.http.question("/histogram/", [*parameters_of(q, scope), *given], q))

    def crosstab(
        self,
        rows: str,
        columns: str,
        q: str = "",
        *,
        n_rows: int = 10,
        n_columns: int = 10,
        metric: Literal["packets", "bytes"] = "packets",
        **scope: Unpack[Scope],
    ) -> Crosstab:
        """The n_rows first values of one field against the n_columns first of another."""
        asked = [("rows", rows), ("columns", columns), ("n_rows", str(n_rows)), ("n_columns", str(n_columns)), ("metric", metric)]
        return crosstab_of(self.http.question("/crosstab/", [*parameters_of(q, scope), *asked], q))

    def compare(
        self, a: str | Side, b: str | Side, q: str = "", *, fields: Sequence[str] = (), n: int = 10, **scope: Unpack[Scope]
    ) -> Comparison:
        """What differs between two sets of packets: queries, or Side(jobs=...), Side(start=..., end=...) and so on.

        q and the keywords narrow both. fields: those that are compared (without it: all but jobs and times). n: changes that are
        shown of each field."""
        one, other = (side if isinstance(side, Side) else Side(side) for side in (a, b))
        asked = [*parameters_of(q, scope), *one.parameters("a"), *other.parameters("b"), ("n", str(n))]
        if fields:
            asked.append(("fields", fields if isinstance(fields, str) else ",".join(fields)))
        return comparison_of(self.http.question("/compare/", asked, {"": q, "a": one.q, "b": other.q}))

    def flows(
        self,
        q: str = "",
        *,
        whole: bool = False,
        order: FlowOrder = "packets",
        limit: int | None = None,
        page_size: int = FLOWS_PAGE,
        **scope: Unpack[Scope],
    ) -> Flows:
        """The conversations of packets, with what is of the question of each; whole: with all of each one's packets.

        order: the greatest first, of `first` the earliest."""
        return Flows(self.http, [*parameters_of(q, scope), ("whole", str(int(whole)))], order, limit, page_size)

    def flow(self, column: int, index: str = "net") -> Flow:
        """The whole conversation that the packet of a column is of. Raises NotFound: it is of none."""
        return flow_of(self.http.json("GET", f"/flows/{quote(index, safe='')}/{column}/")["flow"])

    def named_queries(self) -> list[NamedQuery]:
        """Questions that have names of their own, such as unanswered-syn."""
        names = ("name", "sentence", "definition", "pql", "display")
        told = self.http.json("GET", "/named/")
        return [NamedQuery(**{name: one[name] for name in names}, fields=tuple(one["fields"])) for one in told]


def _seconds(width: str | float | timedelta) -> str:
    """A width as the server reads it: whole microseconds."""
    if isinstance(width, str):
        return width
    microseconds = width // timedelta(microseconds=1) if isinstance(width, timedelta) else round(width * 1_000_000)
    return f"{microseconds}us"
