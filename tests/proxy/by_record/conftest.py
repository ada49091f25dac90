from __future__ import annotations

from tests.proxy.api.conftest import client  # noqa: F401
