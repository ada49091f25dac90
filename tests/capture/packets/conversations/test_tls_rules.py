"""How TLS handshakes end, each rule of conversations.tls on packets made by hand."""

from __future__ import annotations

from capture.packets.conversations.tls import TIMEOUT
from capture.packets.declarations.conversations import FIELDS
from tests.capture.packets.conversations.requests_making import (
    CHANGE,
    DATA,
    FINISHED,
    Connection,
    Timed,
    client_hello,
    found,
    record,
    server_hello,
)

_WAYS = next(field.choices for field in FIELDS if field.name == "tls-outcome")
LATE = TIMEOUT / 1e9
FATAL, WARNING = record(21, b"\2\x28"), record(21, b"\1\x70")
DECLINED = record(23, bytes(19))  # TLS 1.3: an encrypted alert


def ways(*packets: Timed) -> list[tuple[int, str]]:
    """(column, how it ended) of all handshakes."""
    said = found(*packets)
    assert {name for name, _, _ in said} <= {"tls-outcome"}
    return [(column, _WAYS[value]) for _, column, value in said]


def talk(*said: tuple[int, bytes], flags: str = "PA") -> list[Timed]:
    """What sides say on one connection, a second apart."""
    tcp = Connection(server_port=443)
    return [tcp.segment(side, 1 + k, data) for k, (side, data) in enumerate(said)]


HELLOS = [(0, client_hello()), (1, server_hello())]


def test_tls_12_is_complete_with_both_finished() -> None:
    said = [*HELLOS, (0, CHANGE + FINISHED), (1, CHANGE + FINISHED)]
    assert ways(*talk(*said)) == [(0, "complete")]
    assert ways(*talk(*said[:-1])) == [(0, "broken-off")]
    # in segments of their own
    said = [*HELLOS, (0, CHANGE), (0, FINISHED), (1, CHANGE), (1, FINISHED)]
    assert ways(*talk(*said)) == [(0, "complete")]
    assert ways(*talk(*said[:-1])) == [(0, "broken-off")]


def test_tls_13_is_complete_with_application_data_of_both() -> None:
    said = [(0, client_hello()), (1, server_hello() + CHANGE + DATA), (0, CHANGE + DATA)]
    assert ways(*talk(*said)) == [(0, "complete")]
    assert ways(*talk(*said[:2])) == [(0, "broken-off")]


def test_handshake_records_before_a_change_are_not_protected() -> None:
    certificate = record(22, b"\x0b" + bytes(30))
    assert ways(*talk(*HELLOS, (1, certificate), (0, certificate), (1, DATA))) == [(0, "broken-off")]


def test_no_server_hello() -> None:
    assert ways(*talk(HELLOS[0])) == [(0, "broken-off")]


def test_a_second_hello_that_was_asked_for_belongs_to_the_first() -> None:
    """HelloRetryRequest: a ServerHello and a ClientHello behind a ChangeCipherSpec, which are no Finished."""
    said = [*HELLOS, (1, CHANGE), (0, CHANGE + client_hello()), (1, server_hello())]
    assert ways(*talk(*said)) == [(0, "broken-off")]
    assert ways(*talk(*said, (1, DATA), (0, DATA))) == [(0, "complete")]


def test_alerts() -> None:
    for alert in (FATAL, record(21, bytes(26)), DECLINED):
        said = [(0, client_hello()), (1, server_hello() + CHANGE + DATA), (0, alert), (0, DATA)]
        assert ways(*talk(*said)) == [(0, "broken-off")], alert
    assert ways(*talk(*HELLOS, (1, WARNING + DATA), (0, DATA))) == [(0, "complete")]
    assert ways(*talk(*HELLOS, (1, DATA), (0, DATA), (0, FATAL))) == [(0, "complete")]
    # Short records of a server, or of a client that has sent a Finished, are no alerts
    assert ways(*talk(*HELLOS, (0, CHANGE + FINISHED), (0, DECLINED), (1, DECLINED))) == [(0, "complete")]


def test_fin_rst_and_syn_break_off() -> None:
    for flags in ("FA", "R", "S"):
        tcp = Connection(server_port=443)
        packets = [tcp.segment(0, 1, client_hello()), tcp.segment(1, 2, server_hello() + DATA), tcp.segment(0, 3, flags=flags)]
        assert ways(*packets, tcp.segment(0, 4, DATA)) == [(0, "broken-off")], flags


def test_the_last_data_may_come_with_a_fin() -> None:
    tcp = Connection(server_port=443)
    packets = [tcp.segment(0, 1, client_hello()), tcp.segment(1, 2, server_hello() + DATA), tcp.segment(0, 3, DATA, "FPA")]
    assert ways(*packets) == [(0, "complete")]


def test_what_comes_behind_the_time_out_is_too_late() -> None:
    for seconds, way in ((LATE, "complete"), (LATE + 0.001, "broken-off")):
        tcp = Connection(server_port=443)
        packets = [tcp.segment(0, 1, client_hello()), tcp.segment(1, 2, server_hello() + DATA), tcp.segment(0, 1 + seconds, DATA)]
        assert ways(*packets) == [(0, way)]


def test_the_same_hello_again_is_nothing_new() -> None:
    tcp = Connection(server_port=443)
    first = tcp.next[0]
    packets = [tcp.segment(0, 1, client_hello()), tcp.at(0, 2, first, client_hello()), tcp.segment(1, 3, server_hello() + DATA)]
    packets += [tcp.segment(0, 4, DATA), tcp.at(0, 5, first, client_hello())]
    assert ways(*packets) == [(0, "complete")]


def test_another_hello_begins_a_new_handshake() -> None:
    """Behind one that ended, or that no server answered."""
    said = [*HELLOS, (1, DATA), (0, DATA)]
    assert ways(*talk(*said, *said)) == [(0, "complete"), (4, "complete")]
    assert ways(*talk(HELLOS[0], *said)) == [(0, "broken-off"), (1, "complete")]


def test_a_hello_of_ssl_2() -> None:
    hello = bytes.fromhex("802e01030100150000001000000401008000000500000a") + bytes(25)
    assert ways(*talk((0, hello), HELLOS[1], (0, CHANGE + FINISHED), (1, CHANGE + FINISHED))) == [(0, "complete")]
