"""Bodies of requests that are no plain repetition of a GET's parameters."""

from __future__ import annotations

from typing import Any

from capture.option_words import ALL_OPTIONS


def _json(example: Any, **properties: str) -> dict[str, Any]:
    schema = {"type": "object", "properties": {name: {"description": words} for name, words in properties.items()}}
    return {"content": {"application/json": {"schema": schema, "example": example}}}


_QUESTION = {
    "index": "as the parameter",
    "q": "which packets, as the parameter",
    "lang": "as the parameter",
    "jobs": "numbers of jobs",
    "from": "as the parameter",
    "to": "as the parameter",
}
_SAVED = {
    "name": "what it is called",
    **_QUESTION,
    "fields": "columns of the table",
    "alert": "null, or `{enabled, threshold, window_seconds, cooldown_seconds, webhook, secret}`",
}
_OPTIONS = {name: {"type": "string", "description": hint} for name, _, _, hint in ALL_OPTIONS}
_JOB = {
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {"file": {"type": "string", "format": "binary", "description": "the capture"}, **_OPTIONS},
            }
        },
        "application/vnd.tcpdump.pcap": {"schema": {"type": "string", "format": "binary"}},
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {
                    "iface": {"description": "an interface, or a list of them"},
                    "filename": {"description": "a file of the import folder"},
                    **_OPTIONS,
                },
            },
            "example": {"filename": "capture.pcap", "filter": "tcp port 80"},
        },
    }
}

BODIES: dict[str, dict[str, Any]] = {
    "POST /jobs/": _JOB,
    "POST /saved/": _json({"name": "SYNs that nobody answers", "q": "named:unanswered-syn"}, **_SAVED),
    "PATCH /saved/{id}/": _json({"alert": {"enabled": True, "threshold": 10}}, **_SAVED),
    "PUT /packets/{index}/{column}/note": _json({"text": "Look at this one again."}, text="the note"),
    "POST /tokens/": _json(
        {"name": "nightly report", "scope": "read-only", "days": 90},
        name="what it is for",
        scope="`read-only` (default) or `read-write`",
        days="until it expires: 90, if not said; 0: never",
    ),
    "POST /people/": _json(
        {"name": "ann", "role": "operator"},
        name="what they sign in with",
        role="`viewer` (default), `operator` or `admin`",
        password="empty: one is made up, and is in the answer, this once",
    ),
    "PATCH /people/{id}/": _json(
        {"role": "admin"}, role="the new role", active="`false`: disabled", unlock="`true`: lifts a lock-out"
    ),
    "POST /packets/tags": _json({"tag": "look again", "q": "dns.flags.rcode == 3"}, tag="the tag", **_QUESTION),
}
