"""The recorder on real interfaces: what was sent is in the files, byte by byte, and the counts say so."""

from __future__ import annotations

import json
import shutil
import socket
import struct
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from capture.packets.live import reader
from capture.packets.live.device import Device
from capture.packets.sources import open_capture
from tests.capture.packets.live.recording import check, frame, packets_of, recording, running
from tests.netns import Namespace, namespace, veth_pair
from tests.server import ROOT

pytestmark = pytest.mark.needs("root for network namespaces", "ip (iproute2)")


@pytest.fixture(scope="module")
def pair():
    """A pair of interfaces that tests leave as they are."""
    with veth_pair(mtu=9000) as made:
        yield made


def test_what_was_sent_is_in_the_file(pair: Namespace, tmp_path: Path) -> None:
    sent = [frame(number, 14 + 7 * (number % 200) if number % 200 > 1 else 60) for number in range(3000)]
    before = time.time_ns()
    with running(pair, tmp_path) as made:
        pair.send("va", sent)
        assert made.stop().kind == "stopped"
    packets = made.packets()
    assert [one.data for one in packets] == sent
    assert all(one.wire_length == len(one.data) for one in packets)
    assert all(one.time_ns <= two.time_ns for one, two in pairwise(packets))
    assert before <= packets[0].time_ns <= packets[-1].time_ns <= time.time_ns()
    assert {one.time_ns % 1000 for one in packets} != {0}
    assert {(one.interface, one.linktype) for one in packets} == {("vb", 1)}
    interface = made.interface
    assert (interface.received, interface.captured, interface.unread) == (3000, 3000, 0)
    assert interface.bytes_captured == sum(map(len, sent))
    assert (interface.linktype, interface.mtu, interface.super_frames) == (1, 9000, 0)


def test_what_the_file_says_of_itself(pair: Namespace, tmp_path: Path) -> None:
    with running(pair, tmp_path, filters={b"vb": ("not ip",)}) as made:
        pair.send("va", [frame(number) for number in range(10)])
        pair.send("va", [frame(number, kind=b"\x08\0") for number in range(5)])
        made.stop()
    with open_capture(made.paths[0]) as source:
        assert len(list(source.scan(100))) == 1
        info = source.info
    (interface,) = info.interfaces
    assert info.application == "picapweb"
    assert info.os.startswith("Linux")
    assert info.resolution == "10^-9"
    assert (interface.name, interface.filter, interface.snaplen) == ("vb", "not ip", 262144)
    assert (interface.received, interface.accepted, interface.dropped, interface.os_dropped) == (10, 10, 0, 0)


def test_nothing_is_lost_at_the_end(pair: Namespace, tmp_path: Path) -> None:
    """What the kernel has at the moment of the stop is read, though its block is not full and its time not over."""
    for turn in range(5):
        folder = tmp_path / str(turn)
        folder.mkdir()
        with running(pair, folder, timeout=0.2) as made:
            sent = [frame(number) for number in range(7)]
            pair.send("va", sent)
            made.stop()
        assert [one.data for one in made.packets()] == sent


def test_nothing_is_lost_at_the_end_on_a_busy_machine(pair: Namespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader comes to its last looks when the time for them is over."""
    refuse_all = Device.refuse_all

    def and_wait(device: Device) -> None:
        refuse_all(device)
        time.sleep(0.5)  # the kernel hands over what it has meanwhile

    monkeypatch.setattr(Device, "refuse_all", and_wait)
    monkeypatch.setattr(reader, "DRAIN_SECONDS", -60.0)
    with running(pair, tmp_path, timeout=0.2) as made:
        sent = [frame(number) for number in range(7)]
        pair.send("va", sent)
        made.stop()
    assert [one.data for one in made.packets()] == sent


@pytest.mark.needs("tshark")
def test_other_programs_read_it_without_complaint(pair: Namespace, tmp_path: Path) -> None:
    with running(pair, tmp_path, b"va", b"vb", file_bytes=20_000) as made:
        pair.send("va", [frame(number, 61 + number % 3) for number in range(200)])
        made.stop()
    assert len(made.paths) > 1
    for path in made.paths:
        expected = len(packets_of(path))
        run = subprocess.run(["tshark", "-n", "-r", path, "-T", "fields", "-e", "frame.number"], capture_output=True, text=True)
        complaints = [line for line in run.stderr.splitlines() if "Running as user" not in line]
        assert (run.returncode, complaints, len(run.stdout.split())) == (0, [], expected)
        if shutil.which("capinfos"):
            said = subprocess.run(["capinfos", "-Mc", path], capture_output=True, text=True, check=True)
            assert f"Number of packets:   {expected}" in said.stdout


def test_tagged_frames_keep_their_tag(pair: Namespace, tmp_path: Path) -> None:
    tagged = [frame(number, kind=b"\x81\0" + struct.pack(">H", 0x6000 | number) + b"\x88\xb5") for number in range(1, 50)]
    twice = [frame(number, kind=b"\x88\xa8\0\x07\x81\0\0\x08\x88\xb5") for number in range(50)]
    with running(pair, tmp_path) as made:
        pair.send("va", tagged + twice)
        made.stop()
    assert [one.data for one in made.packets()] == tagged + twice
    assert {one.wire_length for one in made.packets()} == {60}


def test_a_tag_that_the_kernel_strips_is_restored(pair: Namespace, tmp_path: Path) -> None:
    """As with a card that takes the tag off: a socket is given the frame without it, and the tag beside it."""
    tagged = [frame(number, 100, b"\x81\0\x60\x4d\x88\xb5") for number in range(20)]
    with pair.inside():
        plain = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        plain.bind(("vb", 3))
    with plain, running(pair, tmp_path, filters={b"vb": ("vlan 77",)}) as made:
        pair.send("va", tagged + [frame(number, 100, b"\x81\0\x60\x4e\x88\xb5") for number in range(20)])
        pair.send("va", [frame(number) for number in range(20)])
        assert plain.recv(200) == tagged[0][:12] + tagged[0][16:]
        made.stop()
    assert [one.data for one in made.packets()] == tagged


def test_jumbo_frames(pair: Namespace, tmp_path: Path) -> None:
    sent = [frame(number, 9014 - number) for number in range(300)]
    with running(pair, tmp_path) as made:
        pair.send("va", sent)
        made.stop()
    assert [one.data for one in made.packets()] == sent
    assert made.interface.super_frames == 0


def test_super_frames_are_counted(tmp_path: Path) -> None:
    """What is larger than the link's own packets was joined by the kernel, or will be cut by it."""
    with veth_pair() as made_pair, running(made_pair, tmp_path, b"va") as made:
        made_pair.run("ip", "addr", "add", "10.9.9.1/24", "dev", "va")
        made_pair.run("ip", "link", "set", "dev", "va", "arp", "on")
        with namespace() as other:
            made_pair.run("ip", "link", "set", "dev", "vb", "netns", other.name)
            other.run("ip", "addr", "add", "10.9.9.2/24", "dev", "vb")
            other.run("ip", "link", "set", "dev", "vb", "arp", "on")
            other.up("vb")
            with other.inside():
                listener = socket.create_server(("10.9.9.2", 5000))
            with listener:
                with made_pair.inside():
                    sending = socket.create_connection(("10.9.9.2", 5000), timeout=60)
                with sending, listener.accept()[0] as receiving:
                    sending.sendall(bytes(100_000))
                    left = 100_000
                    while left:
                        left -= len(receiving.recv(left))
            made.stop()
    long = [one for one in made.packets() if one.wire_length > 1522]
    assert made.interface.super_frames == len(long) > 0


def test_packets_are_cut_to_the_snaplen(pair: Namespace, tmp_path: Path) -> None:
    sent = [frame(number, 60 + number) for number in range(100)]
    with running(pair, tmp_path, snaplen=65) as made:
        pair.send("va", sent)
        made.stop()
    assert [(one.data, one.wire_length) for one in made.packets()] == [(one[:65], len(one)) for one in sent]
    assert made.interface.bytes_captured == sum(min(65, len(one)) for one in sent)


def test_any_captures_on_all_interfaces(pair: Namespace, tmp_path: Path) -> None:
    sent = [frame(number) for number in range(50)]
    with running(pair, tmp_path, b"any", filters={b"any": ("ether proto 0x88b5",)}) as made:
        pair.send("va", sent)
        made.stop()
    packets = made.packets()
    with pair.inside():
        indices = {socket.if_nametoindex(name) for name in ("va", "vb")}
    assert {one.linktype for one in packets} == {276}
    assert len(packets) == 100  # out at one, in at the other
    assert {int.from_bytes(one.data[4:8], "big") for one in packets} == indices
    assert sorted(one.data[20:] for one in packets) == sorted(one[14:] for one in sent * 2)
    assert made.interface.received == 100


def test_several_interfaces(pair: Namespace, tmp_path: Path) -> None:
    sent = [frame(number, 100) for number in range(500)]
    with running(pair, tmp_path, b"va", b"vb", file_bytes=10_000) as made:
        pair.send("va", sent[:250])
        pair.send("vb", sent[250:])
        made.stop()
    for name in ("va", "vb"):
        assert [one.data for one in made.packets() if one.interface == name] == sent
    assert [one.captured for one in made.snapshot.interfaces] == [500, 500]


def test_files_turn_at_their_size(pair: Namespace, tmp_path: Path) -> None:
    """Each stands alone: it opens, and its first packet follows the last one of the file before."""
    sent = [frame(number, 200) for number in range(1000)]
    with running(pair, tmp_path, file_bytes=30_000, first_sequence=7, packets_before=100) as made:
        pair.send("va", sent)
        made.stop()
        snapshot = made.snapshot
        made.recorder.forget(9)
    assert [path.name for path in made.paths] == [f"live-{number:06}.pcapng" for number in range(7, 7 + len(made.paths))]
    assert [one.data for one in made.packets()] == sent
    assert [one.sequence for one in made.snapshot.files] == [one.sequence for one in snapshot.files][3:]
    assert snapshot.files[0].packets_before == 100
    assert not any(one.open for one in snapshot.files)
    # One block of 232 bytes at most beyond the size, and a statistics block.
    assert all(30_000 <= one.size <= 30_000 + 232 + 120 for one in snapshot.files[:-1])


def test_a_file_is_whole_as_far_as_is_told(pair: Namespace, tmp_path: Path) -> None:
    """Whoever reads as far as a snapshot says finds whole blocks, and as many packets."""
    copy = tmp_path / "copy"
    folder = tmp_path / "ring"
    folder.mkdir()
    with running(pair, folder) as made:
        made.until(lambda now: any(one.size for one in now.files))
        with pair.sender("va") as sender:
            for number in range(4000):
                sender.send(frame(number, 60 + number % 900))
                if number % 400 == 0:
                    snapshot = made.snapshot
                    check(snapshot)
                    (state,) = snapshot.files
                    assert state.open
                    with state.path.open("rb") as file:
                        copy.write_bytes(file.read(state.size))
                    assert len(packets_of(copy)) == state.packets
        made.until(lambda now: now.captured == 4000)


@pytest.mark.parametrize("most", [1, 100, 777])
def test_the_packet_rule_is_exact(pair: Namespace, tmp_path: Path, most: int) -> None:
    with running(pair, tmp_path, b"va", b"vb", max_packets=most + 5, packets_before=5) as made:
        pair.send("va", [frame(number) for number in range(1000)])
        assert made.until_ended().kind == "packets"
        check(made.snapshot)
    assert len(made.packets()) == most == made.snapshot.captured


@pytest.mark.parametrize("most", [1, 60, 6001])
def test_the_byte_rule_is_exact(pair: Namespace, tmp_path: Path, most: int) -> None:
    with running(pair, tmp_path, max_bytes=most + 11, bytes_before=11) as made:
        pair.send("va", [frame(number) for number in range(200)])
        assert made.until_ended().kind == "bytes"
        check(made.snapshot)
    assert len(made.packets()) == -(-most // 60)
    # The rule may end it while packets are still being sent: what had come until then is accounted for.
    interface = made.interface
    assert interface.captured + interface.unread == interface.received <= 200


def test_the_time_rule(pair: Namespace, tmp_path: Path) -> None:
    began = time.monotonic()
    with recording(pair, tmp_path, max_seconds=100.4, seconds_before=100.0) as made:
        assert made.until_ended().kind == "seconds"
    assert time.monotonic() - began >= 0.4


def test_rules_that_were_reached_before(pair: Namespace, tmp_path: Path) -> None:
    with recording(pair, tmp_path, max_packets=5, packets_before=5) as made:
        assert made.until_ended().kind == "packets"
    assert made.paths == []


def test_the_disk_rule(pair: Namespace, tmp_path: Path) -> None:
    with recording(pair, tmp_path, min_free_bytes=1 << 60) as made:
        ended = made.until_ended()
    assert ended.kind == "disk"
    assert "bytes free" in ended.words


def test_names_of_any_bytes(tmp_path: Path) -> None:
    name = b"ve\xff\x01"
    with veth_pair("va", name) as pair, running(pair, tmp_path, name) as made:
        pair.send("va", [frame(1)])
        made.stop()
    assert [(one.data, one.interface) for one in made.packets()] == [(frame(1), "ve\\xff\x01")]
    assert made.interface.name == name


def test_promiscuous_only_where_that_is_asked_for(pair: Namespace, tmp_path: Path) -> None:
    for promisc in (False, True):
        folder = tmp_path / str(promisc)
        folder.mkdir()
        with running(pair, folder, promisc=promisc):
            (said,) = json.loads(pair.run("ip", "-d", "-j", "link", "show", "vb").stdout)
            assert said["promiscuity"] == int(promisc)


def test_a_snapshot_needs_no_compiler() -> None:
    """Who reads what a recorder says, as web processes do, does not pay for what a capture needs."""
    program = "import sys, capture.packets.live.recorder, capture.packets.live.recovery; sys.exit('numba' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


def test_it_never_writes_over_a_file(pair: Namespace, tmp_path: Path) -> None:
    (tmp_path / "live-000001.pcapng").write_bytes(b"somebody's")
    with recording(pair, tmp_path) as made:
        assert made.until_ended().kind == "error"
    assert (tmp_path / "live-000001.pcapng").read_bytes() == b"somebody's"


def test_a_full_disk_ends_it_with_whole_files(pair: Namespace, tmp_path: Path) -> None:
    """What the disk still took is kept to the last whole block, what it did not is counted as unread."""
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", small], check=True)
    try:
        with running(pair, small) as made:
            pair.send("va", [frame(number, 1400) for number in range(2000)])
            ended = made.until_ended()
            check(made.snapshot)
        assert ended.kind == "disk"
        assert "No space left" in ended.words
        captured = made.interface.captured
        assert 0 < captured < 1000
        assert [one.data for one in made.packets()] == [frame(number, 1400) for number in range(captured)]
        assert made.interface.unread > 0
    finally:
        subprocess.run(["umount", small], check=True)
