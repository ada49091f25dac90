"""A real server, a real client: the size is kept, and an export that breaks off cannot be taken for a whole one."""

from __future__ import annotations

import http.client
import json
import struct
import time

import pytest

PACKETS, LENGTH = 1000, 60_000
FILE = 24 + PACKETS * (16 + LENGTH)


@pytest.fixture(scope="module")
def job(embedded_product):
    """A capture that does not fit the buffers between the server and its client."""
    records = (struct.pack("<IIII", i, 0, LENGTH, LENGTH) + i.to_bytes(2, "big") * (LENGTH // 2) for i in range(PACKETS))
    body = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1) + b"".join(records)
    headers = {"Content-Type": "application/vnd.tcpdump.pcap", "Accept": "application/json"}
    status, said = embedded_product.ask("POST", "/jobs/?wait=60&index=exported", body, headers)
    job, end = json.loads(said), time.monotonic() + 300
    while job["finished"] is None and time.monotonic() < end:
        time.sleep(0.2)
        job = json.loads(embedded_product.ask("GET", job["url"], headers={"Accept": "application/json"})[1])
    assert (status, job["state"], job["packets"]["indexed"]) == (202, "done", PACKETS)
    return job, body


def test_head_and_get(embedded_product, job):
    connection = http.client.HTTPConnection("127.0.0.1", embedded_product.port, timeout=60)
    connection.request("HEAD", "/packets/export?format=pcap&index=exported")
    head = connection.getresponse()
    assert head.read() == b""
    assert head.headers["Content-Length"] == str(FILE)
    status, got = embedded_product.ask("GET", "/packets/export?format=pcap&index=exported")
    assert (status, got) == (200, job[1])
    connection.close()


def test_a_capture_that_is_cut_on_the_way_breaks_the_answer_off(embedded_product, job):
    connection = http.client.HTTPConnection("127.0.0.1", embedded_product.port, timeout=60)
    connection.request("GET", "/packets/export?format=pcap&index=exported")
    answer = connection.getresponse()
    assert answer.status == 200
    begun = answer.read(1 << 16)
    (stored,) = (embedded_product.server.data / "captures" / str(job[0]["id"])).glob("capture*")
    with stored.open("r+b") as file:
        file.truncate(FILE - LENGTH)
    try:
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            answer.read()
        connection.close()
        status, said = embedded_product.ask("GET", "/packets/export?format=pcap&index=exported")
        assert (status, json.loads(said)["gone"]) == (410, 1)
    finally:
        stored.write_bytes(job[1])
    assert begun == job[1][: 1 << 16]
