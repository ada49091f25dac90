"""An exported file that is indexed again gives the same values of every packet."""

from __future__ import annotations

import pytest

from capture.packets.registry import FIELDS
from tests.jobs import run_job

CAPTURES = [
    ("pcap", "pcaps/protocols/zeek__wikipedia.pcap"),
    ("pcap", "pcaps/formats/derived__dpkt__nb6-http__nanosecond.pcap"),
    ("pcapng", "pcaps/formats/derived__dpkt__nb6-http__snap60.pcap"),
    ("pcapng", "pcaps/formats/zeek__pcapng-multi-interface.pcapng"),
    ("pcapng", "pcaps/formats/pcapngtest__be__advanced__test100.pcapng"),
    ("pcapng", "pcaps/formats/pcapngtest__le__difficult__test202.pcapng"),
    ("pcapng", "pcaps/malformed/derived__dpkt__nb6-http__cut-in-record.pcap"),
]
# The job is another, and a flow is one of its job. pcap has no interfaces.
OWN = {"job", "flow"}
NAMES = [name for name, one in FIELDS.items() if one.kind == "set" and name not in OWN]


@pytest.mark.parametrize(("form", "name"), CAPTURES)
def test_the_same_values(client, export, data, shared, tmp_path, form, name):
    first = run_job(shared / name)
    path = tmp_path / f"carved.{form}"
    path.write_bytes(export(format=form, job=first.pk).body)
    second = run_job(path, again=True)

    def told(job):
        url = f"/packets/?job={job.pk}&limit=1000&fields={','.join(NAMES)}"
        return [
            [one["number"], one["time_ns"], one["length"], one["captured_length"], one["fields"]]
            for one in client.get(url).json()["packets"]
        ]

    assert first.packets_indexed == second.packets_indexed > 0
    assert told(second) == told(first)
