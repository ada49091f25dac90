"""Carved packets are the very packets, in every form."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from scapy.utils import PcapNgReader, PcapReader

from picapweb_client import Away, Client, Job, PicapwebError, QueryError
from picapweb_client.asking import written
from tests.components import ROOT
from tests.python_client.made import FIRST_NS, STEP_NS, packets_made


def nanoseconds(packet) -> int:
    return int(packet.time * 1_000_000_000)


def test_to_scapy(client: Client, job: Job):
    found = list(client.carve_scapy("udp.dstport == 53", jobs=job))
    assert [bytes(one) for one in found] == [bytes(one) for one in packets_made()[::4]]
    assert [nanoseconds(one) for one in found] == [FIRST_NS + i * STEP_NS for i in range(0, 40, 4)]
    assert found[1]["DNS"].qd[0].qname == b"host1.example."
    assert list(client.carve_scapy("ip.src == 203.0.113.1", jobs=job)) == []


def test_to_scapy_with_nothing_else_imported(client: Client, job: Job):
    packet = f"next(Client({client.http.url!r}).carve_scapy('dns', jobs={job.id}))"
    code = f"from picapweb_client import Client; print({packet}.summary())"
    path = str(ROOT / "client" / "src")
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True)
    assert done.stdout == packets_made()[0].summary() + "\n", done.stderr


def test_a_reader_may_stop_early(client: Client, job: Job):
    for packet in client.carve_scapy(jobs=job):
        assert bytes(packet) == bytes(packets_made()[0])
        break
    assert client.count(jobs=job) == 40


@pytest.mark.parametrize(("name", "reader"), [("out.pcap", PcapReader), ("out.pcapng", PcapNgReader)])
def test_to_a_file_of_the_size_that_was_said(client: Client, job: Job, tmp_path: Path, name: str, reader: type):
    path = tmp_path / name
    carved = client.carve("tcp", path, jobs=job)
    assert (carved.packets, carved.gone, carved.size) == (30, 0, path.stat().st_size)
    assert carved.size == client.carved_size("tcp", jobs=job, format=path.suffix[1:])  # type: ignore[arg-type]
    with reader(str(path)) as packets:
        assert [bytes(one) for one in packets] == [bytes(one) for i, one in enumerate(packets_made()) if i % 4]
    assert client.carve("tcp", jobs=job, format=path.suffix[1:]).data == path.read_bytes()  # type: ignore[arg-type]
    assert [one.name for one in tmp_path.iterdir()] == [name]


def test_what_goes_wrong_leaves_the_file_as_it_was(client: Client, job: Job, tmp_path: Path):
    path = tmp_path / "out.pcap"
    path.write_bytes(b"before")
    with pytest.raises(QueryError):
        client.carve("tcp.prot == 80", path)
    with pytest.raises(QueryError):
        client.carved_size("tcp.prot == 80")
    with pytest.raises(PicapwebError) as error:
        client.carve("tcp", path, format="erf")  # type: ignore[arg-type]
    assert error.value.option == "format"
    with pytest.raises(ZeroDivisionError):
        write_half(path)
    assert path.read_bytes() == b"before"
    assert [one.name for one in tmp_path.iterdir()] == ["out.pcap"]


def write_half(path: Path) -> None:
    with written(path) as file:
        file.write(b"half of it")
        raise ZeroDivisionError


def test_tables_of_packets(client: Client, job: Job, tmp_path: Path):
    table = client.export_arrow("udp", fields=["netsrc", "transdst"], jobs=job)
    assert table.schema.field("time").type == pa.timestamp("ns", "UTC")
    assert table["time"].cast(pa.int64()).to_pylist() == [FIRST_NS + i * STEP_NS for i in range(0, 40, 4)]
    assert table["netsrc"].to_pylist()[:2] == [["10.0.0.1"], ["10.0.0.5"]]
    assert table["transdst"].to_pylist()[0] == [53]
    frame = client.export_pandas("udp", fields=["netsrc"], jobs=job)
    assert str(frame["time"].dtype) == "datetime64[ns, UTC]" and len(frame) == 10
    written_rows = client.export("udp", tmp_path / "out.csv", fields=["netsrc"], jobs=job)
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert (written_rows.packets, len(lines), lines[0].split(",")[-1]) == (10, 11, "netsrc")
    data = client.export("udp", format="jsonl", fields="netsrc", jobs=job).data
    assert data is not None and len(data.splitlines()) == 10


def test_a_table_that_breaks_off_is_no_table(monkeypatch: pytest.MonkeyPatch):
    from picapweb_client.carving import LAST, _complete

    for form, end in [("csv", b'1,2\r\n"this export broke off: gone'), ("jsonl", b'{"error":"gone"'), ("parquet", b"PAR1 half")]:
        with pytest.raises(Away, match="broke off"):
            _complete(end, LAST[form])
