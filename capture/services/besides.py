"""What apps above this one have to do where batches become visible: a worker comes to it between two pieces of work, however busy
it is. They say so by name, when they are set up: jobs know nothing of them.
"""

from __future__ import annotations

import logging
import time

from django.db import InterfaceError, OperationalError, connection
from django.utils.module_loading import import_string

# Functions without arguments, by their dotted names: what they need is imported by who works. Each is quick if there is nothing.
NAMES: list[str] = []
SECONDS = 0.25
_done = 0.0

logger = logging.getLogger(__name__)


def do(rest: float = SECONDS) -> None:
    """Does it, unless that was done in the last `rest` seconds. A failure is logged: the work goes on."""
    global _done
    if time.monotonic() - _done < rest:
        return
    for name in NAMES:
        try:
            import_string(name)()
        except (OperationalError, InterfaceError):
            connection.close()
            raise
        except Exception:
            logger.exception("%s", name)
    _done = time.monotonic()
