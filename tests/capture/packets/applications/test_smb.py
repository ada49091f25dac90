"""SMB's commands: SMB 1 (MS-CIFS, 2.2.3.1), SMB 2 and 3 (MS-SMB2, 2.2.1), framing (MS-SMB2, 2.1; RFC 1002, 4.3)."""

from __future__ import annotations

import pytest

from tests.capture.packets.applications.both import assert_corpus_same, both
from tests.capture.packets.applications.figures import packets_with

READ, WRITE, CLOSE, CREATE, NEGOTIATE1 = 8, 9, 6, 5, 0x72


def framed(message: bytes, kind: int = 0) -> bytes:
    return bytes([kind]) + len(message).to_bytes(3, "big") + message


def smb1(command: int, body: bytes = b"\0\0\0") -> bytes:
    return b"\xffSMB" + bytes([command]) + bytes(27) + body


def smb2(command: int, following: int = 0, body: bytes = bytes(8)) -> bytes:
    head = b"\xfeSMB\x40\0\0\0\0\0\0\0" + command.to_bytes(2, "little") + b"\x1f\x20" + bytes(4) + following.to_bytes(4, "little")
    return head + bytes(64 - len(head)) + body


def test_the_command_of_smb_1_is_its_fifth_byte() -> None:
    assert both("SMB", framed(smb1(NEGOTIATE1)), destination=445) == {"smb-command": [NEGOTIATE1]}


def test_and_x_chains_are_not_followed() -> None:
    """A session setup (0x73) whose AndXCommand is a tree connect (0x75): MS-CIFS, 2.2.3.4."""
    assert both("SMB", framed(smb1(0x73, bytes.fromhex("02 75 00 2900 0000"))), destination=445) == {"smb-command": [0x73]}


def test_several_messages_in_a_segment_all_count() -> None:
    assert both("SMB", framed(smb2(READ)) + framed(smb2(WRITE)) + framed(smb1(0x2E)), destination=445) == {
        "smb2-command": [READ, WRITE],
        "smb-command": [0x2E],
    }


def test_the_commands_of_a_compound_all_count() -> None:
    assert both("SMB", framed(smb2(CREATE, 72) + smb2(READ, 72) + smb2(CLOSE)), destination=445) == {
        "smb2-command": [CREATE, READ, CLOSE]
    }


@pytest.mark.parametrize("following", [1, 63, 71, 73, 4096, 2**32 - 1])
def test_a_next_command_that_leads_nowhere_ends_the_compound(following: int) -> None:
    assert both("SMB", framed(smb2(CREATE, following) + smb2(READ)), destination=445) == {"smb2-command": [CREATE]}


def test_a_compound_may_be_of_headers_only_or_cut_behind_next_command() -> None:
    """Both bounds of what is read: 64 bytes of header, and 14 and 24 of them that tell the command and where the next is."""
    compound = smb2(CREATE, 64, b"") + smb2(READ, 0, b"")
    assert both("SMB", framed(compound), destination=445) == {"smb2-command": [CREATE, READ]}
    assert both("SMB", framed(compound)[: 4 + 64 + 14], destination=445) == {"smb2-command": [CREATE, READ]}
    assert both("SMB", framed(compound[:24]), destination=445) == {"smb2-command": [CREATE]}


def test_a_command_has_two_bytes() -> None:
    assert both("SMB", framed(smb2(0x1205)), destination=445) == {"smb2-command": [0x1205]}


def test_a_message_without_bytes_is_passed() -> None:
    assert both("SMB", framed(b"") + framed(smb2(READ)), destination=445) == {"smb2-command": [READ]}


def test_a_compound_ends_with_its_message() -> None:
    """NextCommand does not lead to what stands behind: here another SMB 2 header, in a frame of a type that is none."""
    segment = framed(smb2(CREATE, 76)) + framed(smb2(READ), 0x01)
    assert both("SMB", segment, destination=445) == {"smb2-command": [CREATE]}


@pytest.mark.parametrize("first", [0xFD, 0xFC])
def test_encrypted_and_compressed_messages_show_no_command(first: int) -> None:
    message = bytes([first]) + b"SMB" + bytes(60)
    assert both("SMB", framed(message) + framed(smb2(READ)), destination=445) == {"smb2-command": [READ]}


@pytest.mark.parametrize(("kind", "body"), [(0x81, b"x" * 68), (0x82, b""), (0x83, b"\x82"), (0x84, b"y" * 6), (0x85, b"")])
def test_what_else_netbios_sessions_have_may_stand_between_messages(kind: int, body: bytes) -> None:
    """RFC 1002, 4.3: session request, positive and negative response, retarget, keep-alive."""
    assert both("SMB", framed(smb2(READ)) + framed(body, kind) + framed(smb2(WRITE)), destination=139) == {
        "smb2-command": [READ, WRITE]
    }


@pytest.mark.parametrize("kind", [0x01, 0x80, 0x86])
def test_a_frame_of_another_type_ends_the_messages(kind: int) -> None:
    assert both("SMB", framed(smb2(READ)) + framed(b"", kind) + framed(smb2(WRITE)), destination=139) == {"smb2-command": [READ]}


def test_a_cut_message_counts_if_its_command_is_there() -> None:
    assert both("SMB", framed(smb2(READ))[: 4 + 14], destination=445) == {"smb2-command": [READ]}
    assert both("SMB", framed(smb2(READ))[: 4 + 13], destination=445) == {}
    assert both("SMB", framed(smb1(0x25))[: 4 + 5], destination=445) == {"smb-command": [0x25]}
    assert both("SMB", framed(smb1(0x25))[: 4 + 4], destination=445) == {}


def test_empty_messages_without_end_come_to_an_end() -> None:
    assert both("SMB", framed(smb2(READ)) + bytes(65000), destination=445) == {"smb2-command": [READ]}


def test_commands_are_those_that_tshark_sees() -> None:
    assert packets_with("smb2-command", "protocols/zeek__smb__smb3.pcap") == {"0": 2, "1": 4, "3": 4}
    capture = "formats/zeek__smb__dssetup_DsRoleGetPrimaryDomainInformation_standalone_workstation.cap"
    # tshark also has 0xff twice: the AndXCommand of two messages, which says that none follows
    assert packets_with("smb-command", capture) == {"4": 2, "162": 2, "37": 4}


def test_both_readers_agree_on_real_and_damaged_segments() -> None:
    assert assert_corpus_same("SMB") > 50
