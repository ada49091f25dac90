"""How the conversations among a job's packets went, in figures that lead to their packets: what the second pass found, counted.

Everything is asked of the index under the mask of whoever asks: two rounds, however large the job is."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from capture.models import Job
from capture.packets.declarations.conversations import FIELDS
from capture.services.conversation_rows import pass_json
from indexing.calls import Call, Condition, CountResult, PairsResult, Result, ValCountResult
from proxy.ask import ask
from proxy.display.compile import compile_filter
from proxy.links import row

WORST = 3  # hosts that are named
SLOW_US = 1_000_000  # a response that took longer is slow
# Of how long something took a page says within which of these half and 95 % of it were.
LADDER_US = tuple(digit * 10**power for power in range(2, 8) for digit in (1, 2, 5))

# What is counted, as display filters: figures are links to these. A handshake is counted once: complete on the ACK behind it,
# refused on the RST; of one that nobody answered each SYN is counted.
COUNTED = {
    "tcp_packets": 'transproto == "TCP"',
    "retransmissions": "tcp.analysis.retransmission",
    "out_of_order": "tcp.analysis.out_of_order",
    "lost_segments": "tcp.analysis.lost_segment",
    "duplicate_acks": "tcp.analysis.duplicate_ack",
    "zero_windows": "tcp.analysis.zero_window",
    "complete": 'tcp-handshake == "complete" && outer:tcp.flags.syn == 0',
    "unanswered": 'tcp-handshake == "unanswered"',
    "refused": 'tcp-handshake == "refused" && outer:tcp.flags.reset == 1',
    "mid_stream": 'tcp-handshake == "mid-stream"',
    "dns_unanswered": 'dns-unanswered == "true"',
    "echo_unanswered": 'icmp-unanswered == "true"',
    "tls_complete": 'tls-outcome == "complete"',
    "tls_broken_off": 'tls-outcome == "broken-off"',
    "http_slow": f"http-response-us > {SLOW_US}",
    "http_errors": "http-request-status in {500..599}",
}
TIMED = {
    "tcp_round_trips": "tcp-rtt-us",
    "tcp_handshakes": "tcp-irtt-us",
    "dns_answers": "dns-rtt-us",
    "echo_replies": "icmp-rtt-us",
    "http_responses": "http-response-us",
}


@dataclass(frozen=True)
class Times:
    """How long `count` things took, in microseconds. half_within_us, most_within_us: within which step of LADDER_US half and 95 %
    of them were; None: of none of the steps."""

    field: str
    count: int
    mean_us: float
    max_us: int
    half_within_us: int | None
    most_within_us: int | None


@dataclass
class Health:
    """counts: of packets, by the names of COUNTED. times: by the names of TIMED, those of which there are any. hosts: who sent
    the most retransmissions, with how many."""

    counts: dict[str, int]
    times: dict[str, Times]
    hosts: list[tuple[str, int]] = field(default_factory=list)

    @property
    def found(self) -> bool:
        """Whether there is anything to show."""
        return bool(self.times) or any(count for name, count in self.counts.items() if name != "tcp_packets")


def has_conversations(job: Job) -> bool:
    """Whether a job's packets get any field of the second pass."""
    return not {one.name for one in FIELDS}.isdisjoint(job.fields)


def health(index: str, within: Call) -> Health:
    """Of the packets of a bitmap call in values. Raises QueryError (LimitExceeded too), BackendAway, BackendError."""
    calls = [_count(within, _filter(text)) for text in COUNTED.values()]
    for name in TIMED.values():
        calls += [Call("Sum", [within], {"field": name}), Call("Max", [within], {"field": name})]
    answers = iter(ask(index, calls).results)
    counts = {name: _counted(next(answers)) for name in COUNTED}
    sums = {name: (_value(next(answers)), _value(next(answers)).value) for name in TIMED}
    sums = {name: (total, longest) for name, (total, longest) in sums.items() if total.count}
    # How times are spread is asked of those that there are
    steps = {name: [us for us in LADDER_US if us < longest] for name, (_, longest) in sums.items()}
    calls = [_count(within, _at_most(TIMED[name], us)) for name, some in steps.items() for us in some]
    if counts["retransmissions"]:
        again = Call("Intersect", [within, _filter(COUNTED["retransmissions"])])
        calls.append(Call("TopN", [again], {"field": "netsrc", "n": WORST}))
    answers = iter(ask(index, calls).results)
    times = {}
    for name, (total, longest) in sums.items():
        spread = [(us, _counted(next(answers))) for us in steps[name]]
        spread += [(us, total.count) for us in LADDER_US if us >= longest]
        times[name] = _times(TIMED[name], total, longest, spread)
    top = next(answers, None)
    return Health(counts, times, [(str(pair.key), pair.count) for pair in top.pairs] if isinstance(top, PairsResult) else [])


def _filter(text: str) -> Call:
    call = compile_filter(text).call
    assert call is not None
    return call


def _count(within: Call, call: Call) -> Call:
    return Call("Count", [Call("Intersect", [within, call])])


def _at_most(name: str, us: int) -> Call:
    return Call("Row", args={"condition": (name, Condition("<=", us))})


def _counted(result: Result) -> int:
    assert isinstance(result, CountResult)
    return result.count


def _value(result: Result) -> ValCountResult:
    assert isinstance(result, ValCountResult)
    return result


def _times(name: str, total: ValCountResult, longest: int, spread: list[tuple[int, int]]) -> Times:
    """spread: steps of LADDER_US, each with how many there are up to it."""
    half, most = (next((us for us, n in spread if n * 100 >= total.count * percent), None) for percent in (50, 95))
    return Times(name, total.count, round(total.value / total.count, 1), longest, half, most)


def health_of(job: Job) -> Health | None:
    """Of a job's packets; None: nothing of it is indexed yet, or it has no fields of conversations. Raises as `health`."""
    if not has_conversations(job) or not job.packets_indexed:
        return None
    return health(job.index, row("job", str(job.pk)))


def health_json(job: Job) -> dict[str, Any]:
    """The same as figures. Raises as `health`."""
    found = health_of(job)
    return {
        "job": job.pk,
        "index": job.index,
        "conversations": pass_json(job),
        "packets": None if found is None else found.counts,
        "times": None if found is None else {name: asdict(one) for name, one in found.times.items()},
        "retransmitting_hosts": None if found is None else [{"address": one, "packets": n} for one, n in found.hosts],
        "filters": COUNTED,
    }
