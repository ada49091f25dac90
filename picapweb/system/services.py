"""What runs beside us: Postgres, the broker, workers. Each function says how one of them does, or raises what is wrong."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from kombu.exceptions import ChannelError

from picapweb.celery import app

LISTED_TABLES = 8
# A call to all workers is waited for so long: who has not answered by then is taken to be away. Where nobody has, once more.
CALL_SECONDS, AGAIN_SECONDS = 0.6, 1.0
# How many workers there are is not known to the caller. Where it was seen a moment ago, as many answers are enough.
_FULL_SECONDS = 30.0
_full = -_FULL_SECONDS
# Workers that were there, by name: when this process saw them last. One that went is told of for so long.
_seen: dict[str, datetime] = {}
_TOLD_SECONDS = 3600.0
_alive: set[str] = set()


def postgres() -> dict[str, Any]:
    """Version, connections, and how large the database and its largest tables are."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 1400")
        try:
            cursor.execute(
                "SELECT current_setting('server_version'), pg_database_size(current_database()),"
                " current_setting('max_connections')::int,"
                " (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')"
            )
            version, size, most, used = cursor.fetchone() or ("", 0, 0, 0)
            cursor.execute(
                "SELECT relname, pg_total_relation_size(oid), GREATEST(reltuples, 0)::bigint FROM pg_class"
                " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 2 DESC LIMIT %s",
                [LISTED_TABLES],
            )
            tables = [{"name": name, "size": bytes_, "rows_about": rows} for name, bytes_, rows in cursor.fetchall()]
        finally:
            with suppress(Exception):
                cursor.execute("RESET statement_timeout")
    return {
        "detail": f"Postgres {version.split()[0]}, {used} of {most} connections in use",
        "version": version,
        "size": size,
        "connections": used,
        "max_connections": most,
        "tables": tables,
    }


def broker() -> dict[str, Any]:
    """Whether it answers, and how many messages wait for workers: doorbells only, the work itself stands in Postgres."""
    with app.connection_for_write() as link:
        link.ensure_connection(max_retries=1, timeout=1)
        queue = app.conf.task_default_queue
        try:
            waiting = link.default_channel.queue_declare(queue=queue, passive=True).message_count
        except ChannelError:
            waiting = 0  # a queue that is empty is not there
        scheme = link.transport_cls or ""
        return {
            "detail": f"answers, {waiting} message{'' if waiting == 1 else 's'} in the queue",
            "transport": scheme if isinstance(scheme, str) else scheme.__name__,
            "queue": queue,
            "waiting": waiting,
        }


def workers() -> dict[str, Any]:
    """Celery's workers that answer, with their processes, and those that have been here lately and do not."""
    answers = _call()
    now = datetime.now(UTC)
    _seen.update(dict.fromkeys(answers, now))
    for name in [name for name, when in _seen.items() if (now - when).total_seconds() > _TOLD_SECONDS]:
        del _seen[name]
    there = [_worker(name, said) for name, said in sorted(answers.items())]
    gone = [
        {"name": name, "alive": False, "last_seen": when.isoformat().replace("+00:00", "Z"), "processes": 0}
        for name, when in sorted(_seen.items())
        if name not in answers
    ]
    processes = sum(one["processes"] for one in there)
    if not there:
        return {"ok": False, "detail": "no worker answers: jobs wait until one does", "workers": gone}
    words = f"{len(there)} worker{'' if len(there) == 1 else 's'} with {processes} process{'' if processes == 1 else 'es'}"
    return {"detail": words, "workers": there + gone}


def _call() -> dict[str, Any]:
    global _full
    began = time.monotonic()
    if _alive and began - _full < _FULL_SECONDS:
        answers = app.control.inspect(timeout=CALL_SECONDS, limit=len(_alive)).stats() or {}
        if set(answers) == _alive:
            return answers
    answers = app.control.inspect(timeout=CALL_SECONDS).stats() or {}
    if not answers:
        answers = app.control.inspect(timeout=AGAIN_SECONDS, limit=1).stats() or {}
    _full = began
    _alive.clear()
    _alive.update(answers)
    return answers


def _worker(name: str, said: dict[str, Any]) -> dict[str, Any]:
    pool = said.get("pool") or {}
    return {
        "name": name,
        "alive": True,
        "last_seen": datetime.fromtimestamp(time.time(), UTC).isoformat().replace("+00:00", "Z"),
        "processes": len(pool.get("processes") or ()) or 1,
        "pid": said.get("pid"),
        "uptime_seconds": said.get("uptime"),
    }
