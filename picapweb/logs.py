"""Lines of the log, as text or as JSON: each says what it belongs to (request, task, job, batch), and none can be forged.

What is logged holds values of strangers: host names of packets, file names of uploads, query texts. A line break in one of them
would begin a line of its own, an escape sequence would run in an operator's terminal. So control characters come out as they are
written in a Python string, and what goes on over several lines (a traceback) is set in.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

FORMATS = ("text", "json")
# In the order in which they are said.
WORDS = ("request", "task", "job", "batch")
# C0, DEL, C1, line separators, and what turns the direction of writing.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_bound: ContextVar[dict[str, Any] | None] = ContextVar("picapweb_logs", default=None)


def safe(text: str) -> str:
    """A text on one line, with nothing in it that a terminal or a reader of lines would take for more than text."""
    return _UNSAFE.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    return repr(found[0])[1:-1] if found[0] < "\x80" else f"\\u{ord(found[0]):04x}"


def bind(**words: Any) -> None:
    """From here on, lines of this thread (or task of Celery) say these words and none of earlier ones."""
    _bound.set(words)


@contextmanager
def bound(**words: Any) -> Iterator[None]:
    """Lines within say these words, besides those that are said already."""
    token = _bound.set({**(_bound.get() or {}), **words})
    try:
        yield
    finally:
        _bound.reset(token)


def belongs() -> dict[str, Any]:
    """What lines of this thread say now, in order."""
    words = _bound.get() or {}
    return {name: words[name] for name in WORDS if words.get(name) is not None}


class Text(logging.Formatter):
    """``WARNING capture.services.work: the words [job=7 batch=2]``; further lines, of a traceback, are set in."""

    def format(self, record: logging.LogRecord) -> str:
        words = " ".join(f"{name}={safe(str(value))}" for name, value in belongs().items())
        line = f"{record.levelname} {record.name}: {safe(record.getMessage())}{f' [{words}]' if words else ''}"
        return "\n".join([line, *(f"  | {safe(more)}" for more in _trace(record).split("\n") if more)])


class Json(logging.Formatter):
    """One object a line: time, level, logger, message, process, request, task, job, batch; and trace where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        said = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
            **belongs(),
            **getattr(record, "facts", {}),
        }
        trace = _trace(record)
        # ASCII only: every character that could be more than text is escaped.
        return json.dumps({**said, "trace": trace} if trace else said, default=str, ensure_ascii=True)


def _trace(record: logging.LogRecord) -> str:
    parts = []
    if record.exc_info and record.exc_info[0] is not None:
        parts.append("".join(traceback.format_exception(*record.exc_info)))
    if record.stack_info:
        parts.append(record.stack_info)
    return "\n".join(parts)


def of_child(name: str, line: str) -> str:
    """A line that a child process of `up` wrote, as `up` passes it on."""
    if os.environ.get("PICAPWEB_LOG_FORMAT") != "json":
        return f"{name}: {safe(line)}"
    if line.startswith("{"):
        try:
            return json.dumps({**json.loads(line), "service": name}, ensure_ascii=True)
        except (ValueError, TypeError):
            pass
    return _plain_words(name, line)


def of_up(line: str) -> None:
    """A line of `up` itself, to standard error."""
    as_json = os.environ.get("PICAPWEB_LOG_FORMAT") == "json" and not line.startswith("{")
    said = _plain_words("up", line.removeprefix("up: ")) if as_json else line
    # One call, its end included: every child's lines come from a thread of their own, and print would write twice
    sys.stderr.write(f"{said}\n")
    sys.stderr.flush()


def _plain_words(service: str, line: str) -> str:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({"time": now, "level": "INFO", "logger": service, "message": line, "service": service}, ensure_ascii=True)
