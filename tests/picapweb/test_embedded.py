"""Embedded Postgres and Valkey: private sockets, a stop by -9 survived, and never root inside."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import kombu
import psutil
import psycopg
import pytest
import redis

from picapweb.databases import database
from picapweb.embedded import postgres, privilege, valkey
from picapweb.embedded.child import launcher
from picapweb.embedded.data import DataFolder, DataFolderError, InUse
from picapweb.embedded.services import Embedded
from tests.server import left_on

NOBODY = 65534


@pytest.fixture
def folder():
    """A folder whose parents anyone may enter (pytest's own are 0700)."""
    made = Path(tempfile.mkdtemp(prefix="picapweb-embedded-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def test_both_serve_on_private_sockets_and_end_with_the_context(folder: Path):
    with Embedded(folder / "data", durable=False) as services:
        with psycopg.connect(services.database_url) as connection:
            row = connection.execute(
                "SELECT current_user, current_setting('listen_addresses'), current_setting('server_encoding')"
            ).fetchone()
        assert row == ("picapweb", "", "UTF8")
        assert redis.Redis(unix_socket_path=str(valkey.socket_path(services.data))).ping()
        for file in services.data.run.iterdir():
            assert not file.is_socket() or stat.S_IMODE(file.stat().st_mode) == 0o700
        assert stat.S_IMODE(services.data.run.stat().st_mode) == 0o700
    assert left_on(folder) == []
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755, "parents are not ours to change"


def test_committed_data_outlives_kill_9(folder: Path):
    services = Embedded(folder / "data", broker=False).start()
    with psycopg.connect(services.database_url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    postmaster = int((services.data.postgres / "postmaster.pid").read_text().split()[0])
    os.kill(services._children[0].pid, signal.SIGKILL)
    services._children[0].process.wait()
    # As if the machine had died: our own end clears nothing away, and the pid in the file is someone else's by now.
    stale = services.data.postgres / "postmaster.pid"
    stale.write_text(stale.read_text().replace(str(postmaster), str(os.getpid()), 1))
    services._children.clear()
    services.data.unlock()
    with Embedded(folder / "data", broker=False) as again, psycopg.connect(again.database_url) as connection:
        assert connection.execute("SELECT n FROM kept").fetchall() == [(7,)]


def test_an_interrupted_initdb_is_begun_again(folder: Path):
    (folder / "data" / "postgres.new").mkdir(parents=True)
    (folder / "data" / "postgres.new" / "PG_VERSION").write_text("18\n")
    with Embedded(folder / "data", broker=False, durable=False) as services:
        psycopg.connect(services.database_url).close()


def test_a_cluster_of_another_version_is_left_alone(folder: Path):
    data = DataFolder(folder / "data")
    data.create()
    (data.postgres / "PG_VERSION").write_text("12\n")
    with pytest.raises(postgres.PostgresError, match="was made by Postgres 12"):
        Embedded(folder / "data", broker=False).start()
    data.lock()  # nothing is left locked by the failure


def test_one_owner_at_a_time(folder: Path):
    first, second = DataFolder(folder / "data"), DataFolder(folder / "data")
    first.create()
    first.lock()
    with pytest.raises(InUse, match=f"is in use by process {os.getpid()}"):
        second.lock()
    first.unlock()
    second.lock()


def test_a_path_too_long_for_sockets_gets_them_elsewhere(folder: Path):
    path = folder / ("long" * 25)
    with Embedded(path, durable=False) as services:
        psycopg.connect(services.database_url).close()
        run = services.data.run
        assert services.data.run_is_elsewhere
        assert stat.S_IMODE(run.stat().st_mode) == 0o700
        assert len(str(run / ".s.PGSQL.5432")) < 108
    # A name in /tmp that others may have taken meanwhile is not used again.
    run.chmod(0o755)
    with Embedded(path, durable=False) as services:
        assert services.data.run != run
        shutil.rmtree(services.data.run, ignore_errors=True)
    shutil.rmtree(run)


@pytest.mark.parametrize(("name", "elsewhere"), [("per cent%41 and ü'", False), ("a,b", True), ('quote"', True)])
def test_odd_names_of_data_folders(folder: Path, name: str, elsewhere: bool):
    with Embedded(folder / name, durable=False) as services:
        entry = database("postgresql:", services.data)
        assert entry["HOST"] == str(services.data.run)
        assert services.data.run_is_elsewhere == elsewhere
        with psycopg.connect(services.database_url) as connection:
            assert connection.execute("SHOW data_directory").fetchone() == (str(folder / name / "postgres"),)
        with kombu.Connection(services.broker_url) as broker:
            broker.ensure_connection(max_retries=1, timeout=5)
        run = services.data.run
    if elsewhere:
        shutil.rmtree(run)


@pytest.mark.needs("root")
def test_root_runs_postgres_in_a_namespace_without_roots_power(folder: Path):
    if not privilege.namespaces_work():
        pytest.skip("this host refuses user namespaces")
    with Embedded(folder / "data", broker=False, durable=False) as services:
        pid = services._children[0].pid
        assert os.readlink(f"/proc/{pid}/ns/user") != os.readlink("/proc/self/ns/user")
        status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
        assert int(status["CapEff"], 16) == 0
        assert (folder / "data" / "postgres").stat().st_uid == 0


@pytest.mark.needs("root")
def test_where_namespaces_are_refused_an_unprivileged_user_gets_the_folder(folder: Path, monkeypatch: pytest.MonkeyPatch):
    if not _reachable_by_nobody(Path(postgres.binary("postgres"))):
        pytest.skip("this clone stands in a folder that other users may not enter")
    monkeypatch.setattr(privilege, "namespaces_work", lambda: False)
    for _ in range(2):  # the second time on what the first has left
        with Embedded(folder / "data", durable=False) as services:
            psycopg.connect(services.database_url).close()
            users = {psutil.Process(child.pid).uids().effective for child in services._children}
            assert users == {NOBODY}
            assert stat.S_IMODE(services.data.root.stat().st_mode) == 0o700
            assert services.data.postgres.stat().st_uid == NOBODY


@pytest.mark.needs("root")
def test_a_folder_that_the_unprivileged_user_cannot_reach_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(privilege, "namespaces_work", lambda: False)
    (folder / "closed").mkdir(mode=0o700)
    with pytest.raises(DataFolderError, match=r"Postgres does not run as root.*closed/data/postgres.*PICAPWEB_DATA"):
        Embedded(folder / "closed" / "data", broker=False).start()


def test_children_end_with_a_parent_that_is_killed(folder: Path):
    script = (
        "import sys, time; from pathlib import Path; from picapweb.embedded.services import Embedded\n"
        "services = Embedded(Path(sys.argv[1]), durable=False).start(); print('up', flush=True); time.sleep(600)"
    )
    root = Path(__file__).resolve().parents[2]
    parent = subprocess.Popen([sys.executable, "-c", script, str(folder / "data")], cwd=root, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"up\n"
    family = psutil.Process(parent.pid).children(recursive=True)
    assert len(family) >= 2
    parent.kill()
    parent.communicate()
    _, still = psutil.wait_procs(family, timeout=30)
    assert still == []


def test_what_cannot_be_started_says_so(folder: Path):
    done = subprocess.run(launcher(["/nonesuch"]), capture_output=True, text=True)
    assert done.returncode != 0
    assert "/nonesuch: cannot be started" in done.stderr


def _reachable_by_nobody(program: Path) -> bool:
    command = launcher([str(program), "--version"], mode=f"uid:{NOBODY}")
    return subprocess.run(command, capture_output=True).returncode == 0
