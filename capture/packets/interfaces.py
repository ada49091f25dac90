"""The machine's interfaces: which there are, and whether this process may capture on them."""

from __future__ import annotations

import ctypes
import errno
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from capture.packets import libpcap
from capture.packets.errors import InterfaceError
from capture.packets.live.link import ANY, Links
from capture.packets.values import text_of

_UP = 2  # PCAP_IF_UP
_IFACE_NOT_UP = -9  # PCAP_ERROR_IFACE_NOT_UP
_PERM_DENIED = -8  # PCAP_ERROR_PERM_DENIED
_PROMISC_PERM_DENIED = -11  # PCAP_ERROR_PROMISC_PERM_DENIED
_ROUTE_UP, _ROUTE_REJECT = 0x1, 0x200  # RTF_UP, RTF_REJECT


@dataclass(frozen=True)
class Interface:
    """An interface as libpcap lists it.

    name: the text form of `raw_name`, which may be any bytes (see capture.packets.values).
    addresses: IPv4 and IPv6 addresses as text, in libpcap's order.
    capturable: whether it was opened for capture, or will be as soon as it is up. why_not: empty if so, else a sentence: what is
    missing and what to run.
    linktype: LINKTYPE number as it was opened, None where it was not. mtu: bytes, 0 for what has none (`any`).
    """

    name: str
    addresses: list[str] = field(default_factory=list)
    up: bool = False
    capturable: bool = False
    why_not: str = ""
    raw_name: bytes = b""
    linktype: int | None = None
    mtu: int = 0
    description: str = ""


# What a try of an interface has found, by its name and whether it was up: LINKTYPE number, or None and why not.
Tried = dict[tuple[bytes, bool], tuple[int | None, str]]


def list_interfaces(try_them: bool = True, tried: Tried | None = None) -> list[Interface]:
    """All interfaces that libpcap knows; with `try_them` each is opened for capture and closed again, else none is capturable and
    nothing is said about why. tried: of earlier tries: what is in it is not tried again, the others are put into it.

    Raises InterfaceError with libpcap's message if they cannot be listed.
    """
    first = ctypes.POINTER(libpcap.PcapInterface)()
    message = ctypes.create_string_buffer(libpcap.ERRBUF_SIZE)
    if libpcap.dll.pcap_findalldevs(ctypes.byref(first), message) != 0:
        raise InterfaceError(f"interfaces cannot be listed: {message.value.decode('utf-8', 'replace')}")
    try:
        found = [
            (bytes(one.name), text_of(one.description or b""), _addresses(one), bool(one.flags & _UP)) for one in _each(first)
        ]
    finally:
        libpcap.dll.pcap_freealldevs(first)
    interfaces = []
    links = Links()
    try:
        for name, description, addresses, up in found:
            linktype, why_not = _tried(name, up, {} if tried is None else tried) if try_them else (None, "")
            link = links.named(name)
            mtu = link.mtu if link else 0
            capturable = try_them and not why_not
            interfaces.append(Interface(text_of(name), addresses, up, capturable, why_not, name, linktype, mtu, description))
    finally:
        links.close()
    return interfaces


def default_interface() -> str:
    """The interface of the default route, IPv4 before IPv6, the lowest metric of each; "" if there is none."""
    return _default_ipv4(_lines("/proc/net/route")) or _default_ipv6(_lines("/proc/net/ipv6_route"))


def is_denied(status: int) -> bool:
    """Whether what `pcap_activate` answered means that the right to capture is missing."""
    return status in (_PERM_DENIED, _PROMISC_PERM_DENIED)


def _each(first: ctypes._Pointer[libpcap.PcapInterface]) -> Iterator[libpcap.PcapInterface]:
    while first:
        yield first.contents
        first = first.contents.next


def _addresses(interface: libpcap.PcapInterface) -> list[str]:
    texts = []
    entry = interface.addresses
    while entry:
        if entry.contents.addr:
            address = entry.contents.addr.contents
            # sockaddr_in: port 2, address 4; sockaddr_in6: port 2, flow 4, address 16
            raw = bytes(address.sa_data)
            if address.sa_family == socket.AF_INET:
                texts.append(socket.inet_ntop(socket.AF_INET, raw[2:6]))
            elif address.sa_family == socket.AF_INET6:
                texts.append(socket.inet_ntop(socket.AF_INET6, raw[6:22]))
        entry = entry.contents.next
    return texts


def _tried(name: bytes, up: bool, tried: Tried) -> tuple[int | None, str]:
    # Closing takes the kernel some hundredths of a second, and there may be hundreds of interfaces.
    found = tried.get((name, up))
    if found is None:
        found = tried[name, up] = _try_capture(name)
    return found


def _try_capture(name: bytes) -> tuple[int | None, str]:
    """Opens the interface as a capture would: its LINKTYPE number, or None and why that is not possible."""
    shown = text_of(name)
    message = ctypes.create_string_buffer(libpcap.ERRBUF_SIZE)
    handle = libpcap.dll.pcap_create(name, message)
    if not handle:
        return None, f"{shown} cannot be opened: {message.value.decode('utf-8', 'replace')}"
    try:
        # Small: the default ring buffer is 2 MiB, and there may be hundreds of interfaces.
        libpcap.dll.pcap_set_snaplen(handle, 64)
        libpcap.dll.pcap_set_timeout(handle, 1)
        libpcap.dll.pcap_set_buffer_size(handle, 65536)
        status = libpcap.dll.pcap_activate(handle)
        if status >= 0:
            if name == ANY:
                libpcap.prefer_datalink(handle, libpcap.LINUX_SLL2)
            return libpcap.linktype_of(libpcap.dll.pcap_datalink(handle)), ""
        said = libpcap.said(handle, status)
    finally:
        libpcap.dll.pcap_close(handle)
    if status == _IFACE_NOT_UP:
        return None, ""  # a capture of it begins when it comes up
    if is_denied(status) or os.strerror(errno.EPERM) in said:  # netlink's own devices say it in other words
        return None, f"{shown} cannot be captured on: this process lacks CAP_NET_RAW. {what_to_run()}"
    return None, f"{shown} cannot be captured on: {said}"


def what_to_run() -> str:
    """How the process that captures gets the right to."""
    return (
        "Run sudo script/allow-capture, which gives the right to the capture worker alone, or run the capture worker as root; "
        "with docker compose: docker compose --profile live up."
    )


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []  # no such protocol on this machine


def _default_ipv4(lines: list[str]) -> str:
    """Of /proc/net/route: Iface Destination Gateway Flags RefCnt Use Metric Mask ..."""
    routes = []
    for line in lines[1:]:
        words = line.split()
        if len(words) < 8:
            continue
        flags = int(words[3], 16)
        if words[1] == words[7] == "00000000" and flags & _ROUTE_UP and not flags & _ROUTE_REJECT:
            routes.append((int(words[6]), words[0]))
    return min(routes, key=lambda route: route[0])[1] if routes else ""


def _default_ipv6(lines: list[str]) -> str:
    """Of /proc/net/ipv6_route: destination, its prefix, source, its prefix, next hop, metric, refs, use, flags, device."""
    routes = []
    for line in lines:
        words = line.split()
        if len(words) < 10:
            continue
        flags = int(words[8], 16)
        if not words[0].strip("0") and words[1] == "00" and flags & _ROUTE_UP and not flags & _ROUTE_REJECT and words[9] != "lo":
            routes.append((int(words[5], 16), words[9]))
    return min(routes, key=lambda route: route[0])[1] if routes else ""
