"""The doorbell. What there is to do stands in Postgres; a message only wakes a worker, and a lost one costs nothing."""

from __future__ import annotations

import logging

from django.db import transaction

logger = logging.getLogger(__name__)


def ring(times: int = 1) -> None:
    """Wakes workers, after the caller's transaction. A broker that is away is logged, not raised: the periodic ring follows."""
    transaction.on_commit(lambda: _send(times))


def _send(times: int) -> None:
    from capture.tasks import ring as task

    try:
        for _ in range(times):
            task.apply_async(retry=False, expires=60)
    except Exception as error:
        logger.warning("the broker is away, the job waits for the periodic ring: %s", error)
