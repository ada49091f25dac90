"""The database for a command: the one that serves, or the embedded one started for the length of the command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management.base import CommandError
from django.db import connection

from indexing import store
from picapweb.embedded.child import NotReady
from picapweb.embedded.data import DataFolderError, InUse
from picapweb.embedded.postgres import PostgresError
from picapweb.embedded.services import Embedded


@contextmanager
def database() -> Iterator[bool]:
    """Whether it was started here: then nobody else uses the data folder. Raises CommandError."""
    embedded = Embedded(settings.PICAPWEB_DATA, broker=False) if settings.EMBEDDED_DATABASE else None
    if embedded is not None:
        try:
            embedded.start()
        except InUse:
            embedded = None  # `up` runs on it: its database is asked
        except (DataFolderError, PostgresError, NotReady) as error:
            raise CommandError(str(error)) from error
    try:
        yield embedded is not None
    finally:
        store.close()
        connection.close()
        if embedded is not None:
            embedded.stop()
