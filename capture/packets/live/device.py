"""An interface opened for capture with libpcap: what it takes to lose nothing and to count everything.

The socket gets its filter before it gets its first packet: libpcap binds it to a protocol that nobody speaks, and it is bound to
all protocols when the filter is in place. So each packet that the kernel counts has passed the filter, and is ours to read.
"""

from __future__ import annotations

import ctypes
import os
import select
import socket
import struct
from typing import Literal

from capture.packets import libpcap
from capture.packets.bpf import compile_for_interface
from capture.packets.errors import FilterError
from capture.packets.interfaces import is_denied, what_to_run
from capture.packets.live import callback
from capture.packets.live.link import ANY, Link, card_drops
from capture.packets.values import text_of

# The kernel's buffer is made of blocks of 256 KiB, and one is handed over, full or not, after the timeout: with 1 ms, a buffer of
# 64 MiB is full of nearly empty blocks after a quarter of a second in which nobody reads.
SHORTEST_TIMEOUT = 0.02
SMALLEST_BUFFER = 2 << 20  # libpcap's own default

# What `dispatch` says.
NOTHING: Literal[0] = 0
SOME: Literal[1] = 1
MORE: Literal[2] = 2

_NO_SUCH_DEVICE, _NOT_UP = -5, -9  # PCAP_ERROR_NO_SUCH_DEVICE, PCAP_ERROR_IFACE_NOT_UP
_BREAK = -2  # PCAP_ERROR_BREAK
_NOBODYS_PROTOCOL = 0xFFFF  # reserved, RFC 1701
_ETH_P_ALL = 0x0003
_SO_ATTACH_FILTER, _SO_GET_FILTER = 26, 26
_HEADERS = {0: 4, 1: 14, 101: 0, 113: 16, 228: 0, 229: 0, 276: 20}  # bytes, by LINKTYPE
_LONGEST_HEADER = 64  # of the other link types
_TAGS = 8  # bytes of two VLAN tags

_libc = ctypes.CDLL(None, use_errno=True)


class SockFilterProgram(ctypes.Structure):
    """struct sock_fprog: its instructions are laid out as libpcap's."""

    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


class CannotOpen(Exception):
    """kind: "down" and "gone" may change by themselves, "refused" does not."""

    def __init__(self, kind: Literal["down", "gone", "refused"], words: str) -> None:
        super().__init__(words)
        self.kind: Literal["down", "gone", "refused"] = kind


class Device:
    """An open interface. All calls are one thread's.

    link: the interface, None for `any` and for what libpcap offers beside the network's interfaces (netfilter, USB, Bluetooth),
    which is_packet_socket tells apart. linktype: LINKTYPE number.
    filter: the expression in use. super_length: a longer packet is several in one. tick: nanoseconds of libpcap's fractions.
    """

    def __init__(self, name: bytes, link: Link | None, handle: int, timeout: float) -> None:
        self.name, self.link, self.handle = name, link, handle
        self.timeout = timeout
        self.filter = ""
        self.linktype = libpcap.linktype_of(libpcap.dll.pcap_datalink(handle))
        self.tick = 1 if libpcap.dll.pcap_get_tstamp_precision(handle) == libpcap.NANOSECONDS else 1000
        self.fd = int(libpcap.dll.pcap_get_selectable_fd(handle))
        self.snaplen = int(libpcap.dll.pcap_snapshot(handle))
        self.filtered_by_kernel = False
        self.is_packet_socket = link is not None or name == ANY
        self._readable = select.poll()
        if self.fd >= 0:
            self._readable.register(self.fd, select.POLLIN)
        self._stat = libpcap.PcapStat()
        self._last = (0, 0, 0)
        self._total = [0, 0, 0]
        self._card = card_drops(name) if link else 0

    def super_length(self, mtu: int) -> int:
        return mtu + _HEADERS.get(self.linktype, _LONGEST_HEADER) + _TAGS

    def wait(self, seconds: float) -> bool:
        """Until there may be something to read, at most so long; whether there may."""
        return bool(self._readable.poll(seconds * 1000))

    def dispatch(self, state: int) -> Literal[0, 1, 2]:
        """Reads what the kernel has handed over, into the reader's array at address `state`, without the GIL.

        NOTHING, SOME (all that there was), or MORE: the callback ended it. Raises OSError in libpcap's words when the device is
        lost.
        """
        if not self.is_packet_socket and not self.wait(0):
            return NOTHING  # libpcap's other modules take "nothing there" for an error, or wait for something
        count = libpcap.dll.pcap_dispatch(self.handle, -1, callback.ADDRESS, state)
        if count >= 0:
            return SOME if count else NOTHING
        if count == _BREAK:
            return MORE
        raise OSError(libpcap.said(self.handle, count))

    def counts(self) -> tuple[int, int, int]:
        """(received, dropped by the kernel, dropped by the card) since it was opened; received holds the kernel's drops."""
        if libpcap.dll.pcap_stats(self.handle, ctypes.byref(self._stat)) == 0:
            now = (int(self._stat.ps_recv), int(self._stat.ps_drop), int(self._stat.ps_ifdrop))
            for i, (one, before) in enumerate(zip(now, self._last, strict=True)):
                self._total[i] += (one - before) & 0xFFFFFFFF
            self._last = now
        if self.link is not None:
            # libpcap looks at the card's counters in promiscuous mode only.
            self._total[2] = max(self._total[2], card_drops(self.link.name) - self._card)
        received, dropped, card = self._total
        return received, dropped, card

    def refuse_all(self) -> None:
        """Lets no packet in any more; what the kernel has can still be read."""
        nothing = ctypes.create_string_buffer(struct.pack("=HBBI", 0x06, 0, 0, 0))  # ret #0
        _attach(self.fd, SockFilterProgram(1, ctypes.addressof(nothing)))

    def close(self) -> None:
        libpcap.dll.pcap_close(self.handle)
        self.handle = 0


def open_device(
    name: bytes, link: Link | None, snaplen: int, promisc: bool, timeout: float, buffer_bytes: int, filters: tuple[str, ...]
) -> Device:
    """Opens an interface; packets come in from now on. Raises CannotOpen."""
    timeout = max(timeout, SHORTEST_TIMEOUT)
    message = ctypes.create_string_buffer(libpcap.ERRBUF_SIZE)
    handle = libpcap.dll.pcap_create(name, message)
    if not handle:
        raise CannotOpen("refused", f"{text_of(name)} cannot be opened: {message.value.decode('utf-8', 'replace')}")
    try:
        _activate(name, handle, snaplen, promisc, timeout, buffer_bytes, link is not None or name == ANY)
        if name == ANY:
            # The newer pseudo-header, which names the interface of each packet.
            libpcap.prefer_datalink(handle, libpcap.LINUX_SLL2)
        device = Device(name, link, handle, timeout)
        _set_filter(device, filters or ("",))
        if device.is_packet_socket:
            if libpcap.dll.pcap_setnonblock(handle, 1, message) != 0:
                raise CannotOpen("refused", f"{text_of(name)}: {message.value.decode('utf-8', 'replace')}")
            _bind(device)
    except BaseException:
        libpcap.dll.pcap_close(handle)
        raise
    return device


def _activate(
    name: bytes, handle: int, snaplen: int, promisc: bool, timeout: float, buffer_bytes: int, packet_socket: bool
) -> None:
    dll = libpcap.dll
    dll.pcap_set_snaplen(handle, snaplen if 0 < snaplen < libpcap.MAX_SNAPLEN else libpcap.MAX_SNAPLEN)
    dll.pcap_set_promisc(handle, int(promisc))
    dll.pcap_set_timeout(handle, max(1, round(timeout * 1000)))
    dll.pcap_set_buffer_size(handle, min(max(buffer_bytes, SMALLEST_BUFFER), 0x7FFFFFFF))
    dll.pcap_set_tstamp_precision(handle, libpcap.NANOSECONDS)
    if packet_socket:
        dll.pcap_set_protocol_linux(handle, _NOBODYS_PROTOCOL)
    status = dll.pcap_activate(handle)
    if status >= 0:  # above 0: warnings, such as that the device knows no promiscuous mode
        return
    words = f"{text_of(name)} cannot be captured on: {libpcap.said(handle, status)}"
    if is_denied(status):
        raise CannotOpen("refused", f"{text_of(name)} cannot be captured on: this process lacks CAP_NET_RAW. {what_to_run()}")
    if status == _NO_SUCH_DEVICE:
        raise CannotOpen("gone", f"{text_of(name)} does not exist")
    if status == _NOT_UP:
        raise CannotOpen("down", f"{text_of(name)} is down")
    raise CannotOpen("refused", words)


def _set_filter(device: Device, expressions: tuple[str, ...]) -> None:
    """The first expression that compiles. Raises CannotOpen in libpcap's words for the last."""
    words = ""
    for expression in expressions:
        try:
            code = compile_for_interface(device.handle, expression)
        except FilterError as error:
            words = str(error)
            continue
        try:
            _use_filter(device, code)
        finally:
            libpcap.dll.pcap_freecode(ctypes.byref(code))
        device.filter = expression
        return
    raise CannotOpen("refused", f"the filter cannot be used on {text_of(device.name)}: {words}")


def _use_filter(device: Device, code: libpcap.BpfProgram) -> None:
    cooked = device.linktype in (libpcap.LINUX_SLL, libpcap.LINUX_SLL2)
    # Not by libpcap, which would filter the first packets once more by itself, without what only the kernel knows of them: with
    # `inbound` it would throw them away.
    if device.is_packet_socket and not cooked and _attach(device.fd, SockFilterProgram(code.bf_len, code.bf_insns)):
        device.filtered_by_kernel = True
        return
    if libpcap.dll.pcap_setfilter(device.handle, ctypes.byref(code)) != 0:
        raise CannotOpen("refused", f"the filter cannot be used on {text_of(device.name)}: {libpcap.said(device.handle)}")
    device.filtered_by_kernel = device.is_packet_socket and _has_filter(device.fd)


def _attach(fd: int, program: SockFilterProgram) -> bool:
    size = ctypes.sizeof(program)
    return bool(_libc.setsockopt(fd, socket.SOL_SOCKET, _SO_ATTACH_FILTER, ctypes.byref(program), size) == 0)


def _has_filter(fd: int) -> bool:
    """Whether the kernel filters for a socket; asked for no instructions, it says how many there are."""
    length = ctypes.c_uint(0)
    return _libc.getsockopt(fd, socket.SOL_SOCKET, _SO_GET_FILTER, None, ctypes.byref(length)) == 0 and length.value > 0


def _bind(device: Device) -> None:
    """All protocols from now on. Raises CannotOpen if the interface went down or away meanwhile."""
    index = device.link.index if device.link else 0
    address = struct.pack("=HHiHBB8x", socket.AF_PACKET, socket.htons(_ETH_P_ALL), index, 0, 0, 0)
    if _libc.bind(device.fd, address, len(address)) != 0:
        error = ctypes.get_errno()
        raise CannotOpen("gone", f"{text_of(device.name)} does not exist any more: {os.strerror(error)}")
