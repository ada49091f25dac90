"""Others on the same packets, in the same run: what a reader of the page knows, to compare with."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from benchmarks.timing import Subject

# 13 fields, as in the notes on picap (../shared/anchors)
TSHARK_FIELDS = (  # noqa: SIM905
    "frame.len ip.src ip.dst ipv6.src ipv6.dst ip.proto tcp.srcport tcp.dstport udp.srcport udp.dstport tcp.flags http.host "
    "http.user_agent"
).split()


def references(capture: Path, packets: int, sample: Path, tiny: Path, parseonly: Path | None) -> tuple[list[Subject], list[str]]:
    """Subjects, and sentences on those that are missing here. sample, tiny: shorter captures, for slow and very slow ones."""
    subjects = [Subject("scapy", "`scapy.all.Ether(raw)` of every packet: full dissection", partial(_scapy, tiny))]
    missing = []
    if find_spec("dpkt"):
        subjects.append(Subject("dpkt", "Ethernet, IP, TCP or UDP; takes addresses and ports", partial(_dpkt, sample)))
    else:
        missing.append("dpkt is not installed")
    if shutil.which("tshark"):
        options = [part for name in TSHARK_FIELDS for part in ("-e", name)]
        tshark = ["tshark", "-n", "-r", str(sample), "-T", "fields", *options]
        subjects.append(Subject("tshark", "`-T fields`, 13 fields", partial(_lines, tshark)))
    else:
        missing.append("tshark is not installed")
    if parseonly is not None:
        gopacket = [str(parseonly), str(capture), "reify", "1"]
        subjects.append(
            Subject("gopacket", "its decoding alone, as picap used it (one parser)", partial(_run, gopacket, packets))
        )
    else:
        missing.append("gopacket's figure needs Go and ../shared/anchors (or --parseonly)")
    for name, does, options in (
        ("capinfos", "`-c`: counts record headers", ["-c", str(capture)]),
        ("tcpdump", "`-w /dev/null`: reads and writes", ["-n", "-r", str(capture), "-w", "/dev/null"]),
    ):
        if shutil.which(name):
            subjects.append(Subject(name, does, partial(_run, [name, *options], packets)))
        else:
            missing.append(f"{name} is not installed")
    return subjects, missing


def build_parseonly(anchors: Path, folder: Path) -> Path | None:
    """picap's decoding alone, built by ../shared/anchors/build.sh into `folder`; None where there is no Go or no sources."""
    script = anchors / "build.sh"
    if shutil.which("go") is None or not script.exists():
        return None
    done = subprocess.run(["bash", str(script), str(folder)], capture_output=True, text=True)
    built = folder / "parseonly"
    if done.returncode or not built.exists():
        print(f"gopacket was not built: {done.stderr.strip().splitlines()[-1:]}")
        return None
    return built


def _run(command: list[str], packets: int) -> int:
    """A program that goes through `packets` packets. It has this process's one core (and Go knows it)."""
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, "GOMAXPROCS": "1"})
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr.decode(errors='replace').strip()}")
    return packets


def _lines(command: list[str]) -> int:
    """A program that prints a line a packet: the lines are counted."""
    packets = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as running:
        assert running.stdout is not None
        while piece := running.stdout.read(1 << 16):
            packets += piece.count(b"\n")
    if running.returncode:
        raise RuntimeError(f"{command[0]} failed: {running.returncode}")
    return packets


def _raw(capture: Path) -> Iterator[bytes]:
    """The packets of a pcap file, read by scapy's own raw reader."""
    from scapy.utils import RawPcapReader

    with RawPcapReader(str(capture)) as reader:
        for data, _ in reader:
            yield data


def _scapy(capture: Path) -> int:
    from scapy.all import Ether  # type: ignore[attr-defined]

    packets = 0
    for data in _raw(capture):
        Ether(data)
        packets += 1
    return packets


def _dpkt(capture: Path) -> int:
    import dpkt  # type: ignore[import-untyped]

    packets = 0
    with capture.open("rb") as file:
        for _, data in dpkt.pcap.Reader(file):
            packets += 1
            try:
                ip = dpkt.ethernet.Ethernet(data).data
                if isinstance(ip, (dpkt.ip.IP, dpkt.ip6.IP6)) and isinstance(ip.data, (dpkt.tcp.TCP, dpkt.udp.UDP)):
                    _ = ip.src, ip.dst, ip.data.sport, ip.data.dport
            except dpkt.dpkt.Error:
                pass
    return packets
