"""That a saved query raises alerts: when, and where they are posted to."""

from __future__ import annotations

import secrets
from typing import Any

from capture.services.describe import iso_time
from capture.services.errors import Refused
from proxy.models import Arrival, Match, SavedQuery, StandingQuery
from proxy.saved.given import only, text, whole
from proxy.saved.webhook_address import check_url

MEMBERS = ("enabled", "threshold", "window_seconds", "cooldown_seconds", "webhook", "secret")
MOST_PACKETS, LONGEST_WINDOW, LONGEST_COOLDOWN = 10**15, 86_400, 31 * 86_400
LONGEST_URL, SHORTEST_SECRET, LONGEST_SECRET = 2000, 16, 500
WITHIN = "alert."


def of(saved: SavedQuery) -> StandingQuery | None:
    """Its alert settings, if it has some."""
    return StandingQuery.objects.filter(saved=saved).first()


def save(saved: SavedQuery, given: Any) -> str | None:
    """Sets what is given; null: no alerts any more. Part of the caller's transaction. Raises Refused.

    Packets that are visible when it is enabled are not counted: they have come before. Returns the secret, if one was made."""
    if given is None:
        list(StandingQuery.objects.select_for_update().filter(saved=saved))
        StandingQuery.objects.filter(saved=saved).delete()
        return None
    if not isinstance(given, dict):
        raise Refused("alert must be an object, or null", option="alert")
    only(given, MEMBERS, WITHIN)
    # What counts its packets meanwhile locks it, too.
    one = StandingQuery.objects.select_for_update().filter(saved=saved).first() or StandingQuery(saved=saved)
    enabled = given.get("enabled", one.enabled)
    if not isinstance(enabled, bool):
        raise Refused("enabled must be true or false", option=f"{WITHIN}enabled")
    one.threshold = whole(given, "threshold", one.threshold, 1, MOST_PACKETS, WITHIN) or 1
    if "window_seconds" in given:
        one.window_seconds = whole(given, "window_seconds", None, 1, LONGEST_WINDOW, WITHIN)
    one.cooldown_seconds = whole(given, "cooldown_seconds", one.cooldown_seconds, 0, LONGEST_COOLDOWN, WITHIN) or 0
    if "webhook" in given:
        one.webhook = text(given, "webhook", LONGEST_URL).strip()
        if one.webhook:
            check_url(one.webhook)
    if given.get("secret"):
        one.secret = text(given, "secret", LONGEST_SECRET)
        if len(one.secret) < SHORTEST_SECRET:
            raise Refused(f"secret must have {SHORTEST_SECRET} characters or more", option=f"{WITHIN}secret")
    made = secrets.token_hex(32) if one.webhook and not one.secret else None
    one.secret = made or one.secret
    if not enabled or not one.enabled:
        forget(one)
    if enabled and not one.enabled:
        one.error, one.missed = "", 0
    one.enabled = enabled
    one.save()
    return made


def forget(one: StandingQuery) -> None:
    """What it has counted and not told, it does not go on from."""
    if one.pk is not None:
        Match.objects.filter(standing=one).delete()
        Arrival.objects.filter(only=one).delete()


def standing_json(saved: SavedQuery) -> dict[str, Any] | None:
    """The alert settings as the API shows them; null: it has none."""
    one = of(saved) if "standing" not in saved._state.fields_cache else saved._state.fields_cache["standing"]
    if one is None:
        return None
    return {
        "enabled": one.enabled,
        "threshold": one.threshold,
        "window_seconds": one.window_seconds,
        "cooldown_seconds": one.cooldown_seconds,
        "webhook": one.webhook,
        "secret_set": bool(one.secret),
        "error": one.error or None,
        "missed": one.missed,
        "raised": iso_time(one.raised),
    }
