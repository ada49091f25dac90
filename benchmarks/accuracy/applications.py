"""Quantities of applications: HTTP, DNS, TLS."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from benchmarks.accuracy.claim import anywhere, first
from benchmarks.accuracy.found import Found
from benchmarks.accuracy.quantity import Quantity

_FIRST = {
    "http.host": "http-hostname",
    "http.user_agent": "http-useragent",
    "http.request.method": "http-method",
    "http.request.uri": "http-path",
    "http.response.code": "http-status",
    "dns.qry.name": "dns-qname",
    "dns.qry.type": "dns-qtype",
    "dns.flags.response": "dns-response",
    "tls.handshake.extensions_server_name": "tls-sni",
}
_ANY = ("http.host", "http.request.method", "dns.qry.name", "tls.handshake.extensions_server_name")


def applications(told: dict[str, Any], found: Found) -> Iterator[Quantity]:
    """What requests, questions and hellos name."""
    n = len(found)
    columns = {theirs: found.column(ours) for theirs, ours in _FIRST.items()}
    columns["dns.flags.response"] = columns["dns.flags.response"].renamed(lambda text: str(int(text == "true")))
    for theirs, column in columns.items():
        yield Quantity(f"first.{theirs}", Counter(told["first"][theirs]), first(n, column))
    for theirs in _ANY:
        yield Quantity(f"any.{theirs}", Counter(told["any"][theirs]), anywhere(n, columns[theirs]))
    http = ~found.is_("protocols", "ssdp")
    for theirs, counts in told["http_not_ssdp"].items():
        yield Quantity(f"http_not_ssdp.{theirs}", Counter(counts), first(n, columns[theirs].where(http)))
    names = columns["dns.qry.name"]
    mdns, llmnr = found.is_("protocols", "mdns"), found.is_("protocols", "llmnr") & ~found.is_("protocols", "mdns")
    for kind, mask in (("dns", ~mdns & ~llmnr), ("mdns", mdns), ("llmnr", llmnr)):
        yield Quantity(f"dns_qry_name_by.{kind}", Counter(told["dns_qry_name_by"][kind]), first(n, names.where(mask)))
    quic = found.is_("protocols", "quic")
    sni = columns["tls.handshake.extensions_server_name"]
    for kind, mask in (("tcp", ~quic), ("quic", quic)):
        yield Quantity(f"sni_by.{kind}", Counter(told["sni_by"][kind]), first(n, sni.where(mask)))
