"""One signed POST to a webhook. Redirects are not followed, and of the answer only the status is looked at."""

from __future__ import annotations

import contextlib
import hmac
import http.client
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from urllib.parse import SplitResult

from django.conf import settings

from proxy.saved.webhook_address import PORTS, NoAddress, addresses, split

SIGNATURE, DELIVERY = "Picapweb-Signature", "Picapweb-Delivery"


@dataclass(frozen=True)
class Answer:
    """status None: there was no answer. error: why it was not taken."""

    status: int | None
    error: str = ""

    @property
    def taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def signature(secret: str, body: bytes, when: int) -> str:
    """What SIGNATURE says: HMAC-SHA256 (RFC 2104) under the secret's UTF-8 of the time in decimal, a dot, and the body."""
    return f"t={when},v1={hmac.new(secret.encode(), str(when).encode() + b'.' + body, 'sha256').hexdigest()}"


def post(url: str, body: bytes, secret: str, delivery: int | None = None) -> Answer:
    """Posts JSON, in WEBHOOK_SECONDS at most."""
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "picapweb",
        SIGNATURE: signature(secret, body, int(time.time())),
        **({DELIVERY: str(delivery)} if delivery is not None else {}),
    }
    until = time.monotonic() + settings.WEBHOOK_SECONDS
    try:
        parts = split(url)
        status = _post(parts, _connected(parts, until), body, headers, until)
    except NoAddress as error:
        return Answer(None, str(error))
    except (OSError, http.client.HTTPException, ValueError) as error:
        if time.monotonic() >= until:
            return Answer(None, f"no answer in {settings.WEBHOOK_SECONDS:g} s")
        return Answer(None, getattr(error, "strerror", None) or f"{type(error).__name__}: {error}")
    if 200 <= status < 300:
        return Answer(status)
    return Answer(status, f"answered {status}" + (": redirects are not followed" if 300 <= status < 400 else ""))


def _connected(parts: SplitResult, until: float) -> socket.socket:
    """A connection to the first address that takes one. Raises NoAddress, OSError."""
    last: OSError = OSError("no address")
    for address in addresses(parts):
        try:
            return socket.create_connection((address, parts.port or PORTS[parts.scheme]), max(0.1, until - time.monotonic()))
        except OSError as error:
            last = error
    raise last


def _post(parts: SplitResult, connected: socket.socket, body: bytes, headers: dict[str, str], until: float) -> int:
    host = parts.hostname or ""
    connection: http.client.HTTPConnection
    sockets = [connected]
    # A receiver that sends a byte now and then passes every timeout of a socket: the end of the time ends the connection.
    timer = threading.Timer(max(0.0, until - time.monotonic()), _shut, [sockets])
    timer.start()
    try:
        if parts.scheme == "https":
            context = ssl.create_default_context()
            connection = http.client.HTTPSConnection(host, parts.port or 443, context=context)
            sockets.append(context.wrap_socket(connected, server_hostname=host, do_handshake_on_connect=False))
            sockets[-1].do_handshake()  # type: ignore[attr-defined]
        else:
            connection = http.client.HTTPConnection(host, parts.port or 80)
        connection.sock = sockets[-1]
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body, headers)
        return connection.getresponse().status
    finally:
        timer.cancel()
        for one in sockets:
            one.close()


def _shut(sockets: list[socket.socket]) -> None:
    for one in sockets:  # one that TLS has wrapped is no socket any more
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
