# ruff: noqa: E501
"""Sections of docs/performance.md on live captures, as Markdown."""

from __future__ import annotations

import statistics

from benchmarks import machine
from benchmarks.live.latency import SETTLED, Latency
from benchmarks.live.polling import EVERY, LATE
from benchmarks.live.product import WORKERS
from benchmarks.live.rate import Result
from benchmarks.live.wire import Wire
from benchmarks.timing import per_second

OTHERS = ("dumpcap",)


def rate(results: list[Result], missing: list[str], wire: Wire, rounds: int, seconds: float) -> str:
    """Where programs that capture begin to drop."""
    title = (
        f"A veth pair between two network namespaces; {wire.packets:,} packets of {wire.bytes / wire.packets:.0f} bytes on average (`make_capture.py`) "
        f"are sent in a loop at rising rates, {seconds:g} s each, by one process (sendmmsg, in ticks of 1 ms), until a program has fewer packets in its "
        f"file than were sent; then once as fast as it goes. {rounds} round{'s' if rounds > 1 else ''} of all programs in turns, all into the same folder. "
        "Sender, kernel and the program that captures share the cores of this machine, so the fastest that can be sent depends "
        "on the program, too. Rates are those that were sent, in packets per second: medians of the rounds, and in brackets the lowest and highest. "
        "Programs are told to end when their file has not grown for a while: what waits in the kernel's buffer is no loss."
    )
    lines = [
        "## Capturing without a drop",
        "",
        title,
        "",
        "| program | does | highest rate without a drop | begins to drop at | sent at full speed | of that not in the file |",
        "| --- " * 6 + "|",
    ]
    for result in results:
        lines.append(
            f"| {result.program.name} | {result.program.does} | **{per_second(result.sustained)}**{_range(result.clean)} | {_dropped_at(result)} | "
            f"{per_second(statistics.median(run.sent.rate for run in result.tops))} | {_percent(result.top_share)} |"
        )
    agree = all(run.lost == run.counted.dropped for result in results for run in result.tops)
    said = (
        "Every packet that was not in a file was counted as dropped by the kernel by the program itself."
        if agree
        else _disagreement(results)
    )
    lines += ["", said, "", *_missing(missing), _by("live-rate")]
    return "\n".join(lines)


def _range(rates: list[float]) -> str:
    return f" ({per_second(min(rates))} - {per_second(max(rates))})" if len(rates) > 1 else ""


def _dropped_at(result: Result) -> str:
    found = [rate for rate in result.dropped_at if rate is not None]
    if not found:
        return "no rate that could be sent"
    often = f", in {len(found)} of {len(result.dropped_at)} rounds" if len(found) < len(result.dropped_at) else ""
    return f"{per_second(statistics.median(found))}{often}"


def _disagreement(results: list[Result]) -> str:
    worst = max((abs(run.lost - run.counted.dropped), result.program.name) for result in results for run in result.tops)
    return f"Packets that were not in a file and packets that the program counted as dropped differ by up to {worst[0]:,} ({worst[1]})."


def _percent(share: float) -> str:
    return "0" if share == 0 else f"{100 * share:.2g} %"


def latency(found: list[Latency], wire: Wire, seconds: float) -> str:
    """How soon a captured packet is in the answers."""
    title = (
        f"`manage.py up` with {WORKERS} workers, durable Postgres and the embedded index, anew for each row, so that all values are new to it; one live job on "
        f"a veth pair. {wire.packets:,} packets of {wire.bytes / wire.packets:.0f} bytes on average (`make_capture.py`) are sent in a loop for {seconds:g} s, in ticks of "
        f"1 ms, by a process on the same cores. Every {EVERY * 1000:.0f} ms `Count(Row(job=N))` is asked over one connection; packet n is in the answers "
        "when the first answer that counts n packets has come, and its delay is that moment less its capture time, which is the kernel's "
        f"and stands in the ring file. As a check that names its packets, each second of the wire is asked for by `time-second` {LATE:g} s after its end: it is whole "
        "when all its packets are counted. *lag* is the longest that the product itself said; *values* are new rows of the translation table; "
        "*CPU* is what the product kept busy while packets came; *stop* amid the same traffic: seconds until nothing more was captured, and until the job "
        "had ended with all of it indexed."
    )
    lines = [
        "## From the wire to the answer",
        "",
        title,
        "",
        f"| fields | packets/s asked | sent | dropped | p50 | p99 | max | p99, from {SETTLED:g} s on | seconds whole | lag | values | CPU, cores | stop |",
        "| --- " * 13 + "|",
    ]
    for one in found:
        lost = one.sent.packets - one.captured
        lines.append(
            f"| {one.case.fields} | {per_second(one.case.rate)} | {per_second(one.sent.rate)} | {lost:,} of {one.sent.packets:,} | {one.p50:.2f} s | **{one.p99:.2f} s** | "
            f"{one.highest:.2f} s | {one.settled:.2f} s | {one.whole.whole} of {one.whole.seconds} | {one.lag:.1f} s | {one.values:,} | {one.cpu:.2f} | {one.halt:.1f} s, {one.end:.1f} s |"
        )
    asking = statistics.median(one.asking for one in found)
    lines += [
        "",
        f"Target: p99 of 2 s at 100 k packets/s, nothing dropped. A poll took {asking * 1000:.0f} ms (median).",
        "",
        _by("live-latency"),
    ]
    return "\n".join(lines)


def _missing(sentences: list[str]) -> list[str]:
    return [f"Not measured: {'; '.join(sentences)}.", ""] if sentences else []


def _by(section: str) -> str:
    return f"`script/benchmark {section}`: {machine.described(*OTHERS)}"
