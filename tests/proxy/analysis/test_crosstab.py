"""GET and POST /crosstab/: equal to plain counting, on both backends."""

from __future__ import annotations

import pytest

from tests.proxy.analysis.counted import by_value, bytes_by_value

PAIRS = [("netsrc", "transdst"), ("tcp", "transsrc"), ("protocols", "netdst"), ("dns-qname", "dns-qtype"), ("tcp", "tcp")]


@pytest.mark.parametrize(("rows", "columns"), PAIRS)
def test_every_cell(indexed, packets, rows, columns):
    said = indexed.get("/crosstab/", rows=rows, columns=columns, n_rows=6, n_columns=5, metric="bytes")
    assert (said["count"], said["bytes"]) == (len(packets), sum(one.length for one in packets))
    down, across = ([one["value"] for one in said[side]["values"]] for side in ("rows", "columns"))
    for i, value in enumerate(down):
        for j, other in enumerate(across):
            both = [one for one in packets if one.has(rows, value) and one.has(columns, other)]
            assert said["counts"][i][j] == len(both)
            assert said["byte_counts"][i][j] == sum(one.length for one in both)


@pytest.mark.parametrize("metric", ["packets", "bytes"])
def test_rows_and_columns_are_the_first_ones_with_their_totals(indexed, packets, metric):
    chosen = [one for one in packets if one.has("protocols", "tcp")]
    said = indexed.get("/crosstab/", q="tcp", rows="netsrc", columns="transdst", n_rows=4, n_columns=3, metric=metric)
    for side, field, n in (("rows", "netsrc", 4), ("columns", "transdst", 3)):
        counts, sizes = by_value(chosen, field), bytes_by_value(chosen, field)
        shown = said[side]["values"]
        assert all((counts[one["value"]], sizes[one["value"]]) == (one["count"], one["bytes"]) for one in shown)
        ranked = counts if metric == "packets" else sizes
        key = "count" if metric == "packets" else "bytes"
        assert [one[key] for one in shown] == sorted(ranked.values(), reverse=True)[:n]
        assert (said[side]["field"], said[side]["distinct"], said[side]["exact"]) == (field, len(counts), True)
    assert ("byte_counts" in said) == (metric == "bytes")


def test_of_no_packets(indexed):
    said = indexed.get("/crosstab/", q='Row(netsrc="203.0.113.77")', rows="netsrc", columns="netdst")
    assert (said["count"], said["counts"], said["rows"]["values"]) == (0, [], [])


def test_by_post(indexed):
    query = {"rows": "netsrc", "columns": "tcp", "q": "tcp"}
    assert indexed.post("/crosstab/", **query)["counts"] == indexed.get("/crosstab/", **query)["counts"]
