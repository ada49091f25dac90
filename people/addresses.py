"""Where a request comes from."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str:
    """The client's address. Behind a proxy (PICAPWEB_BEHIND_PROXY), the last of X-Forwarded-For: the one that the proxy wrote;
    those before it, anybody may have."""
    address = request.META.get("REMOTE_ADDR", "") or ""
    if settings.SECURE_PROXY_SSL_HEADER and (given := request.META.get("HTTP_X_FORWARDED_FOR")):
        address = given.split(",")[-1].strip()
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return ""
