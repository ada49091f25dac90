"""Endpoints that are no views of Django REST framework: streams, files, what operators ask, and Pilosa's own API."""

from __future__ import annotations

from typing import Any


def _operation(
    words: str, answer: str, kind: str, *parameters: dict[str, Any], status: str = "200", wrong: str = "", **more: Any
) -> dict[str, Any]:
    """kind: the answer's content type, or several, with a comma and a space between. wrong: those of errors, if no problems."""
    content = {one: {"schema": {} if "json" in one else {"type": "string"}} for one in kind.split(", ")}
    responses: dict[str, dict[str, Any]] = {status: {"description": answer, "content": content}}
    for code in ("400", "404", "default") if wrong else ():
        said = {one: {"schema": {} if "json" in one else {"type": "string"}} for one in wrong.split(", ")}
        responses[code] = {"description": "What is wrong, in words.", "content": said}
    return {"description": words, "parameters": list(parameters), "responses": responses, **more}


def _in_path(name: str, kind: str = "integer") -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": kind}}


def _in_query(name: str, words: str = "", kind: str = "string") -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": {"type": kind}, "description": words}


_PQL = {
    "content": {
        "text/plain": {"schema": {"type": "string"}, "example": 'TopN(dns-qname, n=3)\nCount(Row(tcp="SYN"))'},
        "application/x-protobuf": {"schema": {"type": "string", "format": "binary"}},
    }
}

OTHERS: dict[str, dict[str, Any]] = {
    "/jobs/{id}/events/": {
        "get": _operation(
            "Server-sent events: `job` with the job as data at every change, until it ends.",
            "The stream.",
            "text/event-stream",
            _in_path("id"),
        )
    },
    "/jobs/{id}/pcap": {
        "get": _operation(
            "The stored capture, decompressed; of a live job its ring files as one pcapng.",
            "The capture.",
            "application/vnd.tcpdump.pcap",
            _in_path("id"),
        )
    },
    "/jobs/check-filter": {
        "get": _operation(
            "Whether a capture filter is right, without making a job. Names of hosts are not looked up here: `names` lists them.",
            '`{"ok", "detail", "position", "names"}`: libpcap\'s message, and the character, from 0, at which it goes wrong.',
            "application/json",
            _in_query("filter"),
            _in_query("live", "`1`: for an interface, where `inbound` and the like are right too."),
        )
    },
    "/jobs/sample/": {
        "post": _operation(
            "A job of the sample capture that picapweb makes itself; where there is one already, that job.",
            "The job.",
            "application/json",
            status="202",
        )
    },
    "/explore/with/": {
        "get": _operation(
            "Leads to the Explore page of a question with a value added: what a click on a value asks.",
            "`Location` is the page.",
            "text/html",
            _in_query("q"),
            _in_query("field", "The field."),
            _in_query("value", "Its value."),
            _in_query("how", "`and`, `not` or `or`."),
            status="302",
            wrong="text/html, application/problem+json",
        )
    },
    "/index/{index}/query": {
        "post": _operation(
            "Pilosa's own query endpoint: PQL, in values. JSON, or protobuf as Pilosa's clients send it. picap's and v0.x text "
            "gets the old shapes. The rest of Pilosa's API (`/schema`, `/status`, imports ...) is there for its clients too.",
            "Pilosa's answer: `results`, or `error`.",
            "application/json, application/x-protobuf",
            _in_path("index", "string"),
            wrong="application/json, application/x-protobuf, text/plain, application/problem+json",
            requestBody=_PQL,
        )
    },
    "/healthz": {"get": _operation("Whether this process answers.", "`ok`", "text/plain")},
    "/readyz": {
        "get": _operation("Whether every part answers: 200, else 503, with each part named.", "The parts.", "application/json")
    },
    "/metrics": {"get": _operation("Figures for Prometheus.", "Prometheus' text format, or OpenMetrics.", "text/plain")},
    "/account/": {
        "get": _operation(
            "Who asks: name, role, and whether a token may write.",
            '`{"name", "role", "via", "writes", "mode"}`.',
            "application/json",
        )
    },
    "/api/schema/": {"get": _operation("This description, as OpenAPI 3.", "The description.", "application/vnd.oai.openapi")},
}
