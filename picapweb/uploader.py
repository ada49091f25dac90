"""As whom `up FILE` asks its own server: in local mode as anybody, in server mode as the owner of an API token.

In server mode the server also wants a name that it is served under, and https, which a proxy before it would speak for: what the
proxy would send is sent here. What cannot go well is said before anything is started.
"""

from __future__ import annotations

from django.conf import settings

from people.tokens import SHAPE
from picapweb import environment
from picapweb.up import CannotStart

TOKEN = "PICAPWEB_TOKEN"


def headers_for_files() -> dict[str, str]:
    """What is sent with each request for a FILE. Raises CannotStart: the server would refuse it."""
    if settings.LOCAL_MODE:
        return {}
    token = environment.raw(TOKEN)
    if token is None:
        raise CannotStart(
            "in server mode somebody uploads a file, and nobody has signed in here. Set PICAPWEB_TOKEN (or PICAPWEB_TOKEN_FILE) "
            "to a read-write API token of an operator or admin (`manage.py token NAME --scope read-write` prints one while the "
            "server runs), or start without FILE and upload it on the page: docs/security.md"
        )
    if not SHAPE.fullmatch(token):
        raise CannotStart(f"{TOKEN} is no API token: one is like pw0a1b2c3d4e.SECRET, as it was shown when it was made")
    headers = {"Authorization": f"Token {token}"}
    host = _host(settings.ALLOWED_HOSTS)
    if not host:
        raise CannotStart("in server mode PICAPWEB_ALLOWED_HOSTS says under which names the server is asked: it names none")
    headers["Host"] = host
    if settings.SECURE_SSL_REDIRECT:
        if settings.SECURE_PROXY_SSL_HEADER is None:
            raise CannotStart(
                "PICAPWEB_TLS is true and PICAPWEB_BEHIND_PROXY is not: every request would be led to https, which this server "
                "does not speak itself, and no file could be uploaded"
            )
        headers["X-Forwarded-Proto"] = "https"
    return headers


def _host(allowed: list[str]) -> str:
    """A name that is served, one of this machine if there is one; empty: none is. ".example.com" is example.com too (Django)."""
    if "*" in allowed:
        return "localhost"
    names = [name.removeprefix(".") for name in allowed]
    return next((name for name in ("localhost", "127.0.0.1", "[::1]") if name in names), names[0] if names else "")
