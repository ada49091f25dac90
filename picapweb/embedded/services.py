"""Embedded Postgres and Valkey together, for a test session or a command: no restarts, just there until the end.

with Embedded(Path("var")) as services:
    services.database_url, services.broker_url
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from picapweb.embedded import postgres, privilege, valkey
from picapweb.embedded.child import Child, Service
from picapweb.embedded.data import DataFolder

READY_SECONDS = 60.0


class Embedded:
    """Postgres and Valkey on one data folder, which it locks. Start it with ``start`` or as a context manager.

    durable=False is for data that ends with the session: no fsync.
    Raises InUse, DataFolderError, PostgresError, ValkeyError or NotReady, each of them with a sentence for the user.
    """

    def __init__(self, data: Path, *, database: bool = True, broker: bool = True, durable: bool = True) -> None:
        self.data = DataFolder(data)
        self._wanted = (database, broker)
        self._durable = durable
        self._children: list[Child] = []

    @property
    def database_url(self) -> str:
        return postgres.url(self.data)

    @property
    def broker_url(self) -> str:
        return valkey.url(self.data)

    def start(self) -> Self:
        with ExitStack() as undo:
            self.data.create()
            self.data.lock()
            undo.callback(self.stop)
            database, broker = self._wanted
            for service in embedded_services(self.data, database=database, broker=broker, durable=self._durable):
                self._start(service)
            if database:
                postgres.create_database(self.data)
            undo.pop_all()
        return self

    def _start(self, service: Service) -> None:
        child = Child(service)
        self._children.append(child)
        child.wait_ready(READY_SECONDS)

    def stop(self) -> None:
        for child in reversed(self._children):
            child.stop()
        self._children.clear()
        self.data.unlock()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.stop()


def embedded_services(
    data: DataFolder, *, database: bool = True, broker: bool = True, durable: bool = True, mode: str | None = None
) -> list[Service]:
    """Rows of the process table for what is embedded, the cluster made where there is none. ``data`` must be locked."""
    mode = mode or privilege.choose(data)
    rows = []
    if database:
        postgres.prepare(data, mode, durable=durable)
        rows.append(postgres.service(data, mode, durable=durable))
    if broker:
        rows.append(valkey.service(data, mode))
    return rows
