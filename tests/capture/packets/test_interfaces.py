"""The machine's interfaces, held against what the kernel itself says of them."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from capture.packets import interfaces
from capture.packets.interfaces import default_interface, list_interfaces


def may_capture() -> bool:
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    except PermissionError:
        return False
    return True


def test_the_kernels_interfaces_are_listed() -> None:
    """libpcap leaves out interfaces that are down only where it may not open them."""
    listed = {one.name: one for one in list_interfaces()}
    assert "lo" in listed
    assert set(listed) & {name for _, name in socket.if_nameindex()}
    assert "127.0.0.1" in listed["lo"].addresses
    assert listed["lo"].up


def test_capturable_is_what_a_raw_socket_says() -> None:
    loopback = next(one for one in list_interfaces() if one.name == "lo")
    assert loopback.capturable is may_capture()
    for one in list_interfaces():
        assert one.capturable is (one.why_not == "")


def test_an_interface_says_what_the_kernel_knows_of_it() -> None:
    loopback = next(one for one in list_interfaces(try_them=False) if one.name == "lo")
    assert loopback.raw_name == b"lo"
    assert loopback.mtu == int(Path("/sys/class/net/lo/mtu").read_text())
    assert not loopback.capturable
    assert loopback.linktype is None
    assert loopback.why_not == ""


@pytest.mark.needs("root")
def test_link_types_of_a_successful_try() -> None:
    listed = {one.name: one.linktype for one in list_interfaces()}
    assert listed["lo"] == 1
    assert listed["any"] == 276


@pytest.mark.needs("root")
@pytest.mark.needs("setpriv (util-linux)")
def test_without_the_capability_it_says_what_is_missing_and_what_to_run() -> None:
    program = (
        "import json; from dataclasses import asdict; from capture.packets.interfaces import list_interfaces;"
        "print(json.dumps([asdict(one) for one in list_interfaces()], default=repr))"
    )
    drop = ["setpriv", "--bounding-set=-net_raw,-net_admin", "--inh-caps=-net_raw,-net_admin"]
    run = subprocess.run([*drop, sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loopback = next(one for one in json.loads(run.stdout) if one["name"] == "lo")
    assert not loopback["capturable"]
    assert "CAP_NET_RAW" in loopback["why_not"]
    assert loopback["linktype"] is None
    assert "sudo script/allow-capture" in loopback["why_not"]
    assert "docker compose --profile live up" in loopback["why_not"]


@pytest.mark.needs("ip (iproute2)")
def test_the_default_interface_is_the_kernels() -> None:
    routes = []
    for family in ("-4", "-6"):
        if not routes:
            run = subprocess.run(["ip", "-json", family, "route", "show", "default"], capture_output=True, text=True)
            routes = json.loads(run.stdout or "[]")
    best = min(routes, key=lambda route: route.get("metric", 0))["dev"] if routes else ""
    assert default_interface() == best


ROUTE_HEAD = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT"


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        ([ROUTE_HEAD], ""),
        ([ROUTE_HEAD, "eth0 0000A8C0 00000000 0001 0 0 0 00FFFFFF 0 0 0"], ""),
        (
            [
                ROUTE_HEAD,
                "wlan0 00000000 0100A8C0 0003 0 0 600 00000000 0 0 0",
                "eth0 00000000 0100A8C0 0003 0 0 100 00000000 0 0 0",
            ],
            "eth0",
        ),
        ([ROUTE_HEAD, "lo 00000000 00000000 0201 0 0 0 00000000 0 0 0"], ""),
        ([ROUTE_HEAD, "tun0 00000000 0100A8C0 0003 0 0 0 00000080 0 0 0"], ""),
    ],
    ids=["none", "only a network's", "lowest metric", "unreachable", "half of all addresses"],
)
def test_ipv4_routes(lines: list[str], name: str) -> None:
    assert interfaces._default_ipv4(lines) == name


def test_ipv6_routes() -> None:
    zero = "0" * 32
    reject = f"{zero} 00 {zero} 00 {zero} ffffffff 00000001 00000000 00200200 lo"
    network = f"fd{'0' * 30} 40 {zero} 00 {zero} 00000100 00000001 00000000 00000001 eth1"
    default = f"{zero} 00 {zero} 00 fe80{'0' * 27}1 00000400 00000001 00000000 00000003 eth0"
    assert interfaces._default_ipv6([]) == ""
    assert interfaces._default_ipv6([reject, network]) == ""
    assert interfaces._default_ipv6([network, default, reject]) == "eth0"
