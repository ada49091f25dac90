"""An export on its way: pieces of bytes that are counted; only so many at once in a process."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

from django.db import connection

from capture.services.errors import Refused
from proxy.export.errors import ExportBroken

# A stream holds a thread of the web server for as long as its client takes: others must have some left.
MOST_AT_ONCE = 12
_room = threading.BoundedSemaphore(MOST_AT_ONCE)

logger = logging.getLogger(__name__)


class Stream:
    """Iterates over an export's pieces. size: bytes that they must have together, None if that is not known.

    Raises Refused (503) where too many are under way. close() it, also if it was never begun."""

    def __init__(self, pieces: Iterator[bytes], size: int | None) -> None:
        self._pieces, self._size, self._sent, self._closed = pieces, size, 0, True
        self._room = _room
        if not self._room.acquire(blocking=False):
            raise Refused(f"{MOST_AT_ONCE} exports are under way: try again when one has ended", 503)
        self._closed = False

    def __del__(self) -> None:
        self.close()  # of an answer that an error after the view took the place of

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> bytes:
        """The next piece. Raises ExportBroken: who sends it must break off."""
        try:
            piece = next(self._pieces)
        except StopIteration:
            if self._size is not None and self._sent != self._size:
                raise ExportBroken(f"{self._sent} bytes were written, and {self._size} were announced") from None
            raise
        except ExportBroken as error:
            logger.warning("an export broke off after %d bytes: %s", self._sent, error)
            raise
        self._sent += len(piece)
        # The client may take the piece slowly, and others need the connection.
        connection.close()
        return piece

    def close(self) -> None:
        """Ends it, wherever it stands."""
        if not self._closed:
            self._closed = True
            self._room.release()
            close = getattr(self._pieces, "close", None)
            if close is not None:
                close()
