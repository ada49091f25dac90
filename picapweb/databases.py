"""DATABASE_URL -> Django's DATABASES entry."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from picapweb.embedded import postgres
from picapweb.embedded.data import DataFolder
from picapweb.environment import BadSetting

CONNECT_SECONDS = 3
SILENT_SECONDS = 15
POOL_WAIT_SECONDS = 5


def database(url: str, data: DataFolder, *, pool: int = 0) -> dict[str, Any]:
    """The entry for ``postgresql://user:password@host:port/name?option=...``; a bare ``postgresql:`` means the embedded one.

    pool: the most connections that this process keeps in a pool (for a web process' threads); 0: one per thread, kept.
    Query options go to libpq as they are (``host`` may be a folder of unix sockets). Raises BadSetting.
    """
    parts = urlsplit(postgres.url(data) if url == "postgresql:" else url)
    options: dict[str, Any] = dict(parse_qsl(parts.query, keep_blank_values=True))
    try:
        port = parts.port
    except ValueError:
        raise BadSetting("DATABASE_URL has a port that is not a number") from None
    name = unquote(parts.path.removeprefix("/"))
    if not name:
        raise BadSetting("DATABASE_URL names no database: postgresql://user:password@host:port/NAME")
    entry = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", unquote(parts.hostname or "")),
        "PORT": options.pop("port", str(port or "")),
    }
    options.setdefault("connect_timeout", CONNECT_SECONDS)
    # Over TCP: a server that has vanished is noticed, instead of waited for (unix sockets ignore it).
    options.setdefault("tcp_user_timeout", 1000 * SILENT_SECONDS)
    if pool:
        options["pool"] = {"min_size": 0, "max_size": pool, "timeout": POOL_WAIT_SECONDS, "max_idle": 300}
        # A connection that Postgres closed meanwhile (it was restarted) is found out when it is taken from the pool.
        return {**entry, "OPTIONS": options, "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True}
    return {**entry, "OPTIONS": options, "CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}
