"""The token of an upload by a plain form, without the page's script: it stands in the address that the form is sent to.

Django would look for its own token in the body, and so receive a whole upload before anything could refuse it; a form cannot send
a header. This token is for nothing else, only good with the session cookie that it was made for, and not for long: an address may
come into a log.
"""

from __future__ import annotations

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

PARAMETER = "upload_token"
SECONDS = 12 * 3600
_SALT = "picapweb.upload"


def upload_token(request: HttpRequest) -> str:
    """The token for the session of a request; empty where there is none to protect."""
    name = _name(request)
    return TimestampSigner(salt=_SALT).sign(name) if name else ""


def is_upload_of_own_form(request: HttpRequest) -> bool:
    """Whether this is an upload by a form that a page made for this very session. Its body is not looked at."""
    if request.method != "POST" or request.path != reverse("jobs") or request.content_type != "multipart/form-data":
        return False
    try:
        said = TimestampSigner(salt=_SALT).unsign(request.GET.get(PARAMETER, ""), max_age=SECONDS)
    except BadSignature:
        return False
    name = _name(request)
    return bool(name) and constant_time_compare(said, name)


def _name(request: HttpRequest) -> str:
    """What tells a session from others, and does not tell its key."""
    key = None if settings.LOCAL_MODE else getattr(getattr(request, "session", None), "session_key", None)
    return salted_hmac(_SALT, key, algorithm="sha256").hexdigest() if key else ""
