"""The health of a job's conversations as its page says it: lines of words, each with the page of its packets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from capture.models import Job, PassState
from capture.services.conversation_rows import pass_json
from capture.templatetags.show import microseconds, number
from indexing.backends.base import BackendAway, BackendError
from indexing.limits import LimitExceeded
from proxy.health import COUNTED, Health, Times, has_conversations, health_of
from proxy.links import Where


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


def health_page(job: Job) -> dict[str, Any]:
    """The context of templates/proxy/job_health.html."""
    context: dict[str, Any] = {"job": job, "ended": job.ended, "health": [], "health_gone": "", "pass": pass_json(job)}
    if not has_conversations(job):
        return context | {"looks": False}
    looks = context["pass"] is not None and context["pass"]["state"] == PassState.RUNNING
    try:
        found = health_of(job)
    except (BackendAway, BackendError, LimitExceeded) as error:
        return context | {"looks": looks, "health_gone": str(error)}
    lines = _lines(found, Where(index=job.index, jobs=(job.pk,))) if found is not None else []
    return context | {"looks": looks, "health": lines}


def _lines(found: Health, where: Where) -> list[Line]:
    def part(name: str, one: str, many: str, wrong: bool = True) -> Part | None:
        count = found.counts[name]
        words = f"{number(count)} {one if count == 1 else many}"
        return Part(words, where.url("/explore/", COUNTED[name], lang="display"), wrong) if count else None

    def times(name: str, what: str) -> list[Part]:
        return _times(found.times[name], what, where) if name in found.times else []

    lines = [
        Line("Retransmitted", _again(found, where)),
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
            + times("tcp_handshakes", "took"),
        ),
        Line("Round trips of TCP", times("tcp_round_trips", "")),
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


def _again(found: Health, where: Where) -> list[Part]:
    """`1.2 % of 31,000 TCP packets`, and who sent most of them."""
    packets, again = found.counts["tcp_packets"], found.counts["retransmissions"]
    if not packets:
        return []
    text = COUNTED["retransmissions"]
    url = where.url("/explore/", text, lang="display") if again else ""
    parts = [Part(f"{_share(again, packets)} of {number(packets)} TCP packets", url, bool(again))]
    for address, count in found.hosts:
        url = where.url("/explore/", f"{text} && netsrc == {address}", lang="display")
        parts.append(Part(f"{address} sent {number(count)}", url))
    return parts


def _share(some: int, all_: int) -> str:
    """In per cent, such that what is there is never 0 and what is not everything never 100."""
    if some in (0, all_):
        return "100 %" if some else "0 %"
    percent = 100 * some / all_
    if percent < 0.01:
        return "less than 0.01 %"
    return f"{min(percent, 99.9):.2f} %" if percent < 1 else f"{min(percent, 99.9):.1f} %"


def _times(times: Times, what: str, where: Where) -> list[Part]:
    half, most = (_within(us) for us in (times.half_within_us, times.most_within_us))
    every = where.url("/explore/", f"{times.field} >= 0", lang="display")
    longest = where.url("/explore/", f"{times.field} >= {times.max_us}", lang="display")
    words = f"{what} {microseconds(times.mean_us)} on average".strip()
    if times.count == 1:
        return [Part(f"1, {words}", every)]
    parts = [Part(f"{number(times.count)}, {words}", every)]
    parts.append(Part(f"half {half}, 95 % {most}"))
    return [*parts, Part(f"longest {microseconds(times.max_us)}", longest)]


def _within(us: int | None) -> str:
    return "longer" if us is None else f"within {microseconds(us)}"
