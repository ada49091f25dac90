"""What the provider says of itself (OpenID Connect Discovery 1.0, 4): asked when it is first needed, and again after a while."""

from __future__ import annotations

import threading
import time
from typing import Any

import requests
from django.conf import settings

SECONDS = 10.0  # that a provider may take for an answer
FRESH_SECONDS = 3600.0
NEEDED = ("issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")

_lock = threading.Lock()
_known: dict[str, tuple[float, dict[str, Any]]] = {}


class ProviderAway(Exception):
    """The provider does not answer, or says something else than one does."""


def document() -> dict[str, Any]:
    """Raises ProviderAway."""
    issuer: str = settings.OIDC_ISSUER
    with _lock:
        found = _known.get(issuer)
        if found is not None and time.monotonic() - found[0] < FRESH_SECONDS:
            return found[1]
        try:
            url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
            answer = requests.get(url, timeout=SECONDS, allow_redirects=False)
            answer.raise_for_status()
            said = answer.json()
        except (requests.RequestException, ValueError) as error:
            raise ProviderAway(f"{issuer} does not answer: {error}") from None
        if not isinstance(said, dict) or any(not isinstance(said.get(name), str) for name in NEEDED):
            raise ProviderAway(f"{issuer} does not say {', '.join(NEEDED)}")
        if said["issuer"] != issuer:  # Discovery 4.3: else another one could speak for it
            raise ProviderAway(f"{issuer} says that it is {said['issuer']}")
        _known[issuer] = (time.monotonic(), said)
        return said


def forget() -> None:
    """It is asked again."""
    with _lock:
        _known.clear()
