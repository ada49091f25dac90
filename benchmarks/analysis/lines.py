# ruff: noqa: E501
"""The questions: each as the product is asked it, as DuckDB is asked it, and what of both answers must be the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from benchmarks.analysis.table import SET_FIELDS

BINS = 200
TOP = 10
PAGE = 100
NS = 1_000_000_000


@dataclass(frozen=True)
class Line:
    """path, sql: the i-th time; others each time, so that no answer is one that was kept. target: ms at p50, at ten million packets;
    None: no slower than DuckDB. numbers: of an answer of ours and of DuckDB's rows, what must be equal; None: not compared."""

    name: str
    path: Callable[[int], str]
    sql: Callable[[int], str] | None
    target: float | None = None
    numbers: Callable[[Any], Any] | None = None
    rows: Callable[[list[Any]], Any] | None = None


@dataclass(frozen=True)
class Known:
    """What the lines are made of. jobs: both halves; ports: TCP destinations with many packets; packets: of both halves; first, last:
    ns; width: of the histogram, s."""

    jobs: tuple[int, int]
    ports: Sequence[int]
    packets: int
    cut: str
    width: int


def lines(known: Known) -> list[Line]:
    """The list."""
    a, b = known.jobs

    def deep(i: int) -> int:
        return (i * 7919 * 1009) % known.packets

    def every(i: int) -> Terms:
        return Terms(f"frame.len > {i % 40}", f"length > {i % 40}")

    def port(i: int) -> Terms:
        number, length = known.ports[i % len(known.ports)], 60 + i % 400
        return Terms(
            f'transproto == "TCP" && transdst == {number} && frame.len > {length}',
            f"transproto = 'TCP' AND transdst = {number} AND length > {length}",
        )

    def many(i: int) -> Terms:
        length = 60 + i % 400
        return Terms(
            f'transproto == "TCP" && ttl < 100 && frame.len > {length}',
            f"transproto = 'TCP' AND ttl < 100 AND length > {length}",
        )

    return [
        *_counted(known, port, "under three terms that leave few packets (of a port)"),
        *_counted(known, many, "under three terms that leave many (TCP of a small TTL)"),
        _cross(every, "of all packets"),
        Line(
            "compare two jobs, each a half, on all fields",
            lambda i: f"/compare/?{urlencode({'a_job': a, 'b_job': b, 'n': 10 + i % 5})}",
            _compare_sql,
            1000.0,
        ),
        Line(
            "compare two windows, each a half, on all fields",
            lambda i: f"/compare/?{urlencode({'a_to': known.cut, 'b_from': known.cut, 'n': 10 + i % 5})}",
            None,
            1000.0,
        ),
        Line(
            "compare two queries (TCP and UDP) on all fields",
            lambda i: f"/compare/?{urlencode({'a': 'tcp', 'b': 'udp', 'n': 10 + i % 5})}",
            None,
        ),
        Line(
            f"page of {PAGE} packets, any page of all",
            lambda i: f"/packets/?limit={PAGE}&cursor={deep(i)}",
            lambda i: f"SELECT * FROM packets LIMIT {PAGE} OFFSET {deep(i)}",
            60.0,
        ),
        *(
            Line(
                f"page of {PAGE} packets, any page of those {words}",
                lambda i, terms=terms: f"/packets/?{urlencode({'q': terms(i).filter, 'limit': PAGE, 'cursor': deep(i)})}",  # type: ignore[misc]
                None,
                60.0,
            )
            for terms, words in ((port, "of a port"), (many, "of a small TTL"))
        ),
    ]


@dataclass(frozen=True)
class Terms:
    """The same condition as a display filter and in SQL."""

    filter: str
    sql: str


def _counted(known: Known, terms: Callable[[int], Terms], words: str) -> list[Line]:
    """Count, top, histogram and cross-table under some terms."""

    def asked(path: str, i: int, **more: Any) -> str:
        return f"{path}?{urlencode({'q': terms(i).filter, **more})}"

    def top(i: int, measure: str) -> str:
        # The last column says how many there are in all, as our answer does
        return (
            f"SELECT netsrc, count(*) c, sum(length) s, count(*) OVER () FROM packets WHERE netsrc IS NOT NULL AND {terms(i).sql} "
            f"GROUP BY netsrc ORDER BY {measure} DESC LIMIT {TOP}"
        )

    width = known.width * NS
    return [
        Line(
            f"count and bytes {words}",
            lambda i: asked("/count/", i),
            lambda i: f"SELECT count(*), sum(length) FROM packets WHERE {terms(i).sql}",
            3.0,
            lambda said: [said["count"], said["bytes"]],
            lambda rows: [rows[0][0], rows[0][1] or 0],
        ),
        Line(
            "top 10 of netsrc, the same",
            lambda i: asked("/top/", i, field="netsrc", n=TOP),
            lambda i: top(i, "c"),
            14.0,
            lambda said: [one["count"] for one in said["values"]] + [said["distinct"]],
            lambda rows: [row[1] for row in rows] + [rows[0][3] if rows else 0],
        ),
        Line(
            "top 10 of netsrc by bytes, the same",
            lambda i: asked("/top/", i, field="netsrc", n=TOP, metric="bytes"),
            lambda i: top(i, "s"),
            None,
            lambda said: [one["bytes"] for one in said["values"]],
            lambda rows: [row[2] for row in rows],
        ),
        Line(
            f"histogram of at most {BINS} bins, the same",
            lambda i: asked("/histogram/", i, width=f"{known.width}s"),
            lambda i: (
                f"""SELECT "time" // {width}, count(*), sum(length) FROM packets WHERE {terms(i).sql} GROUP BY 1 ORDER BY 1"""
            ),
            15.0,
            lambda said: [[int(one["time_ns"]) // width, one["count"], one["bytes"]] for one in said["bins"] if one["count"]],
            lambda rows: [list(row) for row in rows],
        ),
        _cross(terms, "the same"),
    ]


def _cross(terms: Callable[[int], Terms], words: str) -> Line:
    def sql(i: int) -> str:
        return (
            f"WITH f AS (SELECT netsrc, transdst FROM packets WHERE {terms(i).sql}), "
            f"r AS (SELECT netsrc, count(*) c FROM f WHERE netsrc IS NOT NULL GROUP BY 1 ORDER BY 2 DESC LIMIT {TOP}), "
            f"k AS (SELECT transdst, count(*) c FROM f WHERE transdst IS NOT NULL GROUP BY 1 ORDER BY 2 DESC LIMIT {TOP}) "
            "SELECT f.netsrc, f.transdst, count(*) FROM f JOIN r USING (netsrc) JOIN k USING (transdst) GROUP BY 1, 2"
        )

    def path(i: int) -> str:
        return f"/crosstab/?{urlencode({'rows': 'netsrc', 'columns': 'transdst', 'q': terms(i).filter})}"

    return Line(f"cross-table of netsrc and transdst, {TOP} x {TOP}, {words}", path, sql, 58.0)


def _compare_sql(i: int) -> str:
    """Of the table's own fields."""
    parts = [
        f"""SELECT '{name}' f, "{name}"::VARCHAR v, count(*) FILTER (half = 0) a, count(*) FILTER (half = 1) b FROM packets """
        f"""WHERE "{name}" IS NOT NULL AND length > {i % 50} GROUP BY 2"""
        for name in SET_FIELDS
    ]
    return f"SELECT f, count(*), sum(a), sum(b) FROM ({' UNION ALL '.join(parts)}) GROUP BY f"


def tshark_filter(i: int, ports: Sequence[int]) -> str:
    """The first line's filter in Wireshark's own names."""
    return f"ip.proto == 6 && tcp.dstport == {ports[i % len(ports)]} && frame.len > {60 + i % 400}"
