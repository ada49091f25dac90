"""GET and POST /top/: equal to plain counting, on both backends."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.proxy.analysis.counted import by_value, bytes_by_value, distinct_by_value

FIELDS = ("netsrc", "transdst", "tcp", "appproto", "dns-qname", "vlan", "protocols", "time-minute", "inner-netsrc")


def test_every_value_with_packets_and_bytes(indexed, packets):
    for field in FIELDS:
        said = indexed.get("/top/", field=field, n=1000)
        counts, sizes = by_value(packets, field), bytes_by_value(packets, field)
        assert {one["value"]: (one["count"], one["bytes"]) for one in said["values"]} == {
            value: (count, sizes[value]) for value, count in counts.items()
        }, field
        assert (said["distinct"], said["exact"]) == (len(counts), True)
        assert [one["count"] for one in said["values"]] == sorted(counts.values(), reverse=True)


@pytest.mark.parametrize("n", [1, 3, 10])
def test_the_first_ones_and_the_last_ones(indexed, packets, n):
    for field in ("netdst", "transsrc", "tcp"):
        counts = by_value(packets, field)
        for order in ("top", "rare"):
            said = indexed.get("/top/", field=field, n=n, order=order)
            assert [one["count"] for one in said["values"]] == sorted(counts.values(), reverse=order == "top")[:n]
            assert all(counts[one["value"]] == one["count"] for one in said["values"])
            assert said["distinct"] == len(counts)


def test_under_a_query_and_of_jobs(indexed, packets):
    chosen = [one for one in packets if one.has("protocols", "udp") and one.capture in (0, 2)]
    said = indexed.get("/top/", field="netsrc", q="udp", job=[indexed.jobs[0], indexed.jobs[2]], n=100)
    assert {one["value"]: one["count"] for one in said["values"]} == by_value(chosen, "netsrc")
    assert said["lang"] == "display"
    assert 'Row(job="' in said["pql"] or "Row(job=" in said["pql"]


def test_by_bytes(indexed, packets):
    for field in ("netsrc", "transdst", "tcp"):
        counts, sizes = by_value(packets, field), bytes_by_value(packets, field)
        for order in ("top", "rare"):
            said = indexed.get("/top/", field=field, n=4, metric="bytes", order=order)
            assert [one["bytes"] for one in said["values"]] == sorted(sizes.values(), reverse=order == "top")[:4]
            assert all((counts[one["value"]], sizes[one["value"]]) == (one["count"], one["bytes"]) for one in said["values"])
            assert said["exact"] is True


def test_by_bytes_under_a_query(indexed, packets):
    chosen = [one for one in packets if one.has("tcp", "ACK")]
    sizes = bytes_by_value(chosen, "netdst")
    said = indexed.get("/top/", field="netdst", n=3, metric="bytes", q='Row(tcp="ACK")')
    assert [one["bytes"] for one in said["values"]] == sorted(sizes.values(), reverse=True)[:3]


def test_by_values_of_another_field(indexed, packets):
    for field, other in (("netsrc", "netdst"), ("netsrc", "transdst"), ("transproto", "dns-qname")):
        truth = distinct_by_value(packets, field, other)
        said = indexed.get("/top/", field=field, n=100, metric=f"distinct:{other}")
        assert {one["value"]: one["distinct"] for one in said["values"]} == truth
        assert [one["distinct"] for one in said["values"]] == sorted(truth.values(), reverse=True)
        counts, sizes = by_value(packets, field), bytes_by_value(packets, field)
        assert all((counts[one["value"]], sizes[one["value"]]) == (one["count"], one["bytes"]) for one in said["values"])
    udp = [one for one in packets if one.has("protocols", "udp")]
    said = indexed.get("/top/", field="netsrc", n=2, metric="distinct:transsrc", q="udp", order="rare")
    assert [one["distinct"] for one in said["values"]] == sorted(distinct_by_value(udp, "netsrc", "transsrc").values())[:2]


@pytest.mark.parametrize(("field", "prefix"), [("netsrc", "10."), ("netsrc", "192.168.1"), ("transdst", "5"), ("tcp", "A")])
def test_values_that_begin_so(indexed, packets, field, prefix):
    counts = Counter({value: count for value, count in by_value(packets, field).items() if value.startswith(prefix)})
    said = indexed.get("/top/", field=field, n=1000, prefix=prefix)
    assert {one["value"]: one["count"] for one in said["values"]} == counts
    assert said["distinct"] == len(counts)
    sizes = bytes_by_value(packets, field)
    first = indexed.get("/top/", field=field, n=2, prefix=prefix, metric="bytes")["values"]
    assert [one["bytes"] for one in first] == sorted((sizes[value] for value in counts), reverse=True)[:2]


def test_a_label_stands_beside_a_number(indexed):
    labels = {one["value"]: one["label"] for one in indexed.get("/top/", field="linktype", n=10)["values"]}
    assert labels["1"] == "EN10MB"


def test_of_no_packets(indexed):
    for metric in ("packets", "bytes", "distinct:netdst"):
        said = indexed.get("/top/", field="netsrc", q='Row(netsrc="203.0.113.77")', metric=metric)
        assert (said["values"], said["distinct"]) == ([], 0)


def test_a_long_query_by_post(indexed):
    query = " or ".join(f"ip.src == 10.1.{i // 256}.{i % 256}" for i in range(500)) + " or dns"
    assert indexed.post("/top/", field="netsrc", q=query)["values"] == indexed.get("/top/", field="netsrc", q="dns")["values"]
