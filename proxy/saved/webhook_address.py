"""Where webhooks may go. A server that posts to any address that a user says can be made to talk to machines that only it
reaches (server-side request forgery): so in server mode only addresses of the public internet are taken, unless the operator
allows others.

The address is looked at when the URL is given, and again when it is posted to, that very address which is then connected to:
a name that says one address when it is checked and another one afterwards gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from capture.services.errors import Refused

PORTS = {"http": 80, "https": 443}
_NAT64, _COMPATIBLE = ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96")
SETTING = "PICAPWEB_WEBHOOK_PRIVATE"


class NoAddress(Exception):
    """There is no address to post to; the text says why."""


def split(url: str) -> SplitResult:
    """The parts of an http or https URL. Raises NoAddress."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise NoAddress(f"{url!r} is no URL: {error}") from None
    if parts.scheme not in PORTS or not parts.hostname or port == 0:
        raise NoAddress(f"{url!r} is no http or https URL")
    if parts.username is not None or parts.password is not None:
        raise NoAddress("a webhook's URL must hold no user name or password")
    if not url.isascii() or any(character.isspace() or not character.isprintable() for character in url):
        raise NoAddress(f"{url!r} has characters that must be written as %XX (a host name in its ASCII form)")
    return parts


def check_url(url: str) -> None:
    """Raises Refused for a URL that nothing would be posted to. A name that cannot be resolved now may be later."""
    try:
        parts = split(url)
        literal = _literal(parts.hostname or "")
        if literal is not None:
            _check(literal, url)
    except NoAddress as error:
        raise Refused(str(error), option="alert.webhook") from None


def addresses(parts: SplitResult) -> list[str]:
    """The addresses to try in turn, all of them allowed. Raises NoAddress: one that is not allowed forbids the name."""
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NoAddress(f"{host} has no address: {getattr(error, 'strerror', None) or error}") from None
    texts = list(dict.fromkeys(str(one[4][0]) for one in found))
    for text in texts:
        address = _literal(text)
        if address is None:
            raise NoAddress(f"{host} has the address {text}, which cannot be read")
        _check(address, host)
    if not texts:
        raise NoAddress(f"{host} has no address")
    return texts


def _literal(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return _carried(address) or address
    return address


def _carried(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for: mapped or compatible (RFC 4291), 6to4, Teredo, NAT64 (RFC 6052)."""
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 0xFFFF):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


def _check(address: ipaddress.IPv4Address | ipaddress.IPv6Address, of: str) -> None:
    if address.is_multicast or address.is_unspecified:
        raise NoAddress(f"{of}: {address} is no machine's address")
    if not settings.WEBHOOK_PRIVATE and not address.is_global:
        raise NoAddress(f"{of}: {address} is not an address of the public internet ({SETTING} allows others)")
