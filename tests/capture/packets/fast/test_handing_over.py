"""Packets that the fast dissector cannot take go to scapy, are counted, and stand in their places."""

from capture.packets.dissect import dissect
from tests.robustness.packets import Packet, batch_of
from tests.robustness.values import by_packet

IP = bytes.fromhex("4500001c00010000401100000a0000010a000002003500350008000000000000")[:28]
ETHERNET = bytes.fromhex("0200000000020200000000010800") + IP
FDDI = bytes.fromhex("50020000000002020000000001aaaa030000000800") + IP
LINKTYPES = {"ethernet": 1, "fddi": 10, "none": 60000}


def given(*names: str) -> list[Packet]:
    data = {"ethernet": ETHERNET, "fddi": FDDI, "none": IP}
    return [Packet(data[name], LINKTYPES[name], len(data[name])) for name in names]


def test_link_types_of_scapy_are_handed_over_and_their_values_merged():
    packets = given("ethernet", "fddi", "ethernet", "fddi", "fddi")
    found = dissect(batch_of(packets), ["all"], "fast")
    assert found.handed_over == 3 and found.undecodable == 0
    values = by_packet(found, 5)
    assert all(one["netsrc"] == {b"10.0.0.1"} and one["transdst"] == {53} for one in values)
    assert [b"fddi" in one["protocols"] for one in values] == [False, True, False, True, True]
    assert found.fields["netsrc"].packet.tolist() == [0, 1, 2, 3, 4]


def test_a_link_type_that_nobody_reads_is_an_error_and_not_handed_over():
    found = dissect(batch_of(given("none", "ethernet")), ["all"], "fast")
    assert found.handed_over == 0 and found.undecodable == 1
    assert found.fields["error"].packet.tolist() == [0]


def test_nothing_is_handed_over_where_fast_can_take_all():
    assert dissect(batch_of(given("ethernet", "ethernet")), ["all"], "fast").handed_over == 0
    assert dissect(batch_of(given("fddi")), ["all"], "scapy").handed_over == 0
