"""The live worker: one process of a host that captures for all live jobs, each with a recorder, and writes down how far they are.

What captures are threads of the recorders. This loop only talks to Postgres; while that is away, capturing goes on.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from capture.packets.errors import InterfaceError as CannotList
from capture.packets.interfaces import Interface, Tried, list_interfaces
from capture.packets.live.recorder import Recorder, RecorderOrder
from capture.packets.values import bytes_of
from capture.services import live, live_files, live_workers, own_traffic
from capture.services.live import CaptureLost, Taken

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.2
# The list of interfaces is made anew so often even if nobody asks.
LIST_SECONDS = 10.0
# What a try of an interface has found is believed so long.
TRIED_SECONDS = 60.0
# How long the end of this process waits for its recorders to write what they have.
LAST_SECONDS = 8.0
NS = 1_000_000_000


class Capture:
    """A live job that this process captures for."""

    def __init__(self, taken: Taken, known: list[Interface]) -> None:
        self.taken = taken
        job, options = taken.job, taken.job.options
        folder = live_files.folder(job)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        names = taken.interfaces
        filters = own_traffic.per_interface(names, job.filter, bool(options.get("own_traffic")), known)
        self.recorder = Recorder(
            RecorderOrder(
                interfaces=tuple(bytes_of(name) for name in names),
                folder=folder,
                snaplen=int(options["snaplen"]),
                promisc=bool(options["promisc"]),
                timeout=float(options["timeout"]),
                buffer_bytes=int(options["buffer_bytes"]),
                filters={bytes_of(name): filters[name] for name in names},
                file_bytes=int(options["ring_bytes"]) or settings.LIVE_FILE_BYTES,
                max_packets=int(options["max_packets"]),
                max_bytes=int(options["max_bytes"]),
                max_seconds=float(options["max_seconds"]),
                min_free_bytes=settings.MIN_FREE_BYTES,
                first_sequence=taken.sequence,
                packets_before=taken.packets,
                bytes_before=taken.bytes,
                seconds_before=taken.seconds,
                gone_seconds=settings.LIVE_GONE_SECONDS,
            )
        )
        self.began = time.monotonic()
        self.leaving = False  # this process ends: the job goes on later
        self._counted = 0.0
        # (when, packets captured by then): from it the age of the oldest packet that is not in the index yet.
        self._history: deque[tuple[float, int]] = deque([(self.began, taken.packets)])
        self._accounted = self._indexed = 0
        self._last: tuple[float, int, int, int, int] | None = None
        self.recorder.start()

    def sync(self) -> bool:
        """Writes down how far it is. False when it has ended, and all of that is written. Raises OperationalError."""
        ended = self.recorder.ended
        snapshot = self.recorder.snapshot()
        captured = self.taken.packets + sum(one.captured for one in snapshot.interfaces)
        now = time.monotonic()
        self._history.append((now, captured))
        try:
            if ended is not None:
                stopped_by_us = self.leaving and ended.kind == "stopped"
                live.end(self.taken, snapshot, None if stopped_by_us else ended, self._tick(now, snapshot, captured))
                return False
            tick = self._tick(now, snapshot, captured) if now - self._counted >= 1.0 else None
            written = live.write(self.taken, snapshot, tick)
        except CaptureLost as lost:
            logger.info("%s", lost)
            self.recorder.stop()
            return not self.recorder.join(LAST_SECONDS)
        if tick is not None:
            self._counted = now
        self._accounted, self._indexed = written.accounted, written.indexed
        closed = [one.sequence for one in snapshot.files if not one.open]
        if closed:
            self.recorder.forget(max(closed))
        if not written.wanted:
            self.recorder.stop()
        return True

    def _tick(self, now: float, snapshot: Any, captured: int) -> dict[str, Any]:
        """What the row shows every second. Nobody knows when a packet came that is of before this process: it has no age."""
        size = sum(one.bytes_captured for one in snapshot.interfaces)
        dropped = sum(one.dropped_kernel + one.dropped_interface for one in snapshot.interfaces)
        before = self._last or (self.began, self.taken.packets, 0, 0, self._indexed)
        self._last = (now, captured, size, dropped, self._indexed)
        seconds = max(now - before[0], 1e-3)
        rates = [round((a - b) / seconds, 1) for a, b in zip(self._last[1:], before[1:], strict=True)]
        while len(self._history) > 1 and self._history[1][1] <= self._accounted:
            self._history.popleft()
        lag = max(captured - self._accounted, 0)
        return {
            "seconds": self.taken.seconds + now - self.began,
            "lag_packets": lag,
            "lag_seconds": round(now - self._history[0][0], 3) if lag else 0.0,
            "rate": [int(time.time()), *rates],
        }


class LiveProcess:
    """The loop of the live worker. `run` returns when `stop` was called, with everything written."""

    def __init__(self) -> None:
        self.captures: dict[int, Capture] = {}
        self.known: list[Interface] = []
        self._looked = 0.0  # time.monotonic() when the look that found them began
        self._stopping = threading.Event()
        self._list_wanted = threading.Event()
        self._list_ready = threading.Event()

    def stop(self) -> None:
        """Ends the loop; may be called by a signal handler."""
        self._stopping.set()

    def run(self) -> None:
        """Until `stop`."""
        listing = threading.Thread(target=self._keep_listing, name="interfaces", daemon=True)
        listing.start()
        self._list_wanted.set()
        beat = 0.0
        while not self._stopping.is_set():
            try:
                if time.monotonic() - beat >= 1.0:
                    live_workers.say_alive()
                    beat = time.monotonic()
                self._lists()
                self._sync()
                self._take()
            except (DatabaseError, InterfaceError) as error:
                logger.warning("Postgres is away, capturing goes on: %s", " ".join(str(error).split()))
                connection.close()
                self._stopping.wait(0.5)
            except OSError as error:
                logger.warning("a live job cannot be taken up now: %s", error)
            self._stopping.wait(TICK_SECONDS)
        self._leave()

    def _lists(self) -> None:
        if live_workers.list_is_wanted():
            self._list_wanted.set()
        if self._list_ready.is_set():
            self._list_ready.clear()
            live_workers.publish(self.known, time.monotonic() - self._looked)

    def _keep_listing(self) -> None:
        # Of its own: each interface is opened to see whether it can be, and there may be hundreds of them.
        tried: Tried = {}
        began = time.monotonic()
        while not self._stopping.is_set():
            self._list_wanted.wait(LIST_SECONDS)
            self._list_wanted.clear()
            if time.monotonic() - began > TRIED_SECONDS:
                tried, began = {}, time.monotonic()
            looked = time.monotonic()
            try:
                self.known = list_interfaces(tried=tried)
            except CannotList as error:
                logger.warning("%s", error)
                self.known = []
            self._looked = looked
            self._list_ready.set()

    def _sync(self) -> None:
        for pk, capture in list(self.captures.items()):
            if not capture.sync():
                del self.captures[pk]

    def _take(self) -> None:
        names = {one.name for one in self.known}
        while (taken := live.take(names, list(self.captures))) is not None:
            self.captures[taken.job.pk] = Capture(taken, self.known)

    def _leave(self) -> None:
        """All recorders end; their jobs wait for the next live worker."""
        for capture in self.captures.values():
            capture.leaving = True
            capture.recorder.stop()
        until = time.monotonic() + LAST_SECONDS
        for capture in self.captures.values():
            capture.recorder.join(max(0.1, until - time.monotonic()))
        try:
            self._sync()
            live_workers.gone()
        except (DatabaseError, InterfaceError) as error:
            # The files are whole on the disk: the next live worker of this host brings the rows in order.
            logger.warning("Postgres is away at the end: %s", " ".join(str(error).split()))
