"""libpcap from the `libpcap` wheel: the shared library that it bundles, loaded by ctypes with only the calls we use.

The wheel's own Python layer is passed by: it takes whatever libpcap the machine happens to have (and fails to import
where there is none), so that a filter could mean one thing here and another there.
"""

from __future__ import annotations

import ctypes
import importlib.util
import platform
import threading
from pathlib import Path

ERRBUF_SIZE = 256  # PCAP_ERRBUF_SIZE
MAX_SNAPLEN = 262144  # MAXIMUM_SNAPLEN of most link types, and of what the Linux kernel hands over
LINUX_SLL, LINUX_SLL2 = 113, 276  # DLT and LINKTYPE numbers of `any`'s pseudo-headers
NANOSECONDS = 1  # PCAP_TSTAMP_PRECISION_NANO
NETMASK_UNKNOWN = 0xFFFFFFFF  # PCAP_NETMASK_UNKNOWN

# pcap_compile() shares the resolver's and, in old versions, the parser's global state: one caller at a time.
compile_lock = threading.Lock()

_ARCHITECTURES = {
    "x86_64": "x86_64",
    "amd64": "x86_64",
    "aarch64": "aarch64",
    "arm64": "aarch64",
    "ppc64le": "ppc64le",
    "i686": "x86",
}


class BpfProgram(ctypes.Structure):
    """struct bpf_program: instructions of a compiled filter."""

    _fields_ = [("bf_len", ctypes.c_uint), ("bf_insns", ctypes.c_void_p)]


class PcapStat(ctypes.Structure):
    """struct pcap_stat: counts that run over at 2^32."""

    _fields_ = [("ps_recv", ctypes.c_uint), ("ps_drop", ctypes.c_uint), ("ps_ifdrop", ctypes.c_uint)]


class SockAddr(ctypes.Structure):
    """struct sockaddr as Linux lays it out; the bytes behind the family are read by family."""

    _fields_ = [("sa_family", ctypes.c_ushort), ("sa_data", ctypes.c_ubyte * 26)]


class PcapAddr(ctypes.Structure):
    """struct pcap_addr: one address of an interface, in a linked list."""


PcapAddr._fields_ = [
    ("next", ctypes.POINTER(PcapAddr)),
    ("addr", ctypes.POINTER(SockAddr)),
    ("netmask", ctypes.POINTER(SockAddr)),
    ("broadaddr", ctypes.POINTER(SockAddr)),
    ("dstaddr", ctypes.POINTER(SockAddr)),
]


class PcapInterface(ctypes.Structure):
    """struct pcap_if: one interface, in a linked list."""


PcapInterface._fields_ = [
    ("next", ctypes.POINTER(PcapInterface)),
    ("name", ctypes.c_char_p),
    ("description", ctypes.c_char_p),
    ("addresses", ctypes.POINTER(PcapAddr)),
    ("flags", ctypes.c_uint32),
]


def library_path() -> Path:
    """Where the wheel keeps its libpcap for this machine. Raises OSError that says what is missing."""
    found = importlib.util.find_spec("libpcap")
    if found is None or not found.submodule_search_locations:
        raise OSError("the Python package 'libpcap' is not installed (see requirements.txt)")
    machine = platform.machine().lower()
    folder = Path(found.submodule_search_locations[0]) / "_platform" / "linux" / _ARCHITECTURES.get(machine, machine)
    path = folder / "tcpdump" / "libpcap.so"
    if not path.is_file():
        raise OSError(f"the Python package 'libpcap' has no library for this machine ({machine}): {path.name} not found")
    return path


def _load() -> ctypes.CDLL:
    """Declares every call with its types; ctypes guesses int for what is not declared, and cuts pointers."""
    dll = ctypes.CDLL(str(library_path()))
    p, text, i32, u32 = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_uint
    for name, result, arguments in (
        ("pcap_lib_version", text, []),
        ("pcap_fopen_offline", p, [p, text]),
        ("pcap_compile", i32, [p, ctypes.POINTER(BpfProgram), text, i32, u32]),
        ("pcap_freecode", None, [ctypes.POINTER(BpfProgram)]),
        ("pcap_geterr", text, [p]),
        ("pcap_close", None, [p]),
        ("pcap_findalldevs", i32, [ctypes.POINTER(ctypes.POINTER(PcapInterface)), text]),
        ("pcap_freealldevs", None, [ctypes.POINTER(PcapInterface)]),
        ("pcap_create", p, [text, text]),
        ("pcap_set_snaplen", i32, [p, i32]),
        ("pcap_set_timeout", i32, [p, i32]),
        ("pcap_set_buffer_size", i32, [p, i32]),
        ("pcap_set_promisc", i32, [p, i32]),
        ("pcap_set_tstamp_precision", i32, [p, i32]),
        ("pcap_get_tstamp_precision", i32, [p]),
        ("pcap_set_protocol_linux", i32, [p, i32]),
        ("pcap_activate", i32, [p]),
        ("pcap_setnonblock", i32, [p, i32, text]),
        ("pcap_get_selectable_fd", i32, [p]),
        ("pcap_dispatch", i32, [p, i32, p, p]),
        ("pcap_setfilter", i32, [p, ctypes.POINTER(BpfProgram)]),
        ("pcap_stats", i32, [p, ctypes.POINTER(PcapStat)]),
        ("pcap_snapshot", i32, [p]),
        ("pcap_datalink", i32, [p]),
        ("pcap_set_datalink", i32, [p, i32]),
        ("pcap_list_datalinks", i32, [p, ctypes.POINTER(ctypes.POINTER(i32))]),
        ("pcap_free_datalinks", None, [ctypes.POINTER(i32)]),
        ("pcap_open_dead", p, [i32, i32]),
        ("pcap_statustostr", text, [i32]),
    ):
        call = getattr(dll, name)
        call.restype, call.argtypes = result, arguments
    return dll


dll = _load()

# bpf_filter() takes some tens of nanoseconds: giving up and taking back the GIL around it would cost more than the call.
_keeping_gil = ctypes.PyDLL(str(library_path()))
bpf_filter = _keeping_gil.bpf_filter
bpf_filter.restype = ctypes.c_uint
bpf_filter.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint]
bpf_filter_address: int = ctypes.cast(bpf_filter, ctypes.c_void_p).value or 0  # for compiled loops, see bpf_call

breakloop_address: int = ctypes.cast(dll.pcap_breakloop, ctypes.c_void_p).value or 0  # for compiled callbacks

_libc = ctypes.CDLL(None)
_libc.fmemopen.restype = ctypes.c_void_p
_libc.fmemopen.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p]
_libc.fclose.argtypes = [ctypes.c_void_p]


def version() -> str:
    """libpcap's own version text."""
    return bytes(dll.pcap_lib_version()).decode("utf-8", "replace")


def open_memory(capture: bytes) -> tuple[int, str]:
    """A pcap_t reading a capture held in memory: (handle, ""), or (0, libpcap's message). `pcap_close` frees it."""
    # fmemopen() in mode "r" neither writes nor outlives the handle; libpcap has read the header before we return.
    held = ctypes.create_string_buffer(capture, len(capture))
    file = _libc.fmemopen(held, len(capture), b"rb")
    if not file:
        return 0, "out of memory"
    message = ctypes.create_string_buffer(ERRBUF_SIZE)
    handle = dll.pcap_fopen_offline(file, message)
    if not handle:
        _libc.fclose(file)
        return 0, message.value.decode("utf-8", "replace")
    return int(handle), ""


# Numbers of link types differ between capture files (LINKTYPE) and open handles (DLT) where systems had numbered them differently
# before: libpcap's pcap-common.c, for Linux.
_LINKTYPE_OF_DLT = {11: 100, 12: 101, 15: 102, 16: 103, 18: 246, 19: 106}
_DLT_OF_LINKTYPE = {linktype: dlt for dlt, linktype in _LINKTYPE_OF_DLT.items()}


def linktype_of(dlt: int) -> int:
    """The LINKTYPE number of a handle's DLT number."""
    return _LINKTYPE_OF_DLT.get(dlt, dlt)


def dlt_of(linktype: int) -> int:
    """The DLT number of a file's LINKTYPE number."""
    return _DLT_OF_LINKTYPE.get(linktype, linktype)


def said(handle: int, status: int = -1) -> str:
    """libpcap's words for what went wrong with a handle: its message, else what the status means."""
    words = bytes(dll.pcap_geterr(handle)).decode("utf-8", "replace")
    return words or bytes(dll.pcap_statustostr(status)).decode("utf-8", "replace")


def prefer_datalink(handle: int, dlt: int) -> None:
    """Takes the link type for an activated handle, if it is among those that the handle offers."""
    offered = ctypes.POINTER(ctypes.c_int)()
    count = dll.pcap_list_datalinks(handle, ctypes.byref(offered))
    if count > 0:
        if dlt in offered[:count]:
            dll.pcap_set_datalink(handle, dlt)
        dll.pcap_free_datalinks(offered)
