"""SMTP's commands (RFC 5321, 4.1; pipelining: RFC 2920)."""

from __future__ import annotations

import pytest

from capture.packets.recognise.verbs import SMTP_OPENINGS
from tests.capture.packets.applications.both import assert_corpus_same, both
from tests.capture.packets.applications.figures import packets_with, values_in


def commands(payload: bytes) -> list[bytes | int]:
    return both("SMTP", payload, destination=25).get("smtp-command", [])


@pytest.mark.parametrize(
    ("line", "verb"),
    [
        (b"EHLO client.example\r\n", b"EHLO"),
        (b"helo client.example\r\n", b"HELO"),
        (b"Mail From:<a@example.com> SIZE=100\r\n", b"MAIL"),
        (b"RCPT TO:<b@example.com>\n", b"RCPT"),
        (b"QUIT\r\n", b"QUIT"),
        (b"STARTTLS\r\n", b"STARTTLS"),
        (b"AUTH PLAIN AGEAYg==\r\n", b"AUTH"),
        (b"XFORWARD NAME=spike.example ADDR=168.100.189.2\r\n", b"XFORWARD"),
        (b"NOOP\t\r\n", b"NOOP"),
    ],
)
def test_the_command_is_the_verb_in_upper_case(line: bytes, verb: bytes) -> None:
    assert commands(line) == [verb]


def test_pipelined_commands_all_count() -> None:
    assert commands(b"MAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nrcpt to:<c@x>\r\nDATA\r\n") == [b"MAIL", b"RCPT", b"DATA"]


@pytest.mark.parametrize("last", [b"DATA\r\n", b"BDAT 20 LAST\r\n"])
def test_message_text_behind_data_has_no_commands(last: bytes) -> None:
    assert commands(b"RSET\r\n" + last + b"HELP wanted\r\nQUIT\r\n") == [b"RSET", last[:4]]


def test_the_first_line_that_is_no_command_ends_them() -> None:
    assert commands(b"NOOP\r\nSubject: hello\r\nQUIT\r\n") == [b"NOOP"]
    assert commands(b"AUTH LOGIN\r\ndXNlcg==\r\nQUIT\r\n") == [b"AUTH"]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\r\n",
        b"250 OK\r\nQUIT\r\n",
        b"220 mail.example ESMTP\r\n",
        b"HELPER\r\n",
        b"EHL\r\n",
        b"DATA: x\r\n",
        b"QUIT\rNOOP\r\n",
        b" QUIT\r\n",
        b"STARTTLSX\r\n",
    ],
)
def test_replies_and_other_lines_have_none(payload: bytes) -> None:
    assert commands(payload) == []


def test_a_line_that_goes_on_in_the_next_segment_counts_if_its_verb_is_whole() -> None:
    assert commands(b"MAIL FROM:<a@x>\r\nRCPT TO:<some") == [b"MAIL", b"RCPT"]
    assert commands(b"MAIL FROM:<a@x>\r\nRCP") == [b"MAIL"]


def test_commands_are_those_that_tshark_sees() -> None:
    assert packets_with("smtp-command", "protocols/zeek__smtp.pcap") == {
        "EHLO": 2, "AUTH": 1, "MAIL": 2, "RCPT": 4, "DATA": 2, "QUIT": 1
    }  # fmt: skip


def test_every_opening_is_recognised_on_smtps_ports() -> None:
    lines = [f"{opening}: x\r\n".replace(": x", ":<x@y>" if " " in opening else " x").encode() for opening in SMTP_OPENINGS]
    for port in (25, 587):
        assert values_in("smtp-command", lines, "tcp", 40000, port) == [{opening.split()[0]} for opening in SMTP_OPENINGS]


def test_both_readers_agree_on_real_and_damaged_segments() -> None:
    assert assert_corpus_same("SMTP") > 20
