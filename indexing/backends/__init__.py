"""Backends: where bitmaps live. `open_backend` makes one from INDEX_URL; the contract is in base.py."""

from __future__ import annotations

from pathlib import Path

from indexing.backends.base import Backend

_FORMS = "INDEX_URL is 'embedded:' or 'pilosa://host:port,host:port'"


def open_backend(url: str, data: Path) -> Backend:
    """The backend that `url` names: `embedded:` (its files in the folder `data`) or `pilosa://host:port,host:port`.

    Nothing is opened or asked yet. Raises ValueError for anything else."""
    scheme, _, rest = url.partition(":")
    if scheme == "embedded":
        if rest:
            raise ValueError(f"{url!r}: {_FORMS}; the embedded store takes no address")
        from indexing.backends.embedded import EmbeddedBackend

        return EmbeddedBackend(data)
    if scheme == "pilosa":
        from indexing.backends.pilosa import PilosaBackend

        return PilosaBackend(_hosts(url, rest))
    raise ValueError(f"{url!r}: {_FORMS}")


def _hosts(url: str, rest: str) -> list[tuple[str, int]]:
    """[(host, port)] of //host:port,host:port; the port is 10101 unless said."""
    if not rest.startswith("//"):
        raise ValueError(f"{url!r}: {_FORMS}")
    hosts: list[tuple[str, int]] = []
    for part in rest[2:].rstrip("/").split(","):
        host, colon, port = part.strip().rpartition(":")
        if not colon:
            host, port = part.strip(), "10101"
        if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536 or set(host) & set("/@?# "):
            raise ValueError(f"{url!r}: {part!r} is not host:port; {_FORMS}")
        hosts.append((host.strip("[]"), int(port)))
    return hosts
