"""What is left out of a live capture: our own listeners' traffic, where the interface carries it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from capture.packets.bpf import check_live_filter, compile_filter
from capture.packets.interfaces import Interface
from capture.services import own_traffic

LO = Interface("lo", ["127.0.0.1", "::1"], up=True)
ETH = Interface("eth0", ["192.0.2.7", "2001:db8::7"], up=True)
MIRROR = Interface("mirror0", [], up=True)
ANY = Interface("any", [], up=True)
ALL = [LO, ETH, MIRROR, ANY]


@pytest.fixture
def local(monkeypatch):
    """Settings of its own: those of the session say where its real Postgres is."""
    found = SimpleNamespace(BIND="127.0.0.1", PORT=11000, BROKER_URL="redis+socket:///x/valkey.sock", INDEX_URL="embedded:")
    found.DATABASES = {"default": {"HOST": "/x/run", "PORT": ""}}
    monkeypatch.setattr(own_traffic, "settings", found)
    return found


def test_in_local_mode_only_loopback_carries_it(local):
    assert own_traffic.exclusion(LO, ALL) == "(tcp port 11000 and (host 127.0.0.1 or host ::1))"
    assert own_traffic.exclusion(ANY, ALL) == "(tcp port 11000 and (host 127.0.0.1 or host ::1))"
    assert own_traffic.exclusion(ETH, ALL) == ""
    assert own_traffic.exclusion(MIRROR, ALL) == ""


def test_a_wildcard_is_every_address_of_the_interface(local):
    local.BIND = "0.0.0.0"
    assert own_traffic.exclusion(ETH, ALL) == "(tcp port 11000 and (host 192.0.2.7 or host 2001:db8::7))"
    assert own_traffic.exclusion(MIRROR, ALL) == ""
    assert "host 192.0.2.7" in own_traffic.exclusion(LO, ALL), "to an own address everything goes over loopback"


def test_parts_that_are_reached_over_the_network_are_left_out_too(local):
    local.INDEX_URL = "pilosa://192.0.2.50:10101,192.0.2.51"
    local.BROKER_URL = "redis://:secret@192.0.2.60:6379/0"
    local.DATABASES["default"].update(HOST="192.0.2.70", PORT="5433")
    said = own_traffic.exclusion(ETH, ALL)
    for host, port in (("192.0.2.50", 10101), ("192.0.2.51", 10101), ("192.0.2.60", 6379), ("192.0.2.70", 5433)):
        assert f"(tcp port {port} and (host {host}))" in said
    assert "secret" not in said


def packet(port: int) -> bytes:
    """Ethernet, IPv4, TCP from 127.0.0.1:40000 to 127.0.0.1:port."""
    ip = bytes.fromhex("45000028000140004006") + b"\0\0" + bytes([127, 0, 0, 1]) * 2
    return bytes(12) + b"\x08\x00" + ip + (40000).to_bytes(2, "big") + port.to_bytes(2, "big") + bytes(8) + b"\x50\x02" + bytes(6)


@pytest.mark.parametrize(("wanted", "passes"), [("", True), ("tcp", True), ("udp or tcp", True), ("udp", False)])
def test_the_filter_is_what_was_asked_for_without_our_own_traffic(local, wanted, passes):
    first, *rest = own_traffic.filters(wanted, own_traffic.exclusion(LO, ALL))
    assert rest == [wanted]
    check_live_filter(first, 1)
    program = compile_filter(first, 1)
    assert program.matches(packet(80), 54, 54) == passes
    assert not program.matches(packet(11000), 54, 54)


def test_the_option_takes_it_in(local):
    assert own_traffic.per_interface(["eth0"], "tcp", True, ALL) == {"eth0": ("tcp",)}
    assert own_traffic.per_interface(["lo"], "tcp", False, ALL) == {
        "lo": ("(tcp) and not ((tcp port 11000 and (host 127.0.0.1 or host ::1))) and not (outbound)", "tcp")
    }


def test_the_second_copy_of_what_goes_over_loopback_is_left_out_in_the_kernel(local):
    assert own_traffic.per_interface(["lo"], "tcp", True, ALL) == {"lo": ("(tcp) and not (outbound)", "tcp")}
    (first, second) = own_traffic.per_interface(["any"], "", True, ALL)["any"]
    assert (first, second) == ("not (outbound and ifindex 1)", "")
    check_live_filter(first, 276)


def test_very_many_addresses_leave_the_port(local):
    local.BIND = "::"
    many = Interface("many", [f"192.0.2.{n}" for n in range(100)], up=True)
    assert own_traffic.exclusion(many, [many]) == "tcp port 11000"
