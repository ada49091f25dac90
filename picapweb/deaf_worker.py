"""A worker that hears nothing any more, though the broker answers and has messages for it: it ends, and is started anew.

Celery's transport can lose a consumer when a broker that hung for a while goes on (celery issue 8030 and its kin): the process
lives, its queue grows, and no error is ever raised. `up` and the compose file start a worker that ended.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from celery import Celery
from celery.worker import state

logger = logging.getLogger(__name__)

# Messages wait, nothing is at work, and nothing comes, for so long: a worker that hears takes a message within milliseconds.
DEAF_SECONDS = 20.0
LOOK_SECONDS = 2.0


class Watch(threading.Thread):
    """Looks every so often; calls `end` once it is sure. heard: to be called when a message comes."""

    def __init__(self, waiting: Callable[[], int], busy: Callable[[], bool], end: Callable[[], None]) -> None:
        """waiting: how many messages the broker has; it may raise, where the broker is away. busy: whether a task is at work."""
        super().__init__(name="deaf worker", daemon=True)
        self._waiting, self._busy, self._end = waiting, busy, end
        self._heard = time.monotonic()
        self._over = threading.Event()

    def heard(self) -> None:
        """A message came."""
        self._heard = time.monotonic()

    def stop(self) -> None:
        """The worker shuts down."""
        self._over.set()

    def run(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            if not self._is_idle_with_messages():
                self.heard()
            elif time.monotonic() - self._heard > DEAF_SECONDS:
                words = "no message came for %.0f s though the broker has some: this worker ends, to begin anew"
                logger.error(words, DEAF_SECONDS)
                self._end()
                return

    def _is_idle_with_messages(self) -> bool:
        try:
            return not self._busy() and self._waiting() > 0
        except Exception:  # whatever a transport raises: it is away, and the consumer waits for it itself
            return False


def watch(app: Celery, end: Callable[[], None]) -> Watch:
    """Begins to watch over the worker that this process is."""
    queue = app.conf.task_default_queue

    def waiting() -> int:
        with app.connection_for_read() as connection:
            channel = connection.default_channel
            return int(channel.queue_declare(queue=queue, passive=True).message_count)

    made = Watch(waiting, lambda: bool(state.active_requests), end)
    made.start()
    return made
