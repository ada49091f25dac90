"""What schemathesis asks of the API, in this process, through the whole WSGI application; and what it says of the answers."""

from __future__ import annotations

from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import Failure, FailureGroup

SCHEMA = "/api/schema/?format=json"
HEADERS = {"Host": "localhost"}
# Streams: a client of a test would sit in them for ever. And what says that no worker is there, which is so here.
LEFT_OUT = ("/events/", "/readyz")
# What is not asked of the answers, and why.
UNASKED = {
    # Which text is a right query, name of a field or BPF filter no schema says: a 400 in words is the answer to most texts.
    "positive_data_acceptance",
    # Of two operations, which are asked one by one here.
    "use_after_free",
    "ensure_resource_availability",
    # Local mode has no sign-in; tests/people has its matrix.
    "ignored_auth",
    "object_level_authorization",
}


def checks() -> list[Any]:
    """All of schemathesis' checks but those."""
    load_all_checks()
    names = CHECKS.get_all_names()
    assert set(names) >= UNASKED, "a check has another name now"
    return CHECKS.get_by_names([name for name in names if name not in UNASKED])


def complaints(application: Any, examples: int, number: int) -> list[str]:
    """What is wrong with the answers to so many requests for each operation, right ones and wrong ones."""
    schema = schemathesis.openapi.from_wsgi(SCHEMA, application, headers=HEADERS)
    asked = checks()
    out: list[str] = []
    for found in schema.get_all_operations():
        operation = found.ok()
        if any(part in operation.path for part in LEFT_OUT):
            continue
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            out += _of_operation(operation, mode, asked, examples, number)
    return out


def _of_operation(operation: Any, mode: GenerationMode, asked: list[Any], examples: int, number: int) -> list[str]:
    said: list[str] = []

    @seed(number)
    @settings(
        max_examples=examples, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(case=operation.as_strategy(mode))
    def ask(case: Any) -> None:
        response = case.call(headers=HEADERS)
        try:
            case.validate_response(response, checks=asked)
        except FailureGroup as group:
            said.extend(_words(case, one) for one in group.exceptions)

    try:
        ask()
    except Unsatisfiable:
        pass  # nothing can be wrong about a request that takes nothing
    except Exception as error:  # no request can be made of what is described
        said.append(f"{operation.label} ({mode.value}): {type(error).__name__}: {error}")
    return said


def _words(case: Any, failure: BaseException) -> str:
    title = getattr(failure, "title", type(failure).__name__) if isinstance(failure, Failure) else type(failure).__name__
    return f"{case.operation.label}: {title}: {str(failure)[:600]}\n    {case.as_curl_command()[:400]}"
