"""Questions that are there for everybody, as links: the named queries, and rankings that people ask for first."""

from __future__ import annotations

from dataclasses import dataclass, replace

from proxy.api.flows import named_json
from proxy.links import Where


@dataclass(frozen=True)
class Ranking:
    """A page of /top/: of which field, by what, among which packets (a display filter; empty: all)."""

    sentence: str
    field: str
    metric: str
    among: str = ""
    order: str = "top"


RANKINGS = (
    Ranking("Who sent the most bytes?", "netsrc", "bytes"),
    Ranking("Who spoke to the most hosts?", "netsrc", "distinct:netdst"),
    Ranking("Who tried the most ports?", "netsrc", "distinct:transdst", "tcp.flags.syn == 1 && tcp.flags.ack == 0"),
    Ranking("Which DNS names did the fewest hosts ask for?", "dns-qname", "distinct:netsrc", "dns.flags.response == 0", "rare"),
    Ranking("Which TLS servers did the fewest hosts speak to?", "tls-sni", "distinct:netsrc", order="rare"),
    Ranking("Which programs ask over HTTP, the rarest first?", "http-useragent", "packets", order="rare"),
)
# Of what the second pass over conversations found
CONVERSATIONS = (
    Ranking("Who retransmitted the most?", "netsrc", "packets", "tcp.analysis.retransmission"),
    Ranking("Who left connections unanswered?", "netdst", "packets", 'tcp-handshake == "unanswered"'),
    Ranking("Who acknowledged after more than 0.2 s?", "netsrc", "packets", "tcp.analysis.ack_rtt > 0.2"),
    Ranking("Which DNS names got no response?", "dns-qname", "packets", 'dns-unanswered == "true"'),
    Ranking("Which HTTP servers took more than a second?", "netsrc", "packets", "http.time > 1"),
)


@dataclass(frozen=True)
class Ready:
    """A question as a link. asks: how it stands in a query, where it does."""

    sentence: str
    url: str
    asks: str = ""


def ready(where: Where) -> list[tuple[str, list[Ready]]]:
    """Groups of questions, each with its title, about the packets of an index and jobs."""
    named = [Ready(one["sentence"], where.url("/explore/", one["display"]), one["display"]) for one in named_json()]
    ranked = (("Who and what", RANKINGS), ("How conversations went", CONVERSATIONS))
    return [
        ("What went wrong", named),
        *((title, [Ready(one.sentence, _ranked(where, one)) for one in some]) for title, some in ranked),
    ]


def _ranked(where: Where, one: Ranking) -> str:
    more = {"order": one.order} if one.order != "top" else {}
    return replace(where, display=one.among).top(one.field, metric=one.metric, **more)
