"""What a request gives for something that is kept: a JSON object, whose members are checked one by one."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest

from capture.services.errors import Refused

LARGEST = 1 << 20  # bytes of a body


def json_object(request: HttpRequest) -> dict[str, Any]:
    """The object that the body is. Raises Refused: 413, 415, 400."""
    kind = (request.content_type or "").lower()
    if kind != "application/json":
        raise Refused(f"send a JSON object (Content-Type application/json), not {kind or 'a body without a Content-Type'}", 415)
    # Without a Content-Length Django reads nothing at all.
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST:
        raise Refused(f"the body has more than {LARGEST:,} bytes", 413)
    try:
        found = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise Refused(f"the body is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise Refused("the body must be a JSON object")
    return found


def only(given: dict[str, Any], known: tuple[str, ...], within: str = "") -> None:
    """Raises Refused for a member that is none of these: a word that is misspelt must not be passed over."""
    for name in given:
        if name not in known:
            raise Refused(f"{within}{name} is none of {', '.join(known)}", option=f"{within}{name}")


def text(given: dict[str, Any], name: str, longest: int, default: str = "") -> str:
    """A text. Raises Refused, naming the member."""
    value = given.get(name, default)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Refused(f"{name} must be a text, not {json.dumps(value)[:80]}", option=name)
    if len(value) > longest:
        raise Refused(f"{name} has {len(value):,} characters, and may have {longest:,}", option=name)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Refused(f"{name} is no text: it has half a character", option=name) from None
    if "\0" in value:
        raise Refused(f"{name} must not hold a NUL", option=name)
    return value


def whole(given: dict[str, Any], name: str, default: int | None, least: int, most: int, within: str = "") -> int | None:
    """A whole number; null where `default` is None. Raises Refused, naming the member."""
    value = given.get(name, default)
    if value is None and default is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Refused(f"{name} must be a number from {least} to {most}, not {json.dumps(value)[:80]}", option=f"{within}{name}")
    return value
