"""Making a backup, while the server runs and jobs are indexed.

One moment for all parts: in it no batch comes, changes or goes (imports in flight are waited for; others wait for three steps
that copy nothing): the index's snapshot is opened, then Postgres', then every stored file gets a second name, so that it is
there later whatever happens to the first. Then all goes on, and the three are copied from what was opened.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings

from backup import postgres
from backup.manifest import CAPTURES, DATABASE, INDEX, SECRET, BackupError, Manifest, copy, measure
from indexing import store
from indexing.checking_findings import settled

Say = Callable[[str], None]
_LINKS = "backup-"
# A file that this process is copying to, and what is not worth keeping: uploads that have no job yet.
_LEFT_OUT = ("incoming",)


def make(target: Path, say: Say) -> Manifest:
    """Backs up everything to a new folder. Raises BackupError, OSError; nothing is left of it then."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise BackupError(f"{target} is there already: a backup is made in a new or empty folder")
    if target.resolve().is_relative_to(Path(settings.PICAPWEB_DATA).resolve()):
        raise BackupError(f"{target} lies in the data folder itself")
    part = target.with_name(f"{target.name}.part")
    try:
        part.mkdir(parents=True, mode=0o700)
    except FileExistsError:
        raise BackupError(f"{part} is there: another backup to this place is being made, or was broken off; remove it") from None
    try:
        manifest = _make(part, say)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    if target.exists():
        target.rmdir()
    part.rename(target)
    return manifest


def _make(part: Path, say: Say) -> Manifest:
    with ExitStack() as after:
        with settled():
            copy_index = after.enter_context(_index())
            snapshot, session = after.enter_context(_database())
            links = after.enter_context(_linked())
        say("all parts are held as they are in this moment; the server goes on")
        manifest = _facts(session)
        postgres.dump(part / DATABASE, snapshot)
        manifest.parts[DATABASE] = measure(part / DATABASE)
        say(f"database: {manifest.parts[DATABASE][0]:,} bytes")
        if copy_index is not None:
            (part / INDEX).parent.mkdir(mode=0o700)
            copy_index((part / INDEX).parent)
            manifest.parts[INDEX] = measure(part / INDEX)
            say(f"index: {manifest.parts[INDEX][0]:,} bytes")
        else:
            for note in manifest.notes:
                say(note)
        for file in sorted(path for path in links.rglob("*") if path.is_file()):
            name = f"{CAPTURES}/{file.relative_to(links).as_posix()}"
            manifest.parts[name] = copy(file, part / name)
        size = sum(manifest.parts[name][0] for name in manifest.captures())
        say(f"captures and locators: {sum(1 for _ in manifest.captures()):,} files, {size:,} bytes")
        secret = Path(settings.PICAPWEB_DATA) / SECRET
        if secret.exists():
            manifest.parts[SECRET] = copy(secret, part / SECRET)
    manifest.write(part)
    return manifest


@contextmanager
def _index() -> Iterator[Callable[[Path], None] | None]:
    """The embedded store as it is now, to be copied later; None where the index is in Pilosa, which has nothing of the kind."""
    holding = getattr(store.backend(), "held_as_it_is", None)
    if holding is None:
        yield None
        return
    with holding() as copy_to:
        yield copy_to


@contextmanager
def _database() -> Iterator[tuple[str, psycopg.Connection]]:
    """Postgres as it is now: a name for pg_dump, good while the transaction is open, which reads the same."""
    with postgres.connect() as session:
        session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        row = session.execute("SELECT pg_export_snapshot()").fetchone()
        assert row is not None
        yield str(row[0]), session


@contextmanager
def _linked() -> Iterator[Path]:
    """A folder in which every stored file has a second name."""
    data, captures = Path(settings.PICAPWEB_DATA), Path(settings.CAPTURES_DIR)
    for left in data.glob(f"{_LINKS}*"):  # of a backup that was killed
        shutil.rmtree(left, ignore_errors=True)
    links = data / f"{_LINKS}{uuid.uuid4().hex}"
    links.mkdir(mode=0o700)
    try:
        for folder, folders, files in os.walk(captures):
            if Path(folder) == captures:
                folders[:] = [name for name in folders if name not in _LEFT_OUT]
                files = []  # locks of live workers
            there = links / Path(folder).relative_to(captures)
            there.mkdir(exist_ok=True, mode=0o700)
            for name in files:
                try:
                    os.link(Path(folder) / name, there / name)
                except FileNotFoundError:  # of something that no row names any more
                    continue
        yield links
    finally:
        shutil.rmtree(links, ignore_errors=True)


def _facts(session: psycopg.Connection) -> Manifest:
    def rows(query: str) -> list[Any]:
        return session.execute(query).fetchall()

    backend = store.backend()
    embedded = hasattr(backend, "held_as_it_is")
    facts = {
        "jobs": rows("SELECT count(*) FROM capture_job WHERE deleted IS NULL")[0][0],
        "batches": dict(rows("SELECT state, count(*) FROM indexing_batch GROUP BY state")),
        "packets": dict(
            rows(
                "SELECT i.name, sum(b.packets)::bigint FROM indexing_batch b JOIN indexing_packetindex i ON i.id = b.index_id"
                " WHERE b.state = 'visible' GROUP BY i.name"
            )
        ),
    }
    manifest = Manifest(
        made=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        backend=backend.name,
        data=str(settings.PICAPWEB_DATA),
        postgres=str(rows("SHOW server_version")[0][0]),
        index_format=backend.format if embedded else None,  # type: ignore[attr-defined]
        facts=facts,
    )
    if not embedded:
        manifest.notes.append(
            "the index is in Pilosa, which has no way to be copied while it serves: restore makes it again of the captures. "
            "What is in Pilosa alone is not in this backup: tags and other bits written by queries, indexes of clients"
        )
    return manifest
