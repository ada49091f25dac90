"""/api/docs/: every endpoint, made of the OpenAPI description on the server; no script, no foreign page."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

from picapweb.docs.examples import curl

TITLES = {
    "jobs": "Jobs and captures",
    "interfaces": "Interfaces",
    "fields": "Fields",
    "packets": "Packets",
    "count": "Count",
    "top": "Top values",
    "histogram": "Histogram",
    "crosstab": "Cross-table",
    "compare": "Compare",
    "flows": "Conversations",
    "named": "Named queries",
    "complete": "Completion",
    "explore": "Explore",
    "saved": "Saved queries",
    "alerts": "Alerts",
    "index": "Pilosa's query endpoint",
    "system": "Status",
    "account": "Account",
    "tokens": "API tokens",
    "people": "People",
    "audit": "Audit log",
    "api": "The API itself",
}
OPERATIONS = "Health and metrics"


@dataclass
class Endpoint:
    """One operation. parameters: name, where, type, default, words. answers: status, words."""

    method: str
    path: str
    words: str
    parameters: list[dict[str, Any]]
    bodies: list[dict[str, Any]]
    answers: list[dict[str, str]]
    curl: str

    @property
    def anchor(self) -> str:
        return f"{self.method}-{self.path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}".lower()


@dataclass
class Group:
    title: str
    anchor: str
    endpoints: list[Endpoint] = field(default_factory=list)


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The page."""
    groups = groups_of(request.build_absolute_uri("/").rstrip("/"))
    return render(request, "picapweb/docs.html", {"groups": groups, "number": sum(len(one.endpoints) for one in groups)})


@lru_cache(maxsize=1)
def description() -> dict[str, Any]:
    """The OpenAPI description: it is the same as long as the process lives."""
    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return made


def groups_of(origin: str) -> list[Group]:
    """Endpoints by what they are about, in the order of TITLES."""
    found: dict[str, Group] = {}
    for path, operations in description()["paths"].items():
        first = path.strip("/").split("/")[0]
        title = TITLES.get(first, OPERATIONS)
        group = found.setdefault(title, Group(title, "group-" + (first if title != OPERATIONS else "operations")))
        for method in ("get", "post", "put", "patch", "delete"):
            if method in operations:
                group.endpoints.append(_endpoint(method, path, operations[method], origin))
    order = [*TITLES.values(), OPERATIONS]
    return sorted(found.values(), key=lambda group: order.index(group.title))


def _endpoint(method: str, path: str, operation: dict[str, Any], origin: str) -> Endpoint:
    parameters = [
        {
            "name": one["name"],
            "where": "in the path" if one["in"] == "path" else "",
            "type": _type(one.get("schema", {})),
            "choices": one.get("schema", {}).get("enum") or (),
            "words": one.get("description", ""),
        }
        for one in sorted(operation.get("parameters", ()), key=lambda one: one["in"] != "path")
    ]
    bodies = [
        {"type": kind, "members": _members(content.get("schema", {}))}
        for kind, content in operation.get("requestBody", {}).get("content", {}).items()
    ]
    answers = [{"status": status, "words": one.get("description", "")} for status, one in sorted(operation["responses"].items())]
    return Endpoint(
        method.upper(), path, operation.get("description", ""), parameters, bodies, answers, curl(method, path, operation, origin)
    )


def _type(schema: dict[str, Any]) -> str:
    if schema.get("type") == "array":
        return f"{schema.get('items', {}).get('type', 'string')}, repeatable"
    return str(schema.get("type", ""))


def _members(schema: dict[str, Any]) -> list[dict[str, str]]:
    return [{"name": name, "words": one.get("description", "")} for name, one in schema.get("properties", {}).items()]
