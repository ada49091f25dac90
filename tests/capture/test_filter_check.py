"""A capture filter as it is typed: libpcap's words, and the place in the text where it goes wrong."""

from __future__ import annotations

import pytest
from django.test import Client

from capture.packets.bpf import MAX_EXPRESSION
from capture.services import filter_check
from capture.services.filter_check import checked


@pytest.mark.parametrize(
    "text",
    ["", "tcp port 80", "not (port 22 or arp) && icmp6", "tcp[13] = 2", "port http or https", "ether host 00:11:22:33:44:55"],
)
def test_what_is_right(text: str):
    assert (checked(text).ok, checked(text).detail) == (True, "")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("tcp port 80 andd host 1.2.3.4", "andd host"),
        ("porrt 80", "porrt"),
        ("tcp port abc", "abc"),
        ("tcp port 80 udp", "udp"),
        ("tcp) or udp", ") or"),
        ("net 10.0.0.0/40", "10.0.0.0/40"),
        ("host 300.1.1.1", "300.1.1.1"),
        ("udp portrange 1-", "1-"),
        ("vlan 4096000", "4096000"),
    ],
)
def test_where_it_goes_wrong(text: str, word: str):
    said = checked(text)
    assert not said.ok and said.detail and said.position is not None
    assert text[said.position :].startswith(word)


@pytest.mark.parametrize("text", ["tcp port 80 and", "(tcp or udp", "host "])
def test_something_is_missing_at_the_end(text: str):
    assert checked(text).position == len(text.rstrip())


def test_a_filter_that_no_packet_passes_has_no_wrong_word():
    said = checked("tcp and udp")
    assert (said.ok, said.position) == (False, None)
    assert "rejects all packets" in said.detail


def test_hosts_are_named_and_not_looked_up():
    """They could not be: .invalid is nobody's."""
    said = checked("src host.invalid or dst other.invalid and port 53")
    assert (said.ok, said.names) == (True, ["host.invalid", "other.invalid"])


def test_what_only_an_interface_can_answer():
    assert checked("inbound", live=True).ok
    assert not checked("inbound").ok


def test_long_ones_are_left_to_the_job():
    text = " or ".join(f"port {number}" for number in range(1, 400))
    assert filter_check.LONGEST_CHECKED < len(text) < MAX_EXPRESSION
    assert (checked(text).ok, "when the job is made" in checked(text).detail) == (True, True)
    assert not checked(text * 10).ok


def test_the_endpoint():
    client = Client(headers={"host": "localhost"})
    said = client.get("/jobs/check-filter", {"filter": "tcp port"}).json()
    assert said == {"ok": False, "detail": "syntax error", "position": 8, "names": []}
    wrong = client.get("/jobs/check-filter", {"filter": "tcp", "live": "maybe"})
    assert (wrong.status_code, wrong.json()["option"]) == (400, "live")
