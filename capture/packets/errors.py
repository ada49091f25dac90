"""What can be wrong with a capture, a filter or an interface: one small hierarchy, each error naming what and where."""

from __future__ import annotations


class PacketsError(Exception):
    """Base of all errors of this package. `str()` is a sentence that can be shown to the user."""


class NotACapture(PacketsError):
    """The bytes are no capture file of a kind that we read: refused at the door, no job."""


class ReadError(PacketsError):
    """A capture breaks off or lies. All whole packets before the break count.

    offset: byte offset in the (decompressed) capture at which reading stopped.
    packet: number of the packet that could not be read (the first packet of a capture is 1).
    """

    def __init__(self, reason: str, offset: int, packet: int) -> None:
        super().__init__(f"packet {packet} at byte offset {offset}: {reason}")
        self.reason = reason
        self.offset = offset
        self.packet = packet


class FilterError(PacketsError):
    """libpcap refused a BPF expression; the text is libpcap's own message."""


class InterfaceError(PacketsError):
    """No such interface, or no right to capture on it."""
