"""GET and POST /histogram/: equal to plain counting, on both backends; all sums add up."""

from __future__ import annotations

import pytest

from proxy.moments import written
from tests.proxy.analysis.counted import Packet, by_bin

NS = 1_000_000_000
WIDTHS = {"100ms": NS // 10, "0.25": NS // 4, "1s": NS, "7s": 7 * NS, "1m": 60 * NS, "1h30m": 5400 * NS, "1d": 86400 * NS}
SHORT = (0, 1, 4)  # captures of a minute at most


def expected(packets: list[Packet], width: int) -> list[tuple[int, int, int]]:
    """(begin, packets, bytes) of every bin from the first to the last packet."""
    counts, sizes = by_bin(packets, width), by_bin(packets, width, lambda one: one.length)
    return [(begin, counts[begin], sizes[begin]) for begin in range(min(counts), max(counts) + 1, width)]


def bins(said) -> list[tuple[int, int, int]]:
    return [(int(one["time_ns"]), one["count"], one["bytes"]) for one in said["bins"]]


@pytest.mark.parametrize("width", WIDTHS)
def test_every_width(indexed, packets, width):
    for capture in SHORT:
        chosen = [one for one in packets if one.capture == capture]
        said = indexed.get("/histogram/", width=width, job=indexed.jobs[capture])
        assert bins(said) == expected(chosen, WIDTHS[width])
        assert said["width_seconds"] * NS == WIDTHS[width]
        assert (said["count"], said["bytes"]) == (len(chosen), sum(one.length for one in chosen))
        assert (said["untimed"], said["untimed_bytes"]) == (0, 0)


def test_microseconds(indexed, packets):
    first = [one for one in packets if one.capture == 0][:5]
    begin, end = first[0].time, first[-1].time
    assert begin is not None
    assert end is not None
    width = max(1000, (end - begin) // 500 // 1000 * 1000)
    said = indexed.get("/histogram/", width=f"{width // 1000}us", job=indexed.jobs[0], to=written(end + 1000))
    chosen = [one for one in packets if one.capture == 0 and one.time is not None and one.time < end + 1000]
    assert {key: count for key, count, _ in bins(said) if count} == by_bin(chosen, width)


def test_all_captures_by_day_with_packets_without_a_time(indexed, packets):
    said = indexed.get("/histogram/", width="1d")
    assert bins(said) == expected(packets, WIDTHS["1d"])
    untimed = [one for one in packets if one.time is None]
    assert untimed
    assert (said["untimed"], said["untimed_bytes"]) == (len(untimed), sum(one.length for one in untimed))
    assert sum(one["count"] for one in said["bins"]) + said["untimed"] == said["count"] == len(packets)
    assert sum(one["bytes"] for one in said["bins"]) + said["untimed_bytes"] == said["bytes"]


@pytest.mark.parametrize("number", [1, 7, 50, 333])
def test_a_number_of_bins(indexed, packets, number):
    for capture in SHORT:
        chosen = [one for one in packets if one.capture == capture]
        said = indexed.get("/histogram/", bins=number, job=indexed.jobs[capture])
        width = round(said["width_seconds"] * NS)
        assert 1 <= len(said["bins"]) <= number
        assert bins(said) == expected(chosen, width)


def test_under_a_query(indexed, packets):
    chosen = [one for one in packets if one.has("protocols", "udp") and one.capture == 0]
    for width in ("1s", "50ms"):
        said = indexed.get("/histogram/", width=width, q="udp", job=indexed.jobs[0])
        assert bins(said) == expected(chosen, WIDTHS.get(width, NS // 20))
        assert said["lang"] == "display"


@pytest.mark.parametrize("width", ["1s", "200ms"])
def test_a_range_of_time_shows_its_empty_bins(indexed, packets, width):
    """The range is cut to what the index has at all."""
    ns = NS if width == "1s" else NS // 5
    chosen = [one for one in packets if one.capture == 0]
    times = [one.time for one in chosen if one.time is not None]
    begin, end = min(times) // NS * NS + 2 * NS, min(times) // NS * NS + 5 * NS
    query = {"job": indexed.jobs[0], "width": width, "from": written(begin), "to": written(end), "q": 'Row(transdst="80")'}
    said = indexed.get("/histogram/", **query)
    within = [one for one in chosen if one.time is not None and begin <= one.time < end and one.has("transdst", "80")]
    counts = by_bin(within, ns)
    assert [(key, count) for key, count, _ in bins(said)] == [(at, counts[at]) for at in range(begin, end, ns)]
    assert said["count"] == len(within)
    zoned = written(begin + 3600 * NS)[:-1] + "+01:00"
    assert indexed.get("/histogram/", **{**query, "from": zoned})["bins"] == said["bins"]


@pytest.mark.parametrize(
    ("by", "n", "width"), [("netsrc", 3, "1s"), ("tcp", 2, "1s"), ("dns-qname", 50, "10s"), ("appproto", 1, "250ms")]
)
def test_split_by_a_field(indexed, packets, by, n, width):
    ns = {"1s": NS, "10s": 10 * NS, "250ms": NS // 4}[width]
    chosen = [one for one in packets if one.capture == 0]
    said = indexed.get("/histogram/", width=width, by=by, n=n, job=indexed.jobs[0])
    begins = [int(one["time_ns"]) for one in said["bins"]]
    shown = {one["value"] for one in said["series"]}
    assert len(shown) == min(n, said["distinct"])
    parts = [(one, [packet for packet in chosen if packet.has(by, one["value"])]) for one in said["series"]]
    some = [packet for packet in chosen if packet.fields.get(by)]
    parts.append((said["other"], [packet for packet in some if shown.isdisjoint(packet.fields[by])]))
    parts.append((said["none"], [packet for packet in chosen if not packet.fields.get(by)]))
    for part, its in parts:
        counts, sizes = by_bin(its, ns), by_bin(its, ns, lambda one: one.length)
        assert part["counts"] == [counts[begin] for begin in begins]
        assert part["byte_counts"] == [sizes[begin] for begin in begins]
        assert (part["count"], part["bytes"]) == (len(its), sum(one.length for one in its))
    least = sorted((one["count"] for one, _ in parts[:-2]), reverse=True)
    assert [one["count"] for one, _ in parts[:-2]] == least


def test_of_no_packets(indexed):
    for width in ("1s", "1ms"):
        said = indexed.get("/histogram/", width=width, q='Row(netsrc="203.0.113.77")', by="netsrc")
        assert (said["count"], said["bins"], said["series"], said["untimed"]) == (0, [], [], 0)


def test_only_packets_without_a_time(indexed, packets):
    untimed = [one for one in packets if one.time is None]
    job = indexed.jobs[untimed[0].capture]
    timed = [one for one in packets if one.capture == untimed[0].capture and one.time is not None]
    said = indexed.get("/histogram/", width="1s" if not timed else "1d", job=job)
    assert said["untimed"] == len(untimed)


def test_by_post(indexed):
    assert indexed.post("/histogram/", width="1d", q="dns")["bins"] == indexed.get("/histogram/", width="1d", q="dns")["bins"]
