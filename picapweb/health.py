"""/healthz: this process answers. /readyz: every part does, each named, each asked for a bounded time."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

CHECK_SECONDS = 2.0
# Threads of their own, so that a check that hangs (a backend that never answers) does not hold the answer up.
_checks = ThreadPoolExecutor(max_workers=8, thread_name_prefix="readyz")


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when every part answers, else 503: ``{"ready": bool, "parts": {name: {"ok", "detail", "seconds"}}}``."""
    parts = check_parts()
    ready = all(part["ok"] for part in parts.values())
    return JsonResponse({"ready": ready, "parts": parts}, status=200 if ready else 503)


def check_parts() -> dict[str, dict[str, object]]:
    """Ask every part at once, at most CHECK_SECONDS for all of them together."""
    began = time.monotonic()
    running = {name: _checks.submit(_timed, check) for name, check in PARTS.items()}
    answers: dict[str, dict[str, object]] = {}
    for name, future in running.items():
        try:
            answers[name] = future.result(max(0.0, began + CHECK_SECONDS - time.monotonic()))
        except Late:
            answers[name] = {"ok": False, "detail": f"no answer within {CHECK_SECONDS:.0f} s", "seconds": CHECK_SECONDS}
    return answers


def _timed(check: Callable[[], str]) -> dict[str, object]:
    began = time.monotonic()
    try:
        ok, detail = True, check()
    except Exception as error:  # whatever a part fails with is what there is to say about it
        ok, detail = False, " ".join(str(error).split()) or type(error).__name__
    return {"ok": ok, "detail": detail, "seconds": round(time.monotonic() - began, 4)}


def _postgres() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return "answers"
    finally:
        connection.close()


def _broker() -> str:
    from picapweb.celery import app

    with app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, timeout=1)
    return "answers"


def _workers() -> str:
    from picapweb.celery import app

    answers = app.control.inspect(timeout=1.0, limit=1).ping()
    if not answers:
        raise RuntimeError("no worker answers")
    return f"{next(iter(answers))} answers"


def _index() -> str:
    from indexing.store import backend

    status = backend().status()
    if status["state"] != "NORMAL":
        raise RuntimeError(f"{status['name']}: {status['state']} {status.get('detail', '')}".strip())
    return f"{status['name']}: {status['state']}"


PARTS: dict[str, Callable[[], str]] = {"postgres": _postgres, "broker": _broker, "index": _index, "workers": _workers}
