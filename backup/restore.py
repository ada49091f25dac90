"""A server of a backup: into an empty data folder and an empty database, after every part was looked at."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from backup import postgres
from backup.manifest import DATABASE, INDEX, SECRET, BackupError, Manifest, copy, verify
from indexing import store

Say = Callable[[str], None]


def check_empty(data: Path) -> None:
    """Raises BackupError where the data folder has something in it. Before anything was started on it.

    Empty folders and a key are made, in local mode, by whoever reads the settings."""
    files = (path for path in data.rglob("*") if not path.is_dir()) if data.exists() else iter(())
    found = next((path for path in files if path != data / SECRET), None)
    if found is not None:
        raise BackupError(f"data folder {data} is not empty ({found} is there): restore into a new one (--data DIR)")


def check_database() -> None:
    """Raises BackupError where the database has tables, or the cluster of Pilosa has indexes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        row = cursor.fetchone()
    if row and row[0]:
        raise BackupError(f"the database {settings.DATABASES['default']['NAME']} is not empty: it has {row[0]} tables")
    if not settings.INDEX_URL.startswith("embedded"):
        found = store.backend().indexes()
        if found:
            raise BackupError(f"the index {settings.INDEX_URL} is not empty: it has {', '.join(sorted(found))}")


def restore(source: Path, manifest: Manifest, say: Say) -> bool:
    """Puts everything back; whether the index is to be made again of the captures. Raises BackupError, OSError."""
    data = Path(settings.PICAPWEB_DATA)
    verify(source, manifest)
    say(f"{source}: {len(manifest.parts):,} parts are as they were backed up, {manifest.made}")
    check_database()
    embedded = settings.INDEX_URL.startswith("embedded")
    again = INDEX not in manifest.parts or not embedded
    if not again:
        _copy(source, manifest, INDEX, Path(settings.INDEX_DIR) / "data.mdb")
        say("index: copied")
    for name in manifest.captures():
        _copy(source, manifest, name, data / name)
    say(f"captures and locators: {sum(1 for _ in manifest.captures()):,} files copied")
    if SECRET in manifest.parts:
        (data / SECRET).unlink(missing_ok=True)  # a new one was made when the settings were read
        _copy(source, manifest, SECRET, data / SECRET)
        (data / SECRET).chmod(0o600)
    postgres.load(source / DATABASE)
    _nobody_is_at_work(Path(manifest.data), data)
    say(f"database: {manifest.facts['jobs']} jobs, {sum(manifest.facts['packets'].values()):,} packets")
    call_command("migrate", interactive=False, verbosity=0)
    return again


def _copy(source: Path, manifest: Manifest, name: str, target: Path) -> None:
    try:
        if copy(source / name, target) != manifest.parts[name]:
            raise BackupError(f"{source / name} changed while it was read")
    except OSError as error:
        raise BackupError(f"{name}: {error.strerror}: {error.filename}") from None


def _nobody_is_at_work(old: Path, data: Path) -> None:
    """Leases end, for their holders are elsewhere; paths that name the old data folder name the new one."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE indexing_batch SET lease_until = now() WHERE state = 'claimed'")
        cursor.execute("UPDATE capture_capturefile SET lease_until = now() WHERE scan_state = 'scanning'")
        cursor.execute("UPDATE capture_livecapture SET lease_until = now() WHERE lease_until > now()")
        cursor.execute("DELETE FROM capture_liveworker")
        cursor.execute(
            "UPDATE capture_capturefile SET source = %s || substr(source, %s) WHERE starts_with(source, %s)",
            [f"{data}/", len(f"{old}/") + 1, f"{old}/"],
        )


def clean_up(data: Path) -> None:
    """After a restore that failed: the folder was empty before."""
    for path in data.iterdir() if data.exists() else ():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
