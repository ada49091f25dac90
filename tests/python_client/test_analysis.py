"""Tops, histograms, cross-tables and comparisons are what a count over the packets themselves says, with exact types."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from picapweb_client import Client, Job, PicapwebError, QueryError, Side
from tests.python_client.made import FIRST_NS, STEP_NS, packets_made

MADE = packets_made()
TIMES = [FIRST_NS + i * STEP_NS for i in range(len(MADE))]
PORTS = [str(one.payload.payload.dport) for one in MADE]
SOURCES = [one["IP"].src for one in MADE]


def test_tops_by_bytes_and_by_values_of_another_field(client: Client, job: Job):
    sizes: Counter[str] = Counter()
    for source, packet in zip(SOURCES, MADE, strict=True):
        sizes[source] += len(packet)
    top = client.top("netsrc", jobs=job, metric="bytes", n=3)
    assert [one.bytes for one in top.values] == [size for _, size in sizes.most_common(3)]
    assert all(one.bytes == sizes[one.value] and one.count == 4 for one in top.values)
    top = client.top("transdst", jobs=job, metric="distinct:netsrc")
    values = {port: len({source for source, its in zip(SOURCES, PORTS, strict=True) if its == port}) for port in set(PORTS)}
    assert {one.value: one.distinct for one in top.values} == values
    frame = top.to_pandas()
    assert [str(frame[name].dtype) for name in ("value", "count", "bytes", "distinct")] == ["string", "int64", "int64", "int64"]


@pytest.mark.parametrize("width", ["2s", 2, timedelta(seconds=2)])
def test_a_histogram(client: Client, job: Job, width):
    histogram = client.histogram(jobs=job, width=width)
    counts = Counter(time // 2_000_000_000 * 2_000_000_000 for time in TIMES)
    assert {one.time_ns: one.count for one in histogram.bins} == counts
    assert (histogram.count, histogram.width_seconds, histogram.untimed) == (40, 2.0, 0)
    assert histogram.bytes == sum(one.bytes for one in histogram.bins) == sum(map(len, MADE))
    frame = histogram.to_pandas()
    assert str(frame["time"].dtype) == "datetime64[ns, UTC]" and frame["count"].sum() == 40


def test_a_split_histogram(client: Client, job: Job):
    histogram = client.histogram(jobs=job, width=0.001, by="transdst", n=1, start=TIMES[3], end=TIMES[5] + 1)
    assert histogram.width == "1ms"
    assert [(one.kind, one.value, one.count) for one in histogram.parts] == [
        ("value", "443", 2),
        ("other", None, 1),
        ("none", None, 0),
    ]
    frame = histogram.to_pandas()
    some = frame[(frame["part"] == "value") & (frame["count"] > 0)]
    assert some["time"].astype("int64").tolist() == [time // 1_000_000 * 1_000_000 for time in (TIMES[3], TIMES[5])]
    assert histogram.to_arrow()["count"].to_pylist() == frame["count"].tolist()


def test_a_cross_table(client: Client, job: Job):
    crosstab = client.crosstab("netsrc", "transdst", jobs=job)
    cells = Counter(zip(SOURCES, PORTS, strict=True))
    frame = crosstab.to_pandas()
    assert frame.shape == (10, 2) and (frame.index.name, frame.columns.name) == ("netsrc", "transdst")
    assert all(frame.loc[source, port] == cells[source, port] for source in set(SOURCES) for port in set(PORTS))
    rows = crosstab.to_arrow().to_pylist()
    assert {(one["row"], one["column"]): one["count"] for one in rows if one["count"]} == cells
    by_bytes = client.crosstab("netsrc", "transdst", jobs=job, metric="bytes", n_rows=1, n_columns=1)
    (row,), (column,) = by_bytes.rows.values, by_bytes.columns.values
    size = sum(len(one) for one, *its in zip(MADE, SOURCES, PORTS, strict=True) if its == [row.value, column.value])
    assert by_bytes.byte_counts == ((size,),) and by_bytes.to_pandas().iloc[0, 0] == size


def test_a_comparison(client: Client, job: Job):
    comparison = client.compare("udp", Side("tcp", end=TIMES[20]), jobs=job, fields=["transdst", "netdst"])
    assert (comparison.a.count, comparison.b.count) == (10, 15)
    assert (comparison.new, comparison.gone, comparison.changed) == (1, 1, 0)
    (field,) = comparison.fields
    assert {(one.value, one.state, one.a, one.b, one.share_a, one.share_b) for one in field.changes} == {
        ("443", "new", 0, 15, 0.0, 1.0),
        ("53", "gone", 10, 0, 1.0, 0.0),
    }
    frame = comparison.to_pandas()
    assert frame["a"].sum() == 10 and str(frame["score"].dtype) == "float64"


def test_what_is_wrong_is_named(client: Client, job: Job):
    with pytest.raises(PicapwebError) as error:
        client.top("length", jobs=job)
    assert (error.value.status, error.value.option) == (400, "field")
    with pytest.raises(PicapwebError) as error:
        client.histogram(jobs=job, bins=3, width="1s")
    assert error.value.option == "bins"
    with pytest.raises(QueryError) as query:
        client.compare("tcp", Side("udp && tcp.prot == 1"), jobs=job)
    assert query.value.option == "b" and query.value.caret.splitlines()[1].index("^") == len("udp && ")
