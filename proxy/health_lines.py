"""How conversations went, in lines of words, each figure with the page of its packets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from capture.templatetags.show import microseconds, number
from proxy.health import COUNTED, Health, Times

# A display filter -> the page of the packets of it that are meant
Url = Callable[[str], str]


@dataclass(frozen=True)
class Part:
    """A figure in words. url: the page of its packets, if there are any. wrong: it is a sign of trouble."""

    words: str
    url: str = ""
    wrong: bool = False


@dataclass(frozen=True)
class Line:
    title: str
    parts: list[Part]


def lines(found: Health, url: Url) -> list[Line]:
    """Those that say anything."""
    def part(name: str, one: str, many: str, wrong: bool = True) -> Part | None:
        count = found.counts[name]
        words = f"{number(count)} {one if count == 1 else many}"
        return Part(words, url(COUNTED[name]), wrong) if count else None

    def times(name: str, what: str) -> list[Part]:
        return _times(found.times[name], what, url) if name in found.times else []

    lines = [
        Line("Retransmitted", _again(found, url)),
        Line(
            "Also in TCP",
            _there(
                part("lost_segments", "segment before which one was not captured", "segments before which one was not captured"),
                part("out_of_order", "out of order", "out of order"),
                part("duplicate_acks", "duplicate ACK", "duplicate ACKs"),
                part("zero_windows", "window of 0", "windows of 0"),
            ),
        ),
        Line(
            "Handshakes",
            _there(
                part("complete", "complete", "complete", wrong=False),
                part("unanswered", "SYN unanswered", "SYNs unanswered"),
                part("refused", "refused", "refused"),
                part("mid_stream", "connection seen from its middle on", "connections seen from their middle on", wrong=False),
            )
            + times("tcp_handshakes", "timed:"),
        ),
        Line("Round trips of TCP", times("tcp_round_trips", "measured:")),
        Line(
            "DNS",
            times("dns_answers", "answered in") + _there(part("dns_unanswered", "query unanswered", "queries unanswered")),
        ),
        Line(
            "Echo",
            times("echo_replies", "answered in") + _there(part("echo_unanswered", "request unanswered", "requests unanswered")),
        ),
        Line(
            "HTTP",
            times("http_responses", "answered in")
            + _there(
                part("http_slow", "took longer than a second", "took longer than a second"),
                part("http_errors", "request answered with 5xx", "requests answered with 5xx"),
            ),
        ),
        Line(
            "TLS handshakes",
            _there(
                part("tls_complete", "complete", "complete", wrong=False),
                part("tls_broken_off", "broken off", "broken off"),
            ),
        ),
    ]
    return [line for line in lines if line.parts]


def _there(*parts: Part | None) -> list[Part]:
    return [part for part in parts if part is not None]


def _again(found: Health, url: Url) -> list[Part]:
    """`1.2 % of 31,000 TCP packets`, and who sent most of them."""
    packets, again = found.counts["tcp_packets"], found.counts["retransmissions"]
    if not packets:
        return []
    text = COUNTED["retransmissions"]
    parts = [Part(f"{_share(again, packets)} of {number(packets)} TCP packets", url(text) if again else "", bool(again))]
    for address, count in found.hosts:
        parts.append(Part(f"{address} sent {number(count)}", url(f"{text} && netsrc == {address}")))
    return parts


def _share(some: int, all_: int) -> str:
    """In per cent, such that what is there is never 0 and what is not everything never 100."""
    if some in (0, all_):
        return "100 %" if some else "0 %"
    percent = 100 * some / all_
    if percent < 0.01:
        return "less than 0.01 %"
    return f"{min(percent, 99.9):.2f} %" if percent < 1 else f"{min(percent, 99.9):.1f} %"


def _times(times: Times, what: str, url: Url) -> list[Part]:
    half, most = (_within(us) for us in (times.half_within_us, times.most_within_us))
    every = url(f"{times.field} >= 0")
    longest = url(f"{times.field} >= {times.max_us}")
    parts = [Part(f"{number(times.count)} {what} {microseconds(times.mean_us)} on average", every)]
    if times.count == 1:
        return parts
    parts.append(Part(f"half {half}, 95 % {most}"))
    return [*parts, Part(f"longest {microseconds(times.max_us)}", longest)]


def _within(us: int | None) -> str:
    return "longer" if us is None else f"within {microseconds(us)}"
