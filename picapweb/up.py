"""Everything on one machine: which services there are, and in which order. ``manage.py up`` and ``picap`` stand on it."""

from __future__ import annotations

import http.client
import ipaddress
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import NoReturn

from capture.packets.registry import PROBLEMS
from indexing.backends import embedded_format
from picapweb import environment
from picapweb.embedded import postgres
from picapweb.embedded.child import CAPTURE, NotReady, Service, launcher
from picapweb.embedded.data import UMASK, DataFolder, DataFolderError
from picapweb.embedded.postgres import PostgresError
from picapweb.embedded.services import embedded_services
from picapweb.embedded.valkey import ValkeyError
from picapweb.supervisor import Supervisor, to_stderr

ROOT = Path(__file__).resolve().parent.parent
WEB_PROCESSES = 2
WEB_THREADS = 32
# Connections to Postgres that one web process keeps; with the workers' own this stays below its max_connections.
WEB_POOL = 16


class CannotStart(Exception):
    """It cannot start here; the text is for the user."""


class Interrupted(Exception):
    """SIGINT, SIGTERM or SIGHUP came."""


@dataclass(frozen=True)
class Options:
    """data: the data folder. port, bind: where the web listens. workers: how many batches are worked on at once.
    database, broker: whether the embedded one is used. env: settings for the children, over our own environment.
    pilosa: where Pilosa's own clients are served, in a fixed role (picapweb.pilosa_bind).
    """

    data: Path
    port: int = 11000
    bind: str = "127.0.0.1"
    workers: int = 1
    database: bool = True
    broker: bool = True
    env: Mapping[str, str] = field(default_factory=dict)
    pilosa: tuple[str, int] | None = None

    @property
    def url(self) -> str:
        """Where a browser on this machine finds it, without a closing slash."""
        name = "localhost" if self.bind in ("127.0.0.1", "0.0.0.0", "::1", "::", "localhost") else self.bind
        return f"http://{f'[{name}]' if ':' in name else name}:{self.port}"


class Up:
    """All services of one data folder, as a context manager: entered, everything serves; left, everything has ended.

    Raises CannotStart, with a sentence for the user, where that is impossible.
    """

    def __init__(self, options: Options, echo: Callable[[str], None] = to_stderr) -> None:
        self.options = options
        self.data = DataFolder(options.data)
        self.supervisor = Supervisor(self._plan(), echo)
        self._echo = echo

    def __enter__(self) -> Up:
        os.umask(UMASK)
        try:
            check_port(self.options.bind, self.options.port)
            if self.options.pilosa is not None:
                check_port(*self.options.pilosa)
            self.data.create()
            self.data.lock()
        except DataFolderError as error:
            raise CannotStart(str(error)) from error
        try:
            if (environment.raw("INDEX_URL") or "embedded:").startswith("embedded"):
                embedded_format.check_folder(self.data.root / "index")
            self._compile()
        except embedded_format.OtherFormat as error:
            self.data.unlock()
            raise CannotStart(str(error)) from error
        except BaseException:
            self.data.unlock()
            raise
        for problem in PROBLEMS:
            self._echo(f"up: {problem}")
        if self.data.run_is_elsewhere:
            self._echo(
                f"up: {self.data.root} is no path for unix sockets (too long, or a comma or quote in it); "
                f"they are in {self.data.run}"
            )
        try:
            self.supervisor.start()
        except (NotReady, DataFolderError, PostgresError, ValkeyError, OSError) as error:
            self.data.unlock()
            raise CannotStart(str(error)) from error
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.supervisor.stop()
        self.data.unlock()

    def _compile(self) -> None:
        """The dissector's loops, before there are workers; quick where that was done at set-up."""
        command = launcher([sys.executable, "-m", "capture.packets.fast.warm"])
        process = subprocess.Popen(
            command,
            env={**os.environ, **_env(self.options)},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        last = "?"
        try:
            assert process.stdout is not None
            for line in process.stdout:
                last = line.strip() or last
                self._echo(f"up: {last}")
        except BaseException:
            process.kill()
            raise
        finally:
            process.wait()
        if process.returncode != 0:
            raise CannotStart(f"the dissector's loops cannot be compiled: {last}")

    def _plan(self) -> Iterator[Service]:
        options, data = self.options, self.data
        for service in embedded_services(data, database=options.database, broker=options.broker):
            yield service
            if service.name == "postgres":
                postgres.create_database(data)
        self._migrate()
        yield worker_service(options)
        yield live_service(options)
        yield beat_service(options)
        yield web_service(options)
        if options.pilosa is not None:
            yield pilosa_service(options)

    def _migrate(self) -> None:
        # Django's checks import every page, and are what tests and lint are for
        options = ("--no-input", "--skip-checks", "--verbosity", "0")
        command = launcher([sys.executable, str(ROOT / "manage.py"), "migrate", *options])
        done = subprocess.run(
            command, env={**os.environ, **_env(self.options)}, cwd=ROOT, capture_output=True, text=True, start_new_session=True
        )
        if done.returncode != 0:
            raise CannotStart("the database cannot be migrated: " + (done.stderr.strip().splitlines() or ["?"])[-1])


def run(options: Options, then: Callable[[Up], int | None], *, echo: Callable[[str], None] = to_stderr) -> int:
    """Start everything, call ``then`` in this (the main) thread, end everything. The exit code: what ``then`` returns.

    SIGINT, SIGTERM and SIGHUP end ``then`` by raising Interrupted in it, and make the exit code 0; while children are being
    ended, a second one has those killed that have not ended. Raises CannotStart.
    """
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, _interrupt) for number in signals}
    try:
        try:
            with Up(options, echo) as up:
                try:
                    return then(up) or 0
                finally:
                    # Children are asked to end, and waited for; a second signal says that there is no time for that.
                    for number in signals:
                        signal.signal(number, lambda *_: up.supervisor.hurry())
        except Interrupted:
            _ignore(signals)
            return 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def wait_for_ever(up: Up) -> NoReturn:
    """A ``then`` that only a signal ends, or a fault of the supervisor itself: then nothing is left to wait for."""
    up.supervisor.wait()
    raise CannotStart("the supervisor has ended")


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    _ignore((signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    raise Interrupted


def _ignore(signals: tuple[signal.Signals, ...]) -> None:
    for number in signals:
        signal.signal(number, signal.SIG_IGN)


def check_port(bind: str, port: int) -> None:
    """Raises CannotStart where nothing can listen there: in use, not allowed, no such address."""
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind, port))
        except OSError as error:
            raise CannotStart(f"port {port} of {bind} cannot be used: {error.strerror}. Choose another with --port") from None


def check_bind(bind: str, *, local: bool) -> None:
    """Raises CannotStart for a bind address that is no address, or, in local mode, not one of this machine alone."""
    try:
        loopback = bind == "localhost" or ipaddress.ip_address(bind).is_loopback
    except ValueError:
        raise CannotStart(f"bind address {bind!r} is not an IP address") from None
    if local and not loopback:
        raise CannotStart(f"in local mode nobody signs in, so only loopback is served, not {bind}: set PICAPWEB_MODE=server")


def worker_service(options: Options) -> Service:
    """Celery's workers. SIGTERM lets them finish the step they are at; a lease that is lost comes back by itself."""
    return Service(
        name="worker",
        argv=[
            *(sys.executable, "-m", "celery", "--quiet", "-A", "picapweb.celery", "worker", "--pool", "prefork"),
            *("--concurrency", str(options.workers), "--hostname", "worker@%h", "--loglevel", "WARNING"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        ],
        env=_env(options),
        cwd=ROOT,
        stop_seconds=15,
    )


def live_service(options: Options) -> Service:
    """The live worker: of all children the only one that keeps the right to capture, or gets it from a Python of its own."""
    return Service(
        name="live",
        argv=[str(_capturing_python()), str(ROOT / "manage.py"), "live"],
        env=_env(options),
        mode=CAPTURE,
        cwd=ROOT,
        stop_seconds=12,
    )


def _capturing_python() -> Path:
    """The Python that script/allow-capture gave the right to capture, where this user may run it; else this one."""
    python = Path(sys.executable).with_name("python-capture")
    return python if os.access(python, os.X_OK) else Path(sys.executable)


def beat_service(options: Options) -> Service:
    """Celery's clock: rings the workers now and then."""
    return Service(
        name="beat",
        argv=[
            *(sys.executable, "-m", "celery", "--quiet", "-A", "picapweb.clock", "beat", "--loglevel", "WARNING"),
            *("--scheduler", "picapweb.clock:Clock", "--pidfile", ""),
        ],
        env=_env(options),
        cwd=ROOT,
        stop_seconds=5,
    )


def pilosa_service(options: Options) -> Service:
    """The same at the second place to listen: see picapweb.pilosa_bind."""
    assert options.pilosa is not None
    bind, port = options.pilosa
    service = web_service(replace(options, bind=bind, port=port))
    return replace(service, name="pilosa", env={**service.env, "PICAPWEB_PILOSA_ONLY": "true"})


def web_service(options: Options) -> Service:
    """granian: one port, processes with threads."""
    return Service(
        name="web",
        argv=[
            *(sys.executable, "-m", "granian", "picapweb.wsgi:application", "--interface", "wsgi", "--http", "1", "--no-ws"),
            *("--host", options.bind, "--port", str(options.port), "--workers", str(WEB_PROCESSES)),
            *("--blocking-threads", str(WEB_THREADS), "--respawn-failed-workers", "--respawn-interval", "0.5"),
            *("--workers-kill-timeout", "3", "--log-level", "error"),
        ],
        env={"PICAPWEB_DATABASE_POOL": str(WEB_POOL), **_env(options)},
        cwd=ROOT,
        probe=lambda: _serves(options.bind, options.port),
        stop_seconds=8,
    )


def _env(options: Options) -> dict[str, str]:
    return {
        "PICAPWEB_DATA": str(options.data),
        "PICAPWEB_PORT": str(options.port),
        "PICAPWEB_WORKERS": str(options.workers),
        "PICAPWEB_SUPERVISED": "true",
        "PYTHONUNBUFFERED": "1",
        **options.env,
    }


def _serves(bind: str, port: int) -> bool:
    """Whether /healthz answers, in any words: in server mode this Host may not be one that is served."""
    address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind, bind)
    connection = http.client.HTTPConnection(address, port, timeout=2)
    try:
        connection.request("GET", "/healthz", headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
