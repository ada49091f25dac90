"""What tshark and the second pass say of DNS, ICMP echo and HTTP in a capture, frame by frame, in the same words."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from capture.packets.batch import PacketBatch
from capture.packets.conversations import applications
from capture.packets.conversations.contract import NAMES, Found
from capture.packets.reading import read_batch
from capture.packets.sources import decompress, open_capture, sniff

Row = dict[str, list[str]]
# field -> frame (tshark's number) -> values
Said = dict[str, dict[int, set[int]]]

_FIELDS = (
    "frame.number frame.time_epoch frame.protocols"
    " dns.flags.response dns.response_to dns.response_in dns.time dns.retransmit_request_in"
    " icmp.type icmp.ident icmp.seq icmp.resp_to icmp.no_resp icmpv6.type icmpv6.resp_to icmpv6.no_resp"
    " http.request.method http.response_in http.time http.response.code"
    " ip.addr ip.flags.mf ipv6.fraghdr.more data.data tcp.stream tcp.analysis.retransmission tcp.analysis.out_of_order"
).split()
_FILTER = "dns or icmp or icmpv6 or http or tcp.analysis.retransmission or tcp.analysis.out_of_order"


def plain(capture: Path, folder: Path) -> Path:
    """The capture, uncompressed."""
    with capture.open("rb") as file:
        if sniff(file.read(16)) in ("pcap", "pcapng"):
            return capture
    out = folder / f"{capture.name}.plain"
    decompress(capture, out, 1 << 30)
    return out


def batches_of(path: Path, size: int) -> Iterator[PacketBatch]:
    """The packets of a capture in batches of `size`."""
    with open_capture(path) as source:
        for scanned in source.scan(size, ""):
            yield read_batch(path, scanned.locator)


def found_in(path: Path, size: int = 50_000) -> Said:
    """What one state finds; times in microseconds, the row id of other fields."""
    state = applications.state(0, 1)
    said: Said = {}
    numbers: list[int] = []
    for batch in batches_of(path, size):
        first = len(numbers)
        numbers += batch.locator["number"].tolist()
        note(said, state.take(applications.records(batch, first)), numbers)
    note(said, state.end(), numbers)
    assert state.waiting() is None and state.conversations() == 0
    return said


def note(said: Said, found: Found, numbers: list[int]) -> None:
    """Adds what was found; each value may come once."""
    for field, column, value in zip(*(part.tolist() for part in found), strict=True):
        values = said.setdefault(NAMES[field], {}).setdefault(numbers[column], set())
        assert value not in values, (NAMES[field], column, value)
        values.add(value)


def tshark_rows(path: Path) -> list[Row]:
    """The frames of DNS, ICMP and HTTP as tshark shows them after two passes, each field's values; TCP is not put together."""
    command = ["tshark", "-2", "-n", "-r", str(path), "-o", "tcp.desegment_tcp_streams:FALSE", "-o", "ip.defragment:FALSE"]
    command += ["-o", "ipv6.defragment:FALSE", "-Y", _FILTER, "-T", "fields", "-E", "occurrence=a"]
    command += ["-E", "separator=/t", "-E", "aggregator=|"]
    for name in _FIELDS:
        command += ["-e", name]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    rows = []
    for line in done.stdout.splitlines():
        values = line.split("\t")
        if len(values) == len(_FIELDS):  # a method may have line feeds
            rows.append({name: value.split("|") if value else [] for name, value in zip(_FIELDS, values, strict=True)})
    return rows


def _us(seconds: str) -> int:
    return int(Decimal(seconds) * 1_000_000 // 1)


def tshark_says(rows: list[Row]) -> Said:
    """The same of tshark. What ICMP errors quote is left out, and mDNS and LLMNR (see docs/decisions)."""
    said: Said = {}

    def add(field: str, frame: int, value: int) -> None:
        said.setdefault(field, {}).setdefault(frame, set()).add(value)

    by_frame = {int(row["frame.number"][0]): row for row in rows}
    # tshark says who answers on the answer, and on the question unless it could not read all of that
    answered = {int(to) for row in rows for to in row["dns.response_to"]}
    for frame, row in by_frame.items():
        protocols = row["frame.protocols"][0].split(":")
        quoted = [name for name in ("icmp", "icmpv6") if name in protocols and protocols[-1] != name]
        if "dns" in protocols and not quoted:
            _dns(frame, by_frame, answered, add)
        for name, request in (("icmp", "8"), ("icmpv6", "128")):
            for to in row[f"{name}.resp_to"][:1]:
                began = Decimal(by_frame[int(to)]["frame.time_epoch"][0])
                add("icmp-rtt-us", frame, int((Decimal(row["frame.time_epoch"][0]) - began) * 1_000_000 // 1))
            if row[f"{name}.no_resp"] and request in row[f"{name}.type"][:1]:
                add("icmp-unanswered", frame, 0)
        if "http" in protocols and not quoted:
            for time in row["http.time"][:1]:
                add("http-response-us", frame, _us(time))
            for answer in row["http.response_in"]:
                for code in by_frame.get(int(answer), {}).get("http.response.code", [])[-1:]:
                    add("http-request-status", frame, int(code))
    return said


def _dns(frame: int, by_frame: dict[int, Row], answered: set[int], add: Any) -> None:
    row = by_frame[frame]
    for time in row["dns.time"][:1]:
        add("dns-rtt-us", frame, _us(time))
    if any(response in ("0", "False") for response in row["dns.flags.response"]):
        first = int(row["dns.retransmit_request_in"][0]) if row["dns.retransmit_request_in"] else frame
        asked = by_frame[first]
        if first not in answered and not asked["dns.response_in"]:
            add("dns-unanswered", frame, 0)


Difference = tuple[str, int, list[int], list[int]]


def differences(theirs: Said, ours: Said) -> list[Difference]:
    """(field, frame, tshark's values, ours) of all that differ."""
    found = []
    for field in (name for name in applications.FIELDS if name != "tls-outcome"):
        one, other = theirs.get(field, {}), ours.get(field, {})
        for frame in sorted(one.keys() | other.keys()):
            left, right = sorted(one.get(frame, ())), sorted(other.get(frame, ()))
            if left != right:
                found.append((field, frame, left, right))
    return found


def reasons(rows: list[Row], found: list[Difference]) -> dict[int, str]:
    """By frame that differs, why, as far as tshark's own words show it (see docs/decisions)."""
    by_frame = {int(row["frame.number"][0]): row for row in rows}
    data: dict[tuple[str, ...], set[str]] = {}
    for row in rows:
        data.setdefault(_echo(row), set()).add("".join(row["data.data"]))
    again: set[str] = set()
    interim: set[str] = set()
    for row in rows:
        if any(code.startswith("1") for code in row["http.response.code"]):
            interim.update(row["tcp.stream"])
    differs = {frame for _, frame, _, _ in found}
    for frame in differs & by_frame.keys():
        if by_frame[frame]["tcp.analysis.retransmission"] or by_frame[frame]["tcp.analysis.out_of_order"]:
            again.update(by_frame[frame]["tcp.stream"])
    why = {}
    for field, frame, _, _ in found:
        row = by_frame.get(frame, {name: [] for name in _FIELDS})
        if field.startswith("icmp") and _echo(row) and len(data[_echo(row)]) > 1:
            why[frame] = "other data"
        elif field == "dns-rtt-us" and ({"1", "True"} & {*row["ip.flags.mf"], *row["ipv6.fraghdr.more"]}):
            why[frame] = "fragment"
        elif field.startswith("http") and interim.intersection(row["tcp.stream"]):
            why[frame] = "interim"
        elif field.startswith("http") and again.intersection(row["tcp.stream"]):
            why[frame] = "again"
    return why


def _echo(row: Row) -> tuple[str, ...]:
    """What tells an ICMP echo exchange apart."""
    return (*sorted(row["ip.addr"]), *row["icmp.ident"], *row["icmp.seq"]) if row["icmp.ident"] else ()
