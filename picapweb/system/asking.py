"""Parts are asked all at once, for a bounded time: one that is away or never answers is said to be so, the others are shown.

A part that still has not answered is not asked a second time meanwhile: whoever asks next waits for the same answer. So a part
that hangs holds one thread, however often the page is looked at.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from typing import Any

from django.db import connection

PART_SECONDS = 2.0
Facts = dict[str, Any]
# What asks a part: gives {"ok", "detail", ...}, or raises what is wrong with it.
Asks = Callable[[], Facts]

_lock = threading.Lock()
_running: dict[Asks, Future[Facts]] = {}
_threads = ThreadPoolExecutor(max_workers=16, thread_name_prefix="system")


def ask_all(parts: Mapping[str, Asks], seconds: float = PART_SECONDS) -> dict[str, Facts]:
    """What each part says: {"ok", "detail", "seconds", ...}. Takes at most `seconds`, for all of them together."""
    began = time.monotonic()
    running = {name: _begin(asks) for name, asks in parts.items()}
    said: dict[str, Facts] = {}
    for name, future in running.items():
        try:
            said[name] = future.result(max(0.0, began + seconds - time.monotonic()))
        except Late:
            said[name] = {"ok": False, "detail": f"no answer within {seconds:g} s", "seconds": seconds}
    return said


def _begin(asks: Asks) -> Future[Facts]:
    with _lock:
        running = _running.get(asks)
        if running is None or running.done():
            running = _running[asks] = _threads.submit(_timed, asks)
        return running


def _timed(asks: Asks) -> Facts:
    began = time.monotonic()
    try:
        said = {"ok": True, "detail": "", **asks()}
    except Exception as error:  # whatever a part fails with is what there is to say about it
        said = {"ok": False, "detail": " ".join(str(error).split()) or type(error).__name__}
    finally:
        connection.close()  # this thread's: the next look may come much later
    return {**said, "seconds": round(time.monotonic() - began, 4)}
