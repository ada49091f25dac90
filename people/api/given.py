"""What a request gives, as JSON or as a form."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from capture.services.errors import Refused
from people.members import NotDone
from proxy.saved.given import json_object, only, text

FORMS = ("application/x-www-form-urlencoded",)


def given_of(request: HttpRequest, known: tuple[str, ...]) -> dict[str, Any]:
    """The members of a JSON object or the fields of a form. Raises Refused."""
    if (request.content_type or "").lower() in FORMS:
        given = {name: value for name, value in request.POST.items() if name != "csrfmiddlewaretoken"}
    else:
        given = json_object(request)
    only(given, known)
    return given


def word(given: dict[str, Any], name: str, longest: int, default: str = "") -> str:
    """A text without white space around it. Raises Refused."""
    return text(given, name, longest, default).strip()


def refusal(error: NotDone) -> Refused:
    return Refused(str(error), error.status, **({"option": error.option} if error.option else {}))
