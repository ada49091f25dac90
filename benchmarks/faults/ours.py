"""The index seen from within: this process reads tables and store as `manage.py` does, and lets go of them again."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


def set_up(data: Path, settings: Mapping[str, str]) -> None:
    """Django, for this data folder. Before anything of ours that needs it is imported."""
    for name in [name for name in os.environ if name.startswith("PICAPWEB_")]:
        del os.environ[name]
    for name in ("DATABASE_URL", "BROKER_URL", "INDEX_URL"):
        os.environ.pop(name, None)
    os.environ.update({**settings, "PICAPWEB_DATA": str(data), "DJANGO_SETTINGS_MODULE": "picapweb.settings"})
    import django

    django.setup()


@contextmanager
def reading() -> Iterator[None]:
    """Nothing stays open behind it: what is to be killed and started again must not find that somebody else is there."""
    from django.db import connection

    from indexing import store, translation

    connection.close()
    translation.clear_cache()
    try:
        yield
    finally:
        connection.close()
        store.close()


def digests(job: int) -> dict[str, str]:
    """See indexing.checking_digest."""
    from indexing import checking_digest

    return checking_digest.digests("net", job)


def findings() -> list[str]:
    """What `manage.py check_index` finds, in lines."""
    from capture.services import checking

    return [str(finding) for finding in checking.check_all()]
