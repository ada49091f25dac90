"""What every test may use: a real Postgres and Valkey of this session's own, the shared captures, and ``needs``.

Django's settings are read here and not by pytest-django's option (which reads them before any conftest), so that they see a
temporary data folder: several sessions run on one machine at once. Postgres starts when the first test asks for a database.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.components import COMPONENTS, SHARED, is_here
from tests.in_memory import base_folder

# Before anything of ours is imported: tests must not look at the developer's own data folder, nor at their settings.
_folder = Path(tempfile.mkdtemp(prefix="picapweb-tests-"))
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
# Whether compiled loops check each index is no setting of the product, and a run of all tests with it is worth its while.
for _name in [name for name in os.environ if name.startswith("PICAPWEB_") and name != "PICAPWEB_BOUNDS_CHECK"]:
    del os.environ[_name]
for _name in ("DATABASE_URL", "BROKER_URL", "INDEX_URL", "DEBUG", "SECRET_KEY"):
    os.environ.pop(_name, None)
os.environ["PICAPWEB_DATA"] = str(_folder / "data")
os.environ["DJANGO_SETTINGS_MODULE"] = "picapweb.settings"

# How long one made input may take is no question of a test: a machine that does something else for 0.2 s is not our failure.
settings.register_profile("picapweb", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("picapweb")

pytest_plugins = ["tests.job_fixtures", "tests.pilosa", "tests.product_servers"]
_not_run: Counter[str] = Counter()
_failed: list[str] = []
_in_memory = pytest.StashKey[Path]()
SKIPPED_FOR = "needs "
# No program that could be installed: where it is not, its tests cannot run, in CI neither.
THE_CAPTURES = "../shared"


def needs(*components: str) -> None:
    """Skip the running test (call it in a test or fixture) where one of ``components`` is missing; with CI=true, fail it.

    The names are those of tests/components.py. As a marker: ``@pytest.mark.needs("Chromium")``.
    """
    missing = [component for component in components if not is_here(component)]
    if not missing:
        return
    words = SKIPPED_FOR + " and ".join(missing)
    if os.environ.get("CI") == "true" and missing != [THE_CAPTURES]:
        pytest.fail(f"{words}, and CI=true wants every component", pytrace=False)
    pytest.skip(words)


def pytest_configure(config: pytest.Config) -> None:
    # Reading one setting configures Django; pytest-django (its hook runs last) then sets it up.
    from django.conf import settings

    assert settings.DATABASES


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Before anybody asks for a temporary folder. Processes of pytest-xdist are given theirs, below that of the first."""
    if config.option.basetemp is None and (folder := base_folder()):
        config.option.basetemp = str(folder)
        config.stash[_in_memory] = folder


def pytest_unconfigure(config: pytest.Config) -> None:
    """All servers have ended. What a failed test left may be looked at, until the next session."""
    if (folder := config.stash.get(_in_memory, None)) and not _failed:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Processes that run tests for this one (pytest-xdist) are each a session with a folder of its own, and must not find the
    settings' name in their environment: pytest-django would read them there before this file is imported."""
    del os.environ["DJANGO_SETTINGS_MODULE"], os.environ["PICAPWEB_DATA"]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """For `--dist loadfile`."""
    if config.getoption("dist") != "loadfile":
        return None
    from tests.longest_first import LongestFirst

    return LongestFirst(config, log)


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        needs(*marker.args)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.failed:
        _failed.append(report.nodeid)
    if report.skipped and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if reason.startswith(SKIPPED_FOR):
            _not_run.update(reason.removeprefix(SKIPPED_FOR).split(" and "))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for component, number in sorted(_not_run.items()):
        terminalreporter.write_line(f"not run: {number} test{'s' if number != 1 else ''} need {component}", yellow=True)


@pytest.fixture(scope="session")
def embedded_postgres() -> Iterator[str]:
    """The session's own Postgres, as a database URL. Tests of Django's models take pytest-django's ``db``."""
    from picapweb.embedded.services import Embedded

    with Embedded(_folder / "data", broker=False, durable=False) as services:
        yield services.database_url


@pytest.fixture(scope="session")
def django_db_modify_db_settings(embedded_postgres: str) -> None:
    """Postgres serves before pytest-django makes the test database in it; its address is the data folder's."""


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """pytest-django's, with a quicker way to empty the database."""
    from django.test import TransactionTestCase

    from tests.emptying import empty

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty)
        yield


@pytest.fixture(scope="session")
def broker() -> Iterator[str]:
    """A real Valkey of this session's own, as a broker URL; Celery's application is pointed at it meanwhile."""
    from picapweb.celery import app
    from picapweb.embedded.services import Embedded

    before = app.conf.broker_url
    with Embedded(Path(tempfile.mkdtemp(dir=_folder)), database=False, durable=False) as services:
        app.conf.broker_url = services.broker_url
        app._after_fork()  # type: ignore[attr-defined]  # forgets the pools that know the old address
        yield services.broker_url
        app.conf.broker_url = before
        app._after_fork()  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def shared() -> Path:
    """../shared: real captures and their truth, Pilosa's recorded answers. Tests that need it are skipped without it."""
    needs("../shared")
    return SHARED


__all__ = ["COMPONENTS", "needs"]
