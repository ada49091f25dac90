"""A thread that reads one interface: opens it, reads it, waits for it where it is down or gone, and opens it again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from capture.packets import libpcap
from capture.packets.live import shape
from capture.packets.live.blocks import Description
from capture.packets.live.chunks import Chunk, ChunkPool
from capture.packets.live.device import NOTHING, SOME, CannotOpen, Device, open_device
from capture.packets.live.ledger import Ledger
from capture.packets.live.link import ANY, Link, Links
from capture.packets.live.order import RecorderOrder
from capture.packets.live.writer import Writer
from capture.packets.values import text_of

POLL_SECONDS = 0.05
LOOK_SECONDS = 0.1  # between looks at the link's state
# A busy interface is not read for each block that the kernel hands over: many at once cost less. But never so long that a link of
# 100 Gbit/s, in bytes per second, fills the kernel's buffer meanwhile.
LONGEST_PAUSE = 0.005
FASTEST = 12.5e9
# A chunk is handed over when it is so old, or has so little room left.
HOLD_SECONDS = 0.02
ENOUGH = 0.25
# How long the last packets are waited for, beyond the time after which the kernel hands them over.
DRAIN_SECONDS = 0.2


class Reader:
    """ended: called by the thread at its end with the stop rule that it met (shape.PACKET_RULE, BYTE_RULE), else 0.
    broke: called with an exception that nobody foresaw."""

    def __init__(
        self,
        order: RecorderOrder,
        interface: int,
        ledger: Ledger,
        pool: ChunkPool,
        writer: Writer,
        budget: NDArray[np.int64] | None,
        stopping: threading.Event,
        reached: Callable[[int], None],
        broke: Callable[[Exception], None],
    ) -> None:
        self._order, self._interface = order, interface
        self._name = order.interfaces[interface]
        self._ledger, self._pool, self._writer = ledger, pool, writer
        self._stopping, self._reached, self._broke = stopping, reached, broke
        self._state = np.zeros(shape.LENGTH, np.int64)
        self._address = int(self._state.ctypes.data)
        self._state[shape.BREAKLOOP] = libpcap.breakloop_address
        self._budget = budget  # held: the callback has its address
        self._state[shape.BUDGET] = budget.ctypes.data if budget is not None else 0
        self._chunk: Chunk | None = None
        self._began = 0.0  # the chunk's first packet
        self._described: tuple[Description, int] | None = None
        self._before = (0, 0, 0)  # counts of the devices before this one
        self._thread = threading.Thread(target=self._run, name=f"live-{text_of(self._name)}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        links = Links()
        try:
            while not self._stopping.is_set():
                device = self._open(links)
                if device is None:
                    return
                try:
                    self._read(device, links)
                finally:
                    self._hand_over(device)
                    self._before = self._counts(device)
                    self._ledger.set_received(self._interface, *self._before)
                    device.close()
                if self._state[shape.REACHED]:
                    self._reached(int(self._state[shape.REACHED]))
                    return
        except Exception as error:
            self._broke(error)
        finally:
            links.close()

    # -- opening

    def _open(self, links: Links) -> Device | None:
        """Waits until the interface can be captured on; None if that is not to be hoped for, or nobody wants it any more."""
        gone_since: float | None = None
        while not self._stopping.is_set():
            link = links.named(self._name) if self._name != ANY else None
            try:
                if link is not None and not link.up:
                    raise CannotOpen("down", f"{text_of(self._name)} is down")
                return self._opened(link, links)
            except CannotOpen as cannot:
                self._ledger.set_state(self._interface, cannot.kind, str(cannot))
                gone_since = (gone_since or time.monotonic()) if cannot.kind == "gone" else None
                if cannot.kind == "refused":
                    return None
                if gone_since is not None and time.monotonic() - gone_since >= self._order.gone_seconds:
                    return None
            self._stopping.wait(LOOK_SECONDS)
        return None

    def _opened(self, link: Link | None, links: Links) -> Device:
        order = self._order
        filters = order.filters.get(self._name, ())
        device = open_device(self._name, link, order.snaplen, order.promisc, order.timeout, order.buffer_bytes, filters)
        if link is None and self._name != ANY and links.named(self._name) is not None:
            # It came up this very moment, and was not opened as an interface is.
            device.close()
            raise CannotOpen("down", f"{text_of(self._name)} has just come up")
        description = Description(self._name, device.linktype, device.snaplen, device.filter)
        if self._described is None or self._described[0] != description:
            self._described = description, self._writer.describe(self._interface, description)
        state = self._state
        state[shape.INTERFACE] = self._described[1]
        state[shape.HANDLE], state[shape.TICK], state[shape.SNAPLEN] = device.handle, device.tick, device.snaplen
        state[shape.TAKEN] = 0
        self._ledger.set_opened(self._interface, device.linktype, device.filter)
        self._set_mtu(device, link.mtu if link else links.largest_mtu() if self._name == ANY else 0)
        return device

    def _set_mtu(self, device: Device, mtu: int) -> None:
        self._state[shape.SUPER_LENGTH] = device.super_length(mtu) if mtu else shape.NEVER
        self._ledger.set_mtu(self._interface, mtu)

    # -- reading

    def _read(self, device: Device, links: Links) -> None:
        """Until the end is asked for, a stop rule is reached, or the device is no more."""
        looked = time.monotonic()
        pause = min(LONGEST_PAUSE, self._order.buffer_bytes / FASTEST)
        while not self._stopping.is_set():
            device.wait(POLL_SECONDS)
            try:
                found = self._dispatch(device)
            except OSError as error:
                if self._look(device, links):
                    self._ledger.set_state(self._interface, "gone", f"{text_of(self._name)}: {error}")
                break
            if self._state[shape.REACHED]:
                return
            now = time.monotonic()
            if now - looked >= LOOK_SECONDS:
                looked = now
                self._ledger.set_received(self._interface, *self._counts(device))
                if not self._look(device, links):
                    break
            if found == SOME:
                time.sleep(pause)
        self._drain(device)

    def _dispatch(self, device: Device) -> int:
        """Reads what there is into the chunk, and hands that over in time. What `Device.dispatch` says. Raises OSError."""
        if self._chunk is None and not self._take_chunk():
            return NOTHING  # the writer is behind: the kernel holds the packets meanwhile
        found = device.dispatch(self._address)
        if self._state[shape.PACKETS]:
            now = time.monotonic()
            self._began = self._began or now
            used = int(self._state[shape.NEXT]) - self._chunk_address()
            if now - self._began >= HOLD_SECONDS or used >= ENOUGH * self._chunk_size() or self._state[shape.REACHED]:
                self._hand_over(device)
        return found

    def _take_chunk(self) -> bool:
        chunk = self._pool.take(POLL_SECONDS)
        if chunk is None:
            return False
        self._chunk, self._began = chunk, 0.0
        state = self._state
        state[shape.NEXT] = chunk.address
        state[shape.LAST] = chunk.address + len(chunk.buffer) - int(state[shape.SNAPLEN]) - 2 * shape.AROUND
        state[shape.PACKETS] = state[shape.BYTES] = state[shape.SUPER_FRAMES] = 0
        return True

    def _chunk_address(self) -> int:
        return self._chunk.address if self._chunk else 0

    def _chunk_size(self) -> int:
        return len(self._chunk.buffer) if self._chunk else 0

    def _hand_over(self, device: Device) -> None:
        chunk, state = self._chunk, self._state
        if chunk is None:
            return
        self._chunk = None
        chunk.used = int(state[shape.NEXT]) - chunk.address
        if not chunk.used:
            self._pool.give(chunk)
            return
        chunk.interface = self._interface
        chunk.packets, chunk.bytes = int(state[shape.PACKETS]), int(state[shape.BYTES])
        chunk.super_frames = int(state[shape.SUPER_FRAMES])
        chunk.received, chunk.dropped_kernel, chunk.dropped_interface = self._counts(device)
        state[shape.PACKETS] = 0
        self._writer.hand_over(chunk)

    def _counts(self, device: Device) -> tuple[int, int, int]:
        """(received, dropped by kernel, by interface) since the recorder's start."""
        received, dropped, card = device.counts()
        if not device.filtered_by_kernel:
            # What the kernel counts has not passed the filter yet.
            received = int(self._state[shape.TAKEN]) + dropped
        return self._before[0] + received, self._before[1] + dropped, self._before[2] + card

    def _look(self, device: Device, links: Links) -> bool:
        """Whether the interface is still there; tells whether it is up. The socket goes on by itself when it is up again."""
        if device.link is None:
            return True
        link = links.numbered(device.link.index)
        if link is None:
            self._ledger.set_state(self._interface, "gone", f"{text_of(self._name)} does not exist any more")
            return False
        self._ledger.set_state(self._interface, "up" if link.up else "down", "" if link.up else f"{text_of(self._name)} is down")
        self._set_mtu(device, link.mtu)
        return True

    def _drain(self, device: Device) -> None:
        """Reads what the kernel has now, and lets nothing more in."""
        device.refuse_all()
        until = time.monotonic() + device.timeout + DRAIN_SECONDS
        late = False
        while not late and not self._state[shape.REACHED]:
            late = time.monotonic() >= until  # asked before looking: on a busy machine this thread may come late, but it looks
            if self._chunk is None and not self._take_chunk():
                until = time.monotonic() + device.timeout + DRAIN_SECONDS  # the disk is slow: that is no reason to lose them
                late = False
                continue
            try:
                if self._dispatch(device):
                    late = late and not device.is_packet_socket  # of which there is an end: nothing more comes in
                    continue
            except OSError:
                pass  # of an interface that is gone, the last packets can still be had
            received, dropped, _ = device.counts()
            if device.filtered_by_kernel and self._state[shape.TAKEN] >= received - dropped:
                return
            time.sleep(0.002)
