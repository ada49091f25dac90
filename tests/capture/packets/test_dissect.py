"""A batch in, columns out: the contract that every dissector keeps."""

from __future__ import annotations

import numpy as np
import pytest

from capture.packets.columns import IntValues, SetValues
from capture.packets.dissect import dissect
from capture.packets.registry import FIELDS, UnknownField
from tests.capture.packets.making import batch_of, counts, per_packet
from tests.capture.packets.test_scapy_headers import IPV4_TCP, IPV6_UDP, TCP, ipv4

TWO_REQUESTS = b"GET /a HTTP/1.1\r\nHost: One\r\n\r\nPOST /b HTTP/1.1\r\nHost: two:81\r\nUser-Agent: x\r\n\r\n"
MIXED = (IPV4_TCP, b"\x50junk", IPV6_UDP, ipv4(6, TCP + TWO_REQUESTS), IPV4_TCP[:22])


def test_columns_keep_the_contract() -> None:
    found = dissect(batch_of(*MIXED, linktype=101, times=[0, 1, 2, 3, 4]), ["all"])
    assert set(found.fields) <= set(FIELDS) - {"job", "tag"}
    for name, values in found.fields.items():
        packet = values.packet.astype(np.int64)
        assert values.packet.dtype == np.uint32 and packet.max() < len(MIXED)
        if isinstance(values, IntValues):
            assert FIELDS[name].kind == "int" and (np.diff(packet) > 0).all() and values.value.dtype == np.int64
            continue
        assert isinstance(values, SetValues)
        assert (np.diff(packet) >= 0).all() and values.code.dtype == np.uint32
        assert len(set(zip(values.packet.tolist(), values.code.tolist(), strict=True))) == len(packet)
        assert set(values.code.tolist()) == set(range(len(values.values)))
        if FIELDS[name].encoding == "text":
            assert isinstance(values.values, list) and all(isinstance(v, bytes) and v for v in values.values)
        else:
            assert isinstance(values.values, np.ndarray) and values.values.dtype == np.uint64


def test_several_requests_in_a_packet_are_several_values() -> None:
    found = dissect(batch_of(*MIXED, linktype=101), ["picap"])
    assert per_packet(found, "http-hostname", 5) == [set(), set(), set(), {"One", "two:81"}, set()]
    assert per_packet(found, "http-method", 5)[3] == {"GET", "POST"}
    assert per_packet(found, "http-useragent", 5)[3] == {"x"}


def test_undecodable_packets_are_counted_and_say_why() -> None:
    found = dissect(batch_of(*MIXED, linktype=101), ["netsrc"])
    assert found.undecodable == 2
    assert counts(found, "error") == {"raw ip: bad version": 1, "tcp: truncated header": 1}
    assert per_packet(found, "netsrc", 5)[4] == {"10.0.0.1"}


def test_an_absent_value_is_no_value() -> None:
    found = dissect(batch_of(ipv4(6, TCP + b"GET / HTTP/1.1\r\nHost:\r\nUser-Agent: \r\n\r\n"), linktype=101), ["picap"])
    assert "http-hostname" not in found.fields and "http-useragent" not in found.fields
    assert counts(found, "http-method") == {"GET": 1}


def test_only_the_fields_that_were_asked_for_and_those_always_there() -> None:
    found = dissect(batch_of(IPV4_TCP, linktype=101, times=[0]), ["netsrc"])
    assert set(found.fields) == {"netsrc", "linktype", "time-second", "time-minute", "time-hour", "time-day"}


def test_the_dissector_and_its_version_are_named() -> None:
    assert [dissect(batch_of(IPV4_TCP), [], name).dissector for name in ("fast", "scapy")] == ["fast-1", "scapy-2"]


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UnknownField, match="netsource"):
        dissect(batch_of(IPV4_TCP), ["netsource"])
    with pytest.raises(ValueError, match="'pyshark'.*scapy"):
        dissect(batch_of(IPV4_TCP), [], "pyshark")
