"""BPF: capture filters in libpcap's language (pcap-filter(7)), compiled and run by libpcap itself.

A filter is compiled for one link type, exactly as `tcpdump -r` does it: against a capture file of that link type. That
leaves the mapping of LINKTYPE numbers to the DLT numbers of this platform to libpcap, and refuses what only a live
interface can answer (`inbound` on Ethernet, for one). For an interface it is compiled against that interface, or one that is
thought of (`check_live_filter`).
"""

from __future__ import annotations

import ctypes
import struct
import weakref

from capture.packets import libpcap
from capture.packets.errors import FilterError

# libpcap's time grows with the square of an expression's length, its optimizer's faster still. 300 ports joined by "or"
# (3,476 bytes) took 0.8 s without and 12.6 s with the optimizer; 9,000 primitives (63 kB) two minutes without.
MAX_EXPRESSION = 8192
MAX_INSTRUCTIONS = 4096  # BPF_MAXINSNS: a longer program the Linux kernel does not run
MAX_OPTIMIZED = 1024  # longer ones run as they stand: the same packets, more instructions


def _free(code: libpcap.BpfProgram) -> None:
    libpcap.dll.pcap_freecode(ctypes.byref(code))


class Program:
    """A compiled filter. Immutable; one program may be used by many threads."""

    def __init__(self, code: libpcap.BpfProgram, linktype: int) -> None:
        self.linktype = linktype
        self.instructions = int(code.bf_insns or 0)  # address of the instructions, for compiled loops
        self._code = code
        weakref.finalize(self, _free, code)

    def __len__(self) -> int:
        """Number of instructions."""
        return int(self._code.bf_len)

    def matches(self, data: bytes | bytearray | memoryview | int, captured_length: int, wire_length: int) -> bool:
        """Whether a packet passes.

        data: its captured bytes, or the address of the first of them (for buffers that are held elsewhere).
        captured_length, wire_length: bytes; `data` must hold at least captured_length.
        """
        if isinstance(data, (bytearray, memoryview)):
            data = bytes(data)
        if isinstance(data, bytes) and len(data) < captured_length:
            raise ValueError(f"captured length {captured_length}, but only {len(data)} bytes of data")
        return bool(libpcap.bpf_filter(self.instructions, data, wire_length, captured_length))


def compile_filter(expression: str, linktype: int, snaplen: int = 262144) -> Program:
    """Compiles `expression` for packets of a link type (LINKTYPE number).

    Raises FilterError with libpcap's own message: a syntax error, a host that does not resolve, a primitive that the
    link type cannot have ("no VLAN support for Raw IP"), or an expression that no packet can match (which only the
    optimizer sees: expressions above MAX_OPTIMIZED bytes then match nothing). Above MAX_EXPRESSION bytes: refused.
    """
    text = _checked(expression)
    # The link-type word has 16 bits for the link type; its upper bits mean other things.
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, min(max(snaplen, 1), 0x7FFFFFFF), linktype & 0xFFFF)
    with libpcap.compile_lock:
        handle, message = libpcap.open_memory(header)
        if not handle:
            raise FilterError(message)
        try:
            code = _compile(handle, text)
        finally:
            libpcap.dll.pcap_close(handle)
    return Program(code, linktype)


def check_filter(expression: str, linktype: int = 1) -> None:
    """Raises FilterError where `expression` cannot be compiled for the link type (default: Ethernet)."""
    compile_filter(expression, linktype)


def compile_for_interface(handle: int, expression: str) -> libpcap.BpfProgram:
    """Compiles for a pcap_t of an interface. The caller frees the program, by `pcap_freecode`.

    Raises FilterError; also for programs of more instructions than the kernel takes.
    """
    text = _checked(expression)
    with libpcap.compile_lock:
        code = _compile(handle, text)
    length = int(code.bf_len)
    if length > MAX_INSTRUCTIONS:
        _free(code)
        raise FilterError(f"the filter has {length} instructions, more than the {MAX_INSTRUCTIONS} that the kernel takes")
    return code


def check_live_filter(expression: str, linktype: int = 1) -> None:
    """As `check_filter`, for a filter of an interface of that link type (LINKTYPE number).

    What only a live interface can answer is accepted: `inbound`, `ifindex` and the like. Raises FilterError; also for programs of
    more instructions than the kernel takes.
    """
    handle = libpcap.dll.pcap_open_dead(libpcap.dlt_of(linktype), libpcap.MAX_SNAPLEN)
    if not handle:
        raise FilterError("out of memory")
    try:
        _free(compile_for_interface(handle, expression))
    finally:
        libpcap.dll.pcap_close(handle)


def _checked(expression: str) -> bytes:
    """The expression as libpcap takes it. Raises FilterError."""
    text = expression.encode("utf-8", "surrogateescape")
    if b"\0" in text:
        raise FilterError("a filter cannot contain a NUL character")
    if len(text) > MAX_EXPRESSION:
        raise FilterError(f"the filter has {len(text)} bytes, more than {MAX_EXPRESSION}")
    return text


def _compile(handle: int, text: bytes) -> libpcap.BpfProgram:
    """Compiles for an open handle; the caller holds the lock, and frees the program. Raises FilterError in libpcap's words."""
    code = libpcap.BpfProgram()
    optimize = int(len(text) <= MAX_OPTIMIZED)
    if libpcap.dll.pcap_compile(handle, ctypes.byref(code), text, optimize, libpcap.NETMASK_UNKNOWN) != 0:
        raise FilterError(libpcap.said(handle))
    return code
