"""SSH: the identification string (RFC 4253, 4.2)."""

from __future__ import annotations

import pytest

from tests.capture.packets.applications.both import assert_corpus_same, both


@pytest.mark.parametrize(
    ("payload", "banner"),
    [
        (b"SSH-2.0-OpenSSH_9.6p1 Ubuntu-3ubuntu13.5\r\n", b"SSH-2.0-OpenSSH_9.6p1 Ubuntu-3ubuntu13.5"),
        (b"SSH-1.99-Cisco-1.25\n", b"SSH-1.99-Cisco-1.25"),  # of version 1, and of many others, without CR
        (b"SSH-2.0-a\r\n" + bytes.fromhex("0000001c 0a 14") + bytes(26), b"SSH-2.0-a"),  # the key exchange follows
        (b"SSH-2.0-\xc3\xa9 \xff\r\n", b"SSH-2.0-\xc3\xa9 \xff"),
        (b"SSH-2.0-a\rb\r\r\n", b"SSH-2.0-a\rb\r"),
        (b"SSH-\n", b"SSH-"),
    ],
)
def test_the_banner_is_the_line_without_its_end(payload: bytes, banner: bytes) -> None:
    assert both("SSH", payload, "tcp", 22, 40000) == {"ssh-banner": [banner]}


def test_a_banner_that_is_cut_is_none() -> None:
    assert both("SSH", b"SSH-2.0-OpenSSH_9.6p1 Ubun", "tcp", 22, 40000) == {}


def test_segments_without_a_banner() -> None:
    assert both("SSH", bytes.fromhex("000004fc 0a 14") + bytes(60) + b"SSH-2.0-a\r\n", "tcp", 22, 40000) == {}
    assert both("SSH", b"", "tcp", 22, 40000) == {}


def test_both_readers_find_the_same_in_the_shared_captures_and_in_damaged_payloads() -> None:
    assert assert_corpus_same("SSH") > 20
