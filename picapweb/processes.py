"""The process table of one machine: workers, the clock that rings them, and the web server. Postgres and Valkey: embedded/."""

from __future__ import annotations

import http.client
import signal
import sys

from picapweb.embedded.child import Service

APP = "picapweb.celery:app"
WEB_PROCESSES = 2
WEB_THREADS = 16


def worker(count: int, env: dict[str, str]) -> Service:
    """Celery's worker with a pool of `count` processes. Doorbells only, so no gossip and no events."""
    quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    argv = [sys.executable, "-m", "celery", "-A", APP, "worker", "-c", str(count), "-l", "WARNING", *quiet]
    return Service("worker", argv, env=env, stop_seconds=15)


def beat(env: dict[str, str]) -> Service:
    """Celery's clock. Its schedule is fixed, so it keeps nothing on disk that a kill could spoil."""
    argv = [sys.executable, "-m", "celery", "-A", APP, "beat", "-S", "celery.beat:Scheduler", "-l", "WARNING", "--pidfile="]
    return Service("beat", argv, env=env, stop_seconds=5)


def web(host: str, port: int, env: dict[str, str]) -> Service:
    """The web server: pages, API and proxy on one port, under WSGI."""
    argv = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port), "--no-ws"]
    argv += ["--workers", str(WEB_PROCESSES), "--blocking-threads", str(WEB_THREADS), "--respawn-failed-workers"]
    argv += ["--workers-kill-timeout", "5", "--log-level", "warning", "picapweb.wsgi:application"]
    return Service("web", argv, env=env, probe=lambda: answers(host, port), stop_signal=signal.SIGTERM, stop_seconds=15)


def answers(host: str, port: int) -> bool:
    """Whether /healthz answers there."""
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/healthz", headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
