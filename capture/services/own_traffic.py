"""Traffic that picapweb itself makes: left out of live captures, else a capture of it would feed on itself.

Its web server's port, and the connections to Postgres, the broker and Pilosa where those go over the network."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from django.conf import settings

from capture.packets.interfaces import Interface

WILDCARDS = frozenset({"", "0.0.0.0", "::", "*"})
DEFAULT_PORTS = {"postgresql": 5432, "redis": 6379, "rediss": 6379, "amqp": 5672, "amqps": 5671, "pilosa": 10101}
# An expression with hundreds of addresses takes libpcap seconds; the port alone then has to do.
MOST_ADDRESSES = 16


def listeners() -> list[tuple[str, int]]:
    """(host, port) of what picapweb listens on or talks to by TCP; a host of WILDCARDS: every address of this machine."""
    found = [(str(settings.BIND), int(settings.PORT))]
    database = settings.DATABASES["default"]
    for host in str(database["HOST"]).split(","):
        if host and not host.startswith("/"):  # else a folder of unix sockets
            found.append((host, int(str(database["PORT"]).partition(",")[0] or DEFAULT_PORTS["postgresql"])))
    for url in (settings.BROKER_URL, settings.INDEX_URL):
        found += _of_url(url)
    return list(dict.fromkeys(found))


def _of_url(url: str) -> list[tuple[str, int]]:
    parts = urlsplit(url)
    default = DEFAULT_PORTS.get(parts.scheme)
    if default is None:
        return []
    found = []
    for place in parts.netloc.rpartition("@")[2].split(","):
        one = urlsplit(f"//{place}")
        if one.hostname:
            found.append((one.hostname, one.port or default))
    return found


def exclusion(interface: Interface, all_interfaces: Sequence[Interface]) -> str:
    """BPF that matches our own traffic on an interface; "" where it carries none (a mirror port has no address of ours)."""
    own = [one for other in all_interfaces for one in other.addresses]
    loopback = interface.name == "any" or any(ipaddress.ip_address(one).is_loopback for one in interface.addresses)
    if not loopback and not interface.addresses:
        return ""
    terms = []
    for host, port in listeners():
        addresses = own if host in WILDCARDS else _addresses(host)
        if any(ipaddress.ip_address(one).is_loopback for one in addresses):
            # Browsers try the other family's loopback too.
            addresses = sorted({*addresses, *(one for one in own if ipaddress.ip_address(one).is_loopback)})
        here = set(addresses) & (set(own) if loopback else set(interface.addresses))
        remote = set(addresses) - set(own)
        if not here and not remote:
            continue
        # Between two addresses of this machine everything goes over loopback, whatever address is asked.
        terms.append(_term(sorted(here | remote), port))
    return " or ".join(terms)


def _addresses(host: str) -> list[str]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return sorted({str(one[4][0]).partition("%")[0] for one in found})


def _term(addresses: Sequence[str], port: int) -> str:
    if len(addresses) > MOST_ADDRESSES:
        return f"tcp port {port}"
    return f"(tcp port {port} and ({' or '.join(f'host {one}' for one in addresses)}))"


def filters(wanted: str, *left_out: str) -> tuple[str, ...]:
    """The expressions for an interface, of which the first that its link type takes is used: without `left_out`, then with it."""
    terms = [f"not ({one})" for one in left_out if one]
    if not terms:
        return (wanted,)
    return (" and ".join([f"({wanted})", *terms] if wanted.strip() else terms), wanted)


def second_copies(interface: Interface) -> str:
    """BPF that matches the second copy of what goes over loopback: the kernel shows each packet as it leaves and as it arrives.
    libpcap discards the first of them, but only after the kernel has counted and handed it over. "" for other interfaces."""
    if interface.name == "any":
        try:
            return f"outbound and ifindex {socket.if_nametoindex('lo')}"
        except OSError:
            return ""
    loopback = any(ipaddress.ip_address(one).is_loopback for one in interface.addresses)
    return "outbound" if loopback or interface.name == "lo" else ""


def per_interface(names: Iterable[str], wanted: str, own_traffic: bool, known: Sequence[Interface]) -> dict[str, tuple[str, ...]]:
    """`filters` of each interface by name; known: the interfaces of this machine."""
    by_name = {one.name: one for one in known}
    found = {}
    for name in names:
        one = by_name.get(name)
        own = exclusion(one, known) if one is not None and not own_traffic else ""
        found[name] = filters(wanted, own, second_copies(one) if one is not None else "")
    return found
