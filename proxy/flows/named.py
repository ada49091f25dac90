"""`Named("...")`, `named:...`: questions of network engineers that no row of the index answers by itself. Each is exact."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from indexing.calls import Call, QueryError, RowRef
from indexing.columns import of_columns
from proxy.ask import in_rows
from proxy.flows.answered import Packets, answered, packets
from proxy.flows.flow import flow
from proxy.flows.lookup import Lookup, lookup_of
from proxy.flows.one_way import one_way
from proxy.flows.triples import packets_of

NAME = "Named"


@dataclass(frozen=True)
class NamedQuery:
    """One of them. fields: what jobs must have indexed for it."""

    name: str
    sentence: str
    definition: str
    fields: tuple[str, ...]
    make: Callable[[str], Call]


def named(index: str, call: Call) -> Call:
    """The call as rows and columns; see proxy.resolve. Raises QueryError, LimitExceeded."""
    name = call.args.get("name")
    if call.children or call.args.keys() != {"name"} or not isinstance(name, str):
        raise QueryError(f'{NAME}() takes the name of a query, such as {NAME}("unanswered-syn")', call.position)
    if name not in QUERIES:
        near = difflib.get_close_matches(name, QUERIES, n=3, cutoff=0.4) or list(QUERIES)
        raise QueryError(f"there is no named query {name!r} (did you mean {' or '.join(near)}?)", call.position)
    made = QUERIES[name].make(index)
    made.position = call.position
    return made


def fields_of(call: Call) -> tuple[str, ...]:
    """The fields that a job must have indexed to be asked a Named call; none of one that is refused."""
    found = QUERIES.get(str(call.args.get("name")))
    return found.fields if found is not None else ()


def _row(field: str, value: str) -> Call:
    return Call("Row", args={"row": RowRef(field, value)})


def _both(*calls: Call) -> Call:
    return Call("Intersect", list(calls))


def _without(first: Call, *others: Call) -> Call:
    return Call("Difference", [first, *others])


def _syn() -> Call:
    return _without(_row("tcp", "SYN"), _row("tcp", "ACK"))


def _syn_ack() -> Call:
    return _both(_row("tcp", "SYN"), _row("tcp", "ACK"))


def _unanswered(index: str, asking: Call, answering: Call, key: str = "") -> Call:
    with lookup_of(index) as lookup:
        askers = packets(lookup, in_rows(index, asking), key)
        answers = packets(lookup, in_rows(index, answering), key)
        return _columns(askers, ~answered(index, askers, answers))


def _refused(index: str) -> Call:
    with lookup_of(index) as lookup:
        syns = _of(index, lookup, _syn())
        syns = syns.kept(~answered(index, syns, _of(index, lookup, _syn_ack())))
        resets = _of(index, lookup, _both(_row("tcp", "RST"), _row("tcp", "ACK")))
        return _columns(syns, answered(index, syns, resets))


def _of(index: str, lookup: Lookup, call: Call) -> Packets:
    return packets(lookup, in_rows(index, call))


def _columns(some: Packets, chosen: np.typing.NDArray[np.bool_]) -> Call:
    return of_columns(np.unique(some.columns[chosen])).call()


def _one_way(index: str) -> Call:
    with lookup_of(index) as lookup:
        return packets_of(index, lookup, one_way(lookup))


_CONVERSATION = ("community-id", "vlan-stack", "netsrc", "transsrc")
_DNS = _without(
    _row("dns-response", "false"), *(_row(field, port) for port in ("5353", "5355") for field in ("transsrc", "transdst"))
)

QUERIES: dict[str, NamedQuery] = {
    one.name: one
    for one in (
        NamedQuery(
            "unanswered-syn",
            "SYNs that nobody answered with a SYN-ACK.",
            "Packets with SYN and without ACK, in whose conversation the other side sent no packet with SYN and ACK. "
            "A SYN that was answered after it was sent again counts as answered, all of its packets do.",
            ("tcp", *_CONVERSATION),
            lambda index: _unanswered(index, _syn(), _syn_ack()),
        ),
        NamedQuery(
            "refused-syn",
            "SYNs that were answered by a reset.",
            "Packets with SYN and without ACK, in whose conversation the other side sent a packet with RST and ACK, and none "
            "with SYN and ACK.",
            ("tcp", *_CONVERSATION),
            _refused,
        ),
        NamedQuery(
            "syn-ack-without-syn",
            "SYN-ACKs whose SYN was not seen: the capture misses a direction, or nobody asked.",
            "Packets with SYN and ACK, in whose conversation the other side sent no packet with SYN and without ACK.",
            ("tcp", *_CONVERSATION),
            lambda index: _unanswered(index, _syn_ack(), _syn()),
        ),
        NamedQuery(
            "reset",
            "Connections that were reset.",
            'All packets of conversations that have a packet with RST: Flow(Row(tcp="RST")).',
            ("tcp", "community-id", "vlan-stack"),
            lambda index: flow(index, Call("Flow", [_row("tcp", "RST")])),
        ),
        NamedQuery(
            "one-way",
            "Conversations of which only one side was seen.",
            "All packets of conversations whose packets come from one address and port alone. Multicast and broadcast are one-way"
            " by nature; so is who talks to its own address and port.",
            _CONVERSATION,
            _one_way,
        ),
        NamedQuery(
            "dns-unanswered",
            "DNS queries without a response.",
            "DNS messages that are queries, in whose conversation the other side sent no response with the same transaction id. "
            "mDNS and LLMNR (ports 5353 and 5355), which are answered in another conversation, are left out.",
            ("dns-response", "dns-id", "transdst", *_CONVERSATION),
            lambda index: _unanswered(index, _DNS, _row("dns-response", "true"), "dns-id"),
        ),
        NamedQuery(
            "dns-nxdomain",
            "DNS responses that say: no such name.",
            'Row(dns-rcode="NXDOMAIN").',
            ("dns-rcode",),
            lambda index: _row("dns-rcode", "3"),
        ),
        NamedQuery(
            "dns-failed",
            "DNS responses with an error other than “no such name”.",
            "Packets with a dns-rcode other than NOERROR (0) and NXDOMAIN (3).",
            ("dns-rcode",),
            lambda index: Call("Union", [_row("dns-rcode", str(code)) for code in range(16) if code not in (0, 3)]),
        ),
        NamedQuery(
            "ping-unanswered",
            "Echo requests of hosts that were not answered at all.",
            "ICMP and ICMPv6 echo requests, in whose conversation (two addresses) the other side sent no echo reply. Identifier "
            "and sequence number are not indexed: one reply makes all requests of the conversation answered.",
            ("icmp-type", "icmpv6-type", *_CONVERSATION),
            lambda index: _unanswered(
                index,
                Call("Union", [_row("icmp-type", "8"), _row("icmpv6-type", "128")]),
                Call("Union", [_row("icmp-type", "0"), _row("icmpv6-type", "129")]),
            ),
        ),
        NamedQuery(
            "icmp-unreachable",
            "Messages that a destination cannot be reached.",
            'Union(Row(icmp-type="3"), Row(icmpv6-type="1")).',
            ("icmp-type", "icmpv6-type"),
            lambda index: Call("Union", [_row("icmp-type", "3"), _row("icmpv6-type", "1")]),
        ),
        NamedQuery(
            "zero-window",
            "Receivers that could not take any more.",
            "TCP packets with a window of 0, but for those with SYN, FIN or RST.",
            ("tcp-window", "tcp"),
            lambda index: _without(_row("tcp-window", "0"), *(_row("tcp", flag) for flag in ("SYN", "FIN", "RST"))),
        ),
        NamedQuery(
            "tls-no-server-hello",
            "TLS Client Hellos that got no Server Hello.",
            "TCP packets in which a TLS Client Hello begins, in whose conversation the other side sent none in which a Server "
            "Hello begins.",
            ("tls-handshake", "transproto", *_CONVERSATION),
            lambda index: _unanswered(
                index,
                _both(_row("tls-handshake", "1"), _row("transproto", "TCP")),
                _row("tls-handshake", "2"),
            ),
        ),
    )
}
