"""FTP's commands (RFC 959, 4.1, and the RFCs that extend it)."""

from __future__ import annotations

import pytest

from capture.packets.recognise.verbs import FTP
from tests.capture.packets.applications.both import assert_corpus_same, both
from tests.capture.packets.applications.figures import packets_with, values_in


def commands(payload: bytes) -> list[bytes | int]:
    return both("FTP", payload, destination=21).get("ftp-command", [])


@pytest.mark.parametrize(
    ("line", "verb"),
    [
        (b"USER anonymous\r\n", b"USER"),
        (b"pass guest@\r\n", b"PASS"),
        (b"PWD\r\n", b"PWD"),
        (b"Pasv\n", b"PASV"),
        (b"PORT 192,168,0,1,4,1\r\n", b"PORT"),
        (b"EPRT |2|1080::8:800:200C:417A|5282|\r\n", b"EPRT"),
        (b"AUTH TLS\r\n", b"AUTH"),
        (b"MLSD /pub\r\n", b"MLSD"),
        (b"XSHA256 file\r\n", b"XSHA256"),
        (b"CCC\r\n", b"CCC"),
    ],
)
def test_the_command_is_the_verb_in_upper_case(line: bytes, verb: bytes) -> None:
    assert commands(line) == [verb]


def test_several_commands_in_a_segment_all_count() -> None:
    assert commands(b"CWD pub\r\nTYPE I\r\nPASV\r\nRETR DATA\r\n") == [b"CWD", b"TYPE", b"PASV", b"RETR"]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"220 ready\r\nUSER a\r\n",
        b"230-\r\n",
        b"RETRIEVE x\r\n",
        b"\xff\xf4\xff\xf2ABOR\r\n",
        b"1CWD\r\n",
        b"CW\r\n",
        b"PWD\0\r\n",
    ],
)
def test_replies_and_other_lines_have_none(payload: bytes) -> None:
    assert commands(payload) == []


def test_a_line_that_goes_on_in_the_next_segment_counts_if_its_verb_is_whole() -> None:
    assert commands(b"NOOP\r\nSTOR a-long-na") == [b"NOOP", b"STOR"]
    assert commands(b"NOOP\r\nSTO") == [b"NOOP"]


def test_commands_are_those_that_tshark_sees() -> None:
    assert packets_with("ftp-command", "protocols/mercury__ftp.pcap") == {
        "USER": 1, "PASS": 1, "SYST": 1, "FEAT": 1, "PWD": 3, "EPSV": 4, "LIST": 2, "TYPE": 2, "SIZE": 1, "RETR": 1, "MDTM": 1,
        "CWD": 2, "STOR": 1, "MKD": 2, "RMD": 1, "SITE": 1, "QUIT": 1,
    }  # fmt: skip


def test_every_verb_is_recognised_on_ftps_port() -> None:
    lines = [f"{verb} x\r\n".encode() for verb in FTP] + [f"{verb.lower()}\r\n".encode() for verb in FTP]
    assert values_in("ftp-command", lines, "tcp", 40000, 21) == [{verb} for verb in FTP + FTP]


def test_both_readers_agree_on_real_and_damaged_segments() -> None:
    assert assert_corpus_same("FTP") > 40
