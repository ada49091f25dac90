"""Host and Origin are checked on every request, before anything else looks at it.

In local mode nobody signs in: what keeps a web page on the internet from asking this server through its reader's browser
(CSRF, DNS rebinding) is that Host must be a name of this machine, and Origin, where a browser sends it, our own. Without an
Origin (an image, a script, a frame, a link: GET) Sec-Fetch-Site says whose page asks (Fetch Metadata, W3C): another site's may
send its reader here, as links do, and get nothing else.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse

from picapweb.problem import problem


class HostAndOrigin:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        refused = refuse_peer(request) or refuse_host(request) or refuse_origin(request) or refuse_site(request)
        return refused or self.get_response(request)


def refuse_peer(request: HttpRequest) -> HttpResponse | None:
    """In local mode nobody signs in: however the server was bound, a connection from elsewhere is refused."""
    peer = request.META.get("REMOTE_ADDR", "")
    if not settings.LOCAL_MODE or not peer or is_loopback(f"[{peer}]" if ":" in peer else peer):
        return None
    return problem(request, 403, f"in local mode only this machine is served, not {peer}: set PICAPWEB_MODE=server")


def refuse_host(request: HttpRequest) -> HttpResponse | None:
    """The answer to a request under a name that is not ours; None where it is."""
    given = request.META.get("HTTP_HOST", "")
    try:
        host = request.get_host()
    except DisallowedHost:
        if settings.LOCAL_MODE:
            return problem(
                request,
                403,
                f"Host {given!r} is not a name of this machine: in local mode only localhost, 127.0.0.1 and [::1] are served",
            )
        return problem(request, 400, f"Host {given!r} is not served here (PICAPWEB_ALLOWED_HOSTS)")
    if settings.LOCAL_MODE and not is_loopback(host):
        return problem(request, 403, f"Host {given!r} is not a name of this machine")
    return None


def refuse_origin(request: HttpRequest) -> HttpResponse | None:
    """The answer to a browser's request from another site's page; None where Origin is absent or our own."""
    origin = request.META.get("HTTP_ORIGIN")
    if origin is None:
        return None
    own = f"{request.scheme}://{request.get_host()}"
    if _normal(origin) == _normal(own) or origin in settings.CSRF_TRUSTED_ORIGINS:
        return None
    return problem(request, 403, f"Origin {origin!r} is not this site ({own})")


def refuse_site(request: HttpRequest) -> HttpResponse | None:
    """The answer to what another site's page loads from here without an Origin; None for a link that is followed.

    "same-site" is another site too: any server of this machine, on another port."""
    site = request.META.get("HTTP_SEC_FETCH_SITE")
    if site in (None, "same-origin", "none") or "HTTP_ORIGIN" in request.META:
        return None
    followed = (request.META.get("HTTP_SEC_FETCH_MODE"), request.META.get("HTTP_SEC_FETCH_DEST")) == ("navigate", "document")
    if followed and request.method in ("GET", "HEAD"):
        return None
    return problem(
        request, 403, f"another site's page asked for this (Sec-Fetch-Site: {site!r}): only links to here are followed"
    )


def is_loopback(host: str) -> bool:
    """Whether a Host header (``name``, ``name:port``, ``[::1]:port``) names this machine."""
    name = (urlsplit(f"//{host}").hostname or "").removesuffix(".")
    if name == "localhost":
        return True
    try:
        address = ipaddress.ip_address(name)
        return (getattr(address, "ipv4_mapped", None) or address).is_loopback
    except ValueError:
        return False


def _normal(origin: str) -> tuple[str, str, int | None] | None:
    """Scheme, host and port, the scheme's default port filled in (RFC 6454, 4); None for ``null`` and nonsense."""
    try:
        parts = urlsplit(origin)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None
    if not parts.hostname or parts.path or parts.query or parts.fragment or parts.username is not None:
        return None
    return parts.scheme, parts.hostname, port
