"""The engine of client indexes that goes with this process's backend."""

from __future__ import annotations

from typing import Any

from indexing import store
from indexing.client.contract import ClientEngine


def engine() -> ClientEngine:
    """Opened with the backend, when first asked for. Raises BackendAway."""
    backend: Any = store.backend()
    clients: ClientEngine = backend.clients
    return clients
