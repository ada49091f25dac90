"""Interfaces that go down, come back, are deleted, or were never there; and those that may not be captured on."""

from __future__ import annotations

import fcntl
import io
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from capture.packets.interfaces import list_interfaces
from tests.capture.packets.live.recording import check, frame, recording, running
from tests.netns import Namespace, veth_pair
from tests.server import ROOT, clean_environment

pytestmark = pytest.mark.needs("root for network namespaces", "ip (iproute2)")


TUNSETIFF, IFF_TUN_NO_PI = 0x400454CA, 0x1001


@pytest.fixture
def pair():
    with veth_pair() as made:
        yield made


def test_an_interface_that_goes_down_and_comes_back(pair: Namespace, tmp_path: Path) -> None:
    with running(pair, tmp_path) as made:
        pair.send("va", [frame(1), frame(2)])
        pair.down("vb")
        found = made.until(lambda now: now.interfaces[0].state == "down").interfaces[0]
        assert found.words == "vb is down"
        pair.up("vb")
        # At once, not when its state is looked at the next time: nothing that comes in is lost.
        pair.send("va", [frame(3), frame(4)])
        made.until_up()
        assert made.interface.words == ""
        pair.send("va", [frame(5)])
        made.stop()
    assert [one.data for one in made.packets()] == [frame(number) for number in range(1, 6)]
    assert made.interface.received == 5


def test_an_interface_that_is_down_at_the_start_is_waited_for(pair: Namespace, tmp_path: Path) -> None:
    pair.down("vb")
    with recording(pair, tmp_path, b"va", b"vb", gone_seconds=0.1) as made:
        made.until(lambda now: [one.state for one in now.interfaces] == ["up", "down"])
        time.sleep(0.3)
        pair.up("vb")
        made.until_up()
        pair.send("va", [frame(1)])
        made.stop()
    assert sorted(one.interface for one in made.packets()) == ["va", "vb"]


def test_a_deleted_interface_ends_the_recorder_after_a_while(pair: Namespace, tmp_path: Path) -> None:
    with running(pair, tmp_path, gone_seconds=0.3) as made:
        pair.send("va", [frame(1), frame(2)])
        pair.delete("vb")
        found = made.until(lambda now: now.interfaces[0].state == "gone").interfaces[0]
        assert "does not exist" in found.words
        ended = made.until_ended()
        check(made.snapshot)
    assert ended.kind == "gone"
    assert "vb" in ended.words
    assert [one.data for one in made.packets()] == [frame(1), frame(2)]


def test_one_of_two_that_is_deleted_ends_nothing(pair: Namespace, tmp_path: Path) -> None:
    pair.veth("vc", "vd")
    with running(pair, tmp_path, b"vb", b"vd", gone_seconds=0.1) as made:
        pair.delete("vb")
        made.until(lambda now: now.interfaces[0].state == "gone")
        time.sleep(0.3)
        pair.send("vc", [frame(1)])
        assert made.stop().kind == "stopped"
    assert [one.data for one in made.packets()] == [frame(1)]


def test_an_interface_that_is_made_anew(pair: Namespace, tmp_path: Path) -> None:
    with running(pair, tmp_path, gone_seconds=60) as made:
        pair.send("va", [frame(1)])
        pair.delete("vb")
        made.until(lambda now: now.interfaces[0].state == "gone")
        pair.veth("va", "vb")
        made.until_up()
        pair.send("va", [frame(2)])
        made.stop()
    assert [one.data for one in made.packets()] == [frame(1), frame(2)]
    assert (made.interface.received, made.interface.captured) == (2, 2)


def test_one_with_another_link_type_is_described_anew(pair: Namespace, tmp_path: Path) -> None:
    """Packets before and after have each their own link type, in this file and in the next."""
    with pair.inside():
        tunnel = io.FileIO("/dev/net/tun", "r+")
    with tunnel, running(pair, tmp_path, file_bytes=600, gone_seconds=60) as made:
        pair.send("va", [frame(1)])
        pair.delete("vb")
        made.until(lambda now: now.interfaces[0].state == "gone")
        fcntl.ioctl(tunnel, TUNSETIFF, struct.pack("=16sH22x", b"vb", IFF_TUN_NO_PI))
        pair.quiet("vb")
        pair.up("vb")
        made.until_up()
        assert made.interface.linktype == 101
        pair.run("ip", "addr", "add", "198.51.100.2/24", "dev", "vb")
        with pair.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for _ in range(20):
                sender.sendto(b"something", ("198.51.100.1", 9))
        made.until(lambda now: now.captured > 1)
        made.stop()
    assert {one.linktype for one in made.packets()} == {1, 101}
    assert len(made.paths) > 1


def test_an_interface_that_was_never_there(pair: Namespace, tmp_path: Path) -> None:
    with recording(pair, tmp_path, b"nobody", gone_seconds=0.2) as made:
        assert made.until_ended().kind == "gone"
    assert made.recorder.ended.words == "nobody does not exist"
    assert made.paths == []


def test_a_filter_that_cannot_be_used(pair: Namespace, tmp_path: Path) -> None:
    with recording(pair, tmp_path, filters={b"vb": ("ether host nonsense",)}) as made:
        ended = made.until_ended()
    assert ended.kind == "error"
    assert ended.words.startswith("the filter cannot be used on vb: ")
    assert made.interface.state == "refused"


def test_the_first_filter_that_compiles_is_used(pair: Namespace, tmp_path: Path) -> None:
    with running(pair, tmp_path, filters={b"vb": ("(", "ether proto 0x88b5 and greater 100", "ip")}) as made:
        pair.send("va", [frame(1, 60), frame(2, 100), frame(3, 100, b"\x08\0")])
        made.stop()
    assert made.interface.filter == "ether proto 0x88b5 and greater 100"
    assert [one.data for one in made.packets()] == [frame(2, 100)]


@pytest.mark.parametrize(("name", "expression"), [(b"va", "outbound"), (b"vb", "inbound"), (b"any", "inbound and ifindex {vb}")])
def test_what_only_the_kernel_knows_holds_from_the_first_packet_on(
    pair: Namespace, tmp_path: Path, name: bytes, expression: str
) -> None:
    with pair.inside():
        expression = expression.format(vb=socket.if_nametoindex("vb"))
    with running(pair, tmp_path, name, filters={name: (expression,)}) as made:
        pair.send("va", [frame(1)])
        pair.send("vb", [frame(2)])
        made.stop()
    assert [one.data[-40:] for one in made.packets()] == [frame(1)[-40:]]


def test_a_filter_that_the_kernel_cannot_run(pair: Namespace, tmp_path: Path) -> None:
    """`any` has no link header in the kernel: a filter that reads it runs in this process, and the counts still add up."""
    with running(pair, tmp_path, b"any", filters={b"any": ("link[11] = 6 and ether proto 0x88b5",)}) as made:
        pair.send("va", [frame(number) for number in range(10)])
        made.stop()
    assert len(made.packets()) == made.interface.received == 20


def test_what_is_no_network_interface_is_captured_on_as_well(pair: Namespace, tmp_path: Path) -> None:
    """libpcap offers more, by other modules: of netfilter's log nothing comes, and that is no error."""
    with pair.inside():
        if not any(one.name == "nflog" and one.capturable for one in list_interfaces()):
            pytest.skip("needs a kernel with netfilter's log")
    with running(pair, tmp_path, b"nflog", b"vb") as made:
        pair.send("va", [frame(1)])
        time.sleep(0.2)
        assert [one.state for one in made.snapshot.interfaces] == ["up", "up"]
        assert made.stop().kind == "stopped"
    assert [(one.interface, one.data) for one in made.packets()] == [("vb", frame(1))]
    assert made.interface.linktype == 239


@pytest.mark.needs("setpriv (util-linux)")
def test_without_the_right_it_says_what_to_run(pair: Namespace, tmp_path: Path) -> None:
    program = f"""
import time, pathlib
from capture.packets.live.recorder import Recorder, RecorderOrder
from capture.packets.live.priority import prefer_this_process
print(prefer_this_process())
recorder = Recorder(RecorderOrder((b"vb",), pathlib.Path({str(tmp_path)!r})))
recorder.start()
while recorder.ended is None:
    time.sleep(0.01)
print(recorder.ended.kind, recorder.ended.words, recorder.snapshot().interfaces[0].state)
"""
    lacking = "-net_raw,-net_admin,-sys_nice"
    drop = ["setpriv", f"--bounding-set={lacking}", f"--inh-caps={lacking}"]
    command = ["ip", "netns", "exec", pair.name, *drop, sys.executable, "-c", program]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, cwd=ROOT, env=clean_environment())
    priority, ended = run.stdout.splitlines()
    assert "may not" in priority
    assert ended.startswith("error vb cannot be captured on: this process lacks CAP_NET_RAW. Run sudo script/allow-capture")
    assert ended.endswith("refused")
