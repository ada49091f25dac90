"""The OpenAPI description, completed: words for each parameter, bodies, errors, and endpoints that are no views of the API.

drf-spectacular makes it of the views; this is its last step (settings, POSTPROCESSING_HOOKS). Views keep to what only they know.
"""

from __future__ import annotations

import re
from typing import Any

from picapweb.docs.bodies import BODIES
from picapweb.docs.others import OTHERS
from picapweb.docs.words import OPERATIONS, PARAMETERS

Operation = dict[str, Any]
PROBLEM = {
    "type": "object",
    "description": "RFC 9457 problem details.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "what is wrong, and where"},
        "option": {"type": "string", "description": "the parameter or option that was wrong, where it was one"},
        "position": {"type": "integer", "description": "where in the query, from 0, where it was the query"},
    },
    "required": ["type", "title", "status", "detail"],
}
WRONG = {
    "400": "A parameter or query is wrong: `option` or `position` says which or where.",
    "404": "There is no such thing.",
}
OTHERWISE = (
    "Refused, or not now: 401 and 403 (not signed in, not allowed), 405, 409, 411, 413 and 415 (another method, state or body), "
    "429 and 503 with `Retry-After` (too many, a part is away), 504 (took too long)."
)
FORM = "application/x-www-form-urlencoded"


def complete(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """The hook."""
    paths: dict[str, dict[str, Operation]] = result["paths"]
    for path, operations in OTHERS.items():
        paths.setdefault(path, {}).update(operations)
    result["paths"] = dict(sorted(paths.items()))
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            _complete(path, method, operation, operations)
    return result


def _complete(path: str, method: str, operation: Operation, beside: dict[str, Operation]) -> None:
    words = OPERATIONS.get(f"{method.upper()} {path}")
    if words:
        operation["description"] = words
    operation.setdefault("operationId", "_".join([method, *re.findall("[a-z]+", path)]))
    operation["tags"] = [path.strip("/").split("/")[0] or "start"]
    for parameter in operation.get("parameters", ()):
        _describe(path, parameter)
    body = BODIES.get(f"{method.upper()} {path}")
    if body is not None:
        operation["requestBody"] = body
    elif method == "post" and "get" in beside and "for a URL" in operation.get("description", ""):
        operation["requestBody"] = _form_of(beside["get"].get("parameters", ()), path)
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status, meaning in WRONG.items():
        if status == "404" and "{" not in path:
            continue
        operation["responses"].setdefault(status, {"description": meaning, "content": problem})
    # What any request may get: who is not signed in or may not, another method or body, too much, too many, a part away.
    operation["responses"].setdefault("default", {"description": OTHERWISE, "content": problem})
    for status, answer in operation["responses"].items():
        answer["description"] = answer.get("description") or {"204": "Done; no body."}.get(status, "The answer, as JSON.")


def _describe(path: str, parameter: dict[str, Any]) -> None:
    """A parameter's words: those for this path, else those of its name."""
    name = parameter["name"]
    if not parameter.get("description"):
        parameter["description"] = PARAMETERS.get(f"{path} {name}") or PARAMETERS.get(name, "")
    if name == "job" or name in ("a_job", "b_job", "iface"):
        parameter["schema"] = {"type": "array", "items": {"type": "integer"}}
        parameter["explode"] = True


def _form_of(parameters: Any, path: str) -> dict[str, Any]:
    properties = {}
    for one in parameters:
        if one["in"] == "query":
            _describe(path, one)
            properties[one["name"]] = {**one["schema"], "description": one["description"]}
    return {"content": {FORM: {"schema": {"type": "object", "properties": properties}}}}
