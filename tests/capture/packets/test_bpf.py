"""Filters: libpcap's answers in libpcap's words, from any thread."""

from __future__ import annotations

import threading

import pytest

from capture.packets import libpcap
from capture.packets.bpf import MAX_EXPRESSION, MAX_OPTIMIZED, check_filter, compile_filter
from capture.packets.errors import FilterError

IPV4_UDP = bytes.fromhex("4500001c000000004011000001020304050607080035d43100080000")
ETHERNET = bytes(12) + b"\x08\x00" + IPV4_UDP


def test_the_library_is_the_wheels_own() -> None:
    assert "site-packages/libpcap/" in str(libpcap.library_path())
    assert libpcap.version().startswith("libpcap version 1.10.6")


def test_matches() -> None:
    program = compile_filter("udp src port 53", 1)
    assert program.matches(ETHERNET, len(ETHERNET), len(ETHERNET))
    assert program.matches(bytearray(ETHERNET), len(ETHERNET), len(ETHERNET))
    assert not program.matches(ETHERNET, 34, len(ETHERNET))  # cut before the ports
    assert not program.matches(b"", 0, 60)


def test_a_captured_length_beyond_the_bytes_is_refused() -> None:
    with pytest.raises(ValueError, match="only 42 bytes"):
        compile_filter("udp", 1).matches(ETHERNET, 43, 43)


@pytest.mark.parametrize(
    ("linktype", "data"),
    [(1, ETHERNET), (101, IPV4_UDP), (12, IPV4_UDP), (228, IPV4_UDP)],
    ids=["Ethernet", "raw", "raw as DLT", "IPv4"],
)
def test_compiled_for_the_link_type_of_the_file(linktype: int, data: bytes) -> None:
    """LINKTYPE_RAW is 101 in files and DLT_RAW is 12 in memory: libpcap maps it, as it does for tcpdump."""
    assert compile_filter("dst host 5.6.7.8", linktype).matches(data, len(data), len(data))
    assert not compile_filter("dst host 5.6.7.9", linktype).matches(data, len(data), len(data))


@pytest.mark.parametrize(
    ("expression", "linktype", "message"),
    [
        ("tcp port or", 1, "syntax error"),
        ("port 99999", 1, "illegal port number"),
        ("vlan", 101, "no VLAN support for Raw IP"),
        ("arp", 101, "expression rejects all packets"),
        ("inbound", 1, "not supported"),
        ("tcp\0udp", 1, "NUL"),
        ("tcp " * MAX_EXPRESSION, 1, "more than 8192"),
        ("tcp", 65000, "unknown data link type 65000"),
    ],
)
def test_refused_in_words(expression: str, linktype: int, message: str) -> None:
    with pytest.raises(FilterError, match=message):
        check_filter(expression, linktype)


def test_long_expressions_match_like_short_ones() -> None:
    """Above MAX_OPTIMIZED the program is not optimized: longer, and right."""
    ports = " or ".join(f"src port {port}" for port in range(54, 154))
    assert len(ports) > MAX_OPTIMIZED
    for expression, matches in ((ports, False), (f"{ports} or src port 53", True)):
        assert compile_filter(expression, 1).matches(ETHERNET, len(ETHERNET), len(ETHERNET)) is matches


def test_deep_expressions_end_in_a_program_or_a_message() -> None:
    deep = "(" * 1000 + "udp" + ")" * 1000
    assert compile_filter(deep, 1).matches(ETHERNET, len(ETHERNET), len(ETHERNET))
    with pytest.raises(FilterError, match=r"memory exhausted|syntax error"):
        compile_filter("not " * 2040 + "(", 1)


def test_many_threads_compile_and_match_at_once() -> None:
    wrong: list[object] = []

    def work(port: int) -> None:
        for n in range(60):
            program = compile_filter(f"udp port {port + n % 2 * 10_000} or tcp port {port}", 1)
            if program.matches(ETHERNET, len(ETHERNET), len(ETHERNET)) is not (port == 53 and n % 2 == 0):
                wrong.append((port, n))
            with pytest.raises(FilterError, match=f"near|syntax|{port}"):
                check_filter(f"tcp port {port} {port}")

    threads = [threading.Thread(target=work, args=(port,)) for port in (53, 54, 80, 443)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
