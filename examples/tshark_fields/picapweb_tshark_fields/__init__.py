"""Fields of picapweb that tshark reads: an entry point of the group `picapweb.fields` names this module.

FIELDS and `values` are what picapweb looks for (docs/plugin-fields.md); which fields there are, the environment says:
PICAPWEB_TSHARK_FIELDS="tcp.analysis.retransmission,dns.qry.name".
"""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
from collections.abc import Collection, Iterator

import numpy as np
from numpy.typing import NDArray

from capture.packets.batch import NO_TIME, PacketBatch
from capture.packets.columns import SetBuilder, SetValues
from capture.packets.fields import Field

NAMES = "PICAPWEB_TSHARK_FIELDS"
WIRESHARK_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
# Between fields and between the occurrences of one: what tshark never shows in a value, for it escapes control characters.
SEPARATOR, AGGREGATOR = b"\x1e", b"\x1f"
NANOSECOND_PCAP = 0xA1B23C4D  # https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap
LARGEST_PACKET = 262144  # more is a broken file to tshark
SECONDS = 600


def declared(names: str) -> tuple[Field, ...]:
    """A text field for each of Wireshark's names in a list with commas between."""
    return tuple(_field(name) for name in dict.fromkeys(filter(None, (part.strip() for part in names.split(",")))))


def _field(wireshark: str) -> Field:
    if not WIRESHARK_NAME.fullmatch(wireshark):
        raise ValueError(f"{NAMES}: {wireshark!r} is no name of a Wireshark field")
    name = "tshark-" + wireshark.lower().replace(".", "-")
    return Field(
        name,
        "text",
        f"`{wireshark}` as tshark shows it, all occurrences; read batch by batch, earlier batches are not known to it.",
        f"TopN({name}, n=10)",
        level="any",
        protocol=wireshark.partition(".")[0],
        wireshark=wireshark,
    )


FIELDS = declared(os.environ.get(NAMES, ""))
if FIELDS and shutil.which("tshark") is None:
    raise RuntimeError("there is no tshark on the PATH")


def values(batch: PacketBatch, fields: Collection[str], declaration: Collection[Field] = FIELDS) -> dict[str, SetValues]:
    """What tshark shows for the wanted fields in the packets of a batch. Raises RuntimeError in tshark's own words."""
    wanted = [field for field in declaration if field.name in fields]
    rows: list[list[bytes]] = [[] for _ in range(len(batch))]
    linktypes = batch.locator["linktype"]
    for linktype in np.unique(linktypes):  # a pcap file has one
        packets = np.flatnonzero(linktypes == linktype)
        for packet, row in zip(packets, tshark(pcap(batch, packets, int(linktype)), wanted, len(packets)), strict=True):
            rows[packet] = row
    builders = [SetBuilder() for _ in wanted]
    for packet, row in enumerate(rows):
        for builder, shown in zip(builders, row, strict=True):
            for value in shown.split(AGGREGATOR) if shown else ():
                if value:
                    builder.add(packet, value)
    built = {field.name: builder.build() for field, builder in zip(wanted, builders, strict=True)}
    return {name: column for name, column in built.items() if len(column.packet)}


def pcap(batch: PacketBatch, packets: NDArray[np.int64], linktype: int) -> bytes:
    """Those packets as a capture file of that link type, with their times and lengths on the wire."""
    return b"".join([struct.pack("<IHHiIII", NANOSECOND_PCAP, 2, 4, 0, 0, LARGEST_PACKET, linktype), *_records(batch, packets)])


def _records(batch: PacketBatch, packets: NDArray[np.int64]) -> Iterator[bytes]:
    for packet in packets:
        record = batch.locator[packet]
        data = batch.packet(int(packet))[:LARGEST_PACKET]
        time = int(record["time_ns"])
        seconds, nanoseconds = divmod(0 if time == NO_TIME else time, 1_000_000_000)
        yield struct.pack("<IIII", seconds & 0xFFFFFFFF, nanoseconds, len(data), int(record["wire_length"]))
        yield data


def tshark(capture: bytes, fields: Collection[Field], packets: int) -> list[list[bytes]]:
    """Per packet what tshark shows for each field, occurrences with AGGREGATOR between. Raises RuntimeError."""
    command = ["tshark", "-n", "-r", "-", "-T", "fields", "-E", "occurrence=a"]
    command += ["-E", f"separator={SEPARATOR.decode()}", "-E", f"aggregator={AGGREGATOR.decode()}"]
    for field in fields:
        command += ["-e", field.wireshark]
    done = subprocess.run(command, input=capture, capture_output=True, timeout=SECONDS)
    lines = done.stdout.split(b"\n")[:-1]
    if done.returncode != 0 or len(lines) != packets:
        words = " ".join(done.stderr.decode("utf-8", "replace").split()) or f"{len(lines)} lines for {packets} packets"
        raise RuntimeError(f"tshark ended with {done.returncode}: {words}")
    return [line.split(SEPARATOR) for line in lines]
