"""Postgres' own programs, pointed at our database. A password goes by the environment, where no list of processes shows it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import psycopg
from django.conf import settings

from backup.manifest import BackupError
from picapweb.embedded.postgres import binary


def connect() -> psycopg.Connection:
    """A connection of its own, beside Django's."""
    one = settings.DATABASES["default"]
    given = {"dbname": one["NAME"], "user": one["USER"], "password": one["PASSWORD"], "host": one["HOST"], "port": one["PORT"]}
    return psycopg.connect(**{name: value for name, value in given.items() if value}, connect_timeout=5)


def dump(target: Path, snapshot: str) -> None:
    """The database as a snapshot (of an open transaction) has it. Raises BackupError."""
    _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", f"--file={target}")


def load(source: Path) -> None:
    """All of it or nothing. Raises BackupError."""
    name = settings.DATABASES["default"]["NAME"]
    how = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
    _run("pg_restore", *how, f"--dbname={name}", str(source))


def _run(program: str, *arguments: str) -> None:
    one = settings.DATABASES["default"]
    said = {"PGDATABASE": one["NAME"], "PGUSER": one["USER"], "PGPASSWORD": one["PASSWORD"], "PGHOST": one["HOST"]}
    said |= {"PGPORT": one["PORT"]}
    environment = {**os.environ, **{name: str(value) for name, value in said.items() if value}}
    done = subprocess.run([binary(program), *arguments], env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise BackupError(f"{program}: " + (" / ".join(done.stderr.strip().splitlines()[-3:]) or f"exit code {done.returncode}"))
