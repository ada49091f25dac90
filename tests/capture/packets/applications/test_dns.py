"""DNS messages (RFC 1035, 4), over TCP (RFC 7766), mDNS (RFC 6762) and LLMNR (RFC 4795)."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from capture.packets.recognise import recognise
from tests.capture.packets.applications.both import Values, assert_corpus_same, assert_same, both
from tests.capture.packets.applications.figures import packets_with

A, NS, CNAME, PTR, MX, TXT, AAAA, SRV, OPT = 1, 2, 5, 12, 15, 16, 28, 33, 41
EXAMPLE = b"\7example\3com\0"
POINTER_TO_QUESTION = b"\xc0\x0c"


def message(*parts: bytes, questions: int = 0, answers: int = 0, others: tuple[int, int] = (0, 0), flags: int = 0x0100) -> bytes:
    return struct.pack(">6H", 0x1234, flags, questions, answers, *others) + b"".join(parts)


def question(name: bytes, kind: int = A, of_class: int = 1) -> bytes:
    return name + struct.pack(">HH", kind, of_class)


def record(kind: int, data: bytes, name: bytes = POINTER_TO_QUESTION, of_class: int = 1) -> bytes:
    return name + struct.pack(">HHIH", kind, of_class, 300, len(data)) + data


def udp(payload: bytes) -> Values:
    return both("DNS", payload, "udp", 40000, 53)


def answers(*records: bytes, name: bytes = EXAMPLE) -> list[bytes | int]:
    """The answers that both readers find in a response to a question for `name`."""
    return udp(message(question(name), *records, questions=1, answers=len(records), flags=0x8180)).get("dns-answer", [])


def names(*asked: bytes) -> list[bytes | int]:
    return udp(message(*map(question, asked), questions=len(asked))).get("dns-qname", [])


def test_a_query() -> None:
    assert udp(message(question(EXAMPLE, AAAA), questions=1)) == {
        "dns-id": [0x1234],
        "dns-response": [0],
        "dns-qname": [b"example.com"],
        "dns-qtype": [AAAA],
    }


def test_a_response_repeats_the_question() -> None:
    assert udp(message(question(EXAMPLE), record(A, bytes((93, 184, 216, 34))), questions=1, answers=1, flags=0x8180)) == {
        "dns-id": [0x1234],
        "dns-response": [1],
        "dns-rcode": [0],
        "dns-qname": [b"example.com"],
        "dns-qtype": [A],
        "dns-answer": [b"93.184.216.34"],
    }


def test_the_response_code_is_of_responses() -> None:
    assert udp(message(question(EXAMPLE), questions=1, flags=0x8183))["dns-rcode"] == [3]
    assert "dns-rcode" not in udp(message(question(EXAMPLE), questions=1, flags=0x0103))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (b"\0", b"<Root>"),
        (b"\3CoM\0", b"CoM"),
        (b"\3a.b\1c\0", rb"a\.b.c"),
        (b"\2\\.\0", rb"\\."),
        (b"\3\x00\xff \3com\0", b"\x00\xff .com"),
        (b"\x3f" + b"x" * 63 + b"\0", b"x" * 63),
        ((b"\x3f" + b"x" * 63) * 3 + b"\x3d" + b"y" * 61 + b"\0", b".".join([b"x" * 63] * 3 + [b"y" * 61])),
    ],
)
def test_names_as_text(name: bytes, text: bytes) -> None:
    assert names(name) == [text]


@pytest.mark.parametrize(
    "name", [b"\x40" + b"x" * 64 + b"\0", b"\x80\0", (b"\x3f" + b"x" * 63) * 3 + b"\x3e" + b"y" * 62 + b"\0"]
)
def test_what_is_no_name(name: bytes) -> None:
    """Labels of more than 63 bytes, label types that RFC 6891 gave up, names of more than 255 bytes."""
    assert names(name) == []


def test_several_questions_and_compressed_ones() -> None:
    assert names(EXAMPLE, b"\3www\xc0\x0c", b"\1a\xc0\x1d", b"\xc0\x14") == [
        b"example.com",
        b"www.example.com",
        b"a.www.example.com",
        b"com",
    ]


def test_a_name_and_the_same_name_compressed_are_one_value() -> None:
    assert names(EXAMPLE, POINTER_TO_QUESTION, b"\7example\xc0\x14") == [b"example.com"]


@pytest.mark.parametrize("pointer", [b"\xc0\x0b", b"\xc0\x00", b"\xc0\x1d", b"\xc0\x1f", b"\1a\xc0\x1d", b"\xff\xff", b"\xc0"])
def test_a_pointer_must_point_before_its_part_and_behind_the_header(pointer: bytes) -> None:
    """The question begins at 29: 29 is itself, 31 ahead; b"\\1a" at 29 with a pointer to 29 would go round for ever."""
    assert names(EXAMPLE, pointer) == [b"example.com"]


def test_addresses() -> None:
    assert answers(record(A, bytes(4)), record(AAAA, bytes(15) + b"\1")) == [b"0.0.0.0", b"::1"]
    address = bytes.fromhex("20010db8000000000001000000000001")
    assert answers(record(AAAA, address)) == [b"2001:db8::1:0:0:1"]  # RFC 5952, 4.2


def test_addresses_of_other_lengths_and_classes_are_none() -> None:
    assert answers(record(A, bytes(5)), record(A, b""), record(AAAA, bytes(4)), record(A, bytes(4), of_class=3)) == []


def test_names_in_answers() -> None:
    found = answers(
        record(CNAME, b"\1c" + POINTER_TO_QUESTION),
        record(NS, b"\2ns\0"),
        record(PTR, b"\1p\xc0\x14"),
        record(MX, struct.pack(">H", 10) + b"\2mx" + POINTER_TO_QUESTION),
        record(SRV, struct.pack(">HHH", 0, 5, 5060) + b"\3sip\0"),
        record(MX, struct.pack(">H", 0) + b"\0"),
    )
    assert found == [b"c.example.com", b"ns", b"p.com", b"mx.example.com", b"sip", b"<Root>"]


def test_other_records_are_stepped_over() -> None:
    assert answers(record(TXT, b"\3abc"), record(A, bytes((1, 2, 3, 4))), record(OPT, b"", b"\0")) == [b"1.2.3.4"]


def test_a_name_must_end_within_its_record() -> None:
    """The second record's data would be its continuation."""
    assert answers(record(CNAME, b"\3ww"), record(A, b"\0\0\0\0")) == [b"0.0.0.0"]
    assert answers(record(MX, b"\0"), record(SRV, b""), record(A, bytes(4))) == [b"0.0.0.0"]


def test_only_the_answer_section_answers() -> None:
    found = udp(message(question(EXAMPLE), record(NS, b"\1a\0"), record(A, bytes(4)), questions=1, others=(1, 1), flags=0x8180))
    assert "dns-answer" not in found


def test_of_a_message_cut_in_the_middle_what_is_whole_counts() -> None:
    whole = message(question(EXAMPLE), record(A, bytes((1, 2, 3, 4))), record(A, bytes((5, 6, 7, 8))), questions=1, answers=2)
    assert udp(whole[:-1])["dns-answer"] == [b"1.2.3.4"]
    assert udp(whole[:12]) == {"dns-id": [0x1234], "dns-response": [0]}
    assert udp(whole[:28]) == {"dns-id": [0x1234], "dns-response": [0]}  # the name is whole, its class is not
    assert udp(whole[:11]) == {}


def test_mdns_takes_a_bit_of_the_class() -> None:
    """RFC 6762, 5.4 and 10.2: unicast response wanted, cache flush."""
    name = b"\3mac\5local\0"
    payload = message(question(name, 255, 0x8001), record(A, bytes(4), of_class=0x8001), questions=1, answers=1)
    found = both("DNS", payload, "udp", 5353, 5353)
    assert (found["dns-qname"], found["dns-answer"]) == ([b"mac.local"], [b"0.0.0.0"])


def test_mdns_asks_for_dozens_of_names_at_once() -> None:
    payload = message(question(b"\5local\0"), *[question(b"\1a\xc0\x0c", PTR)] * 80, questions=81)
    assert recognise(payload, "udp", 5353, 5353) == "DNS"
    assert udp(payload)["dns-qname"] == [b"local", b"a.local"]


def tcp(*messages: bytes) -> bytes:
    return b"".join(struct.pack(">H", len(m)) + m for m in messages)


def test_over_tcp_all_messages_that_begin_in_the_segment() -> None:
    messages = [message(question(name), questions=1) for name in (b"\1a\0", b"\1b\0", b"\1c\0")]
    assert both("DNS", tcp(*messages))["dns-qname"] == [b"a", b"b", b"c"]
    assert both("DNS", tcp(*messages)[:-1])["dns-qname"] == [b"a", b"b"]


def test_over_tcp_pointers_count_from_their_own_message() -> None:
    one = message(question(EXAMPLE), questions=1)
    two = message(question(b"\3org\0"), question(b"\1x\xc0\x0c"), questions=2)
    assert both("DNS", tcp(one, two))["dns-qname"] == [b"example.com", b"org", b"x.org"]


def test_over_tcp_a_message_ends_where_its_length_says() -> None:
    cut = message(question(b"\1a\0"), question(b"\1b\0"), questions=2)[:-1]
    assert both("DNS", tcp(cut, message(question(b"\1c\0"), questions=1)))["dns-qname"] == [b"a", b"c"]


def test_over_tcp_a_length_that_holds_no_header_ends_it() -> None:
    assert both("DNS", b"\0\x0b" + bytes(11) + tcp(message(question(EXAMPLE), questions=1))) == {}


def test_hostile_names_cost_no_more_than_the_bound() -> None:
    """A name of 250 bytes and 4,000 records that point to it: what the bound allows is read, and the rest passed over."""
    name = b"\x31" + b"x" * 49
    long = name * 5 + b"\0"
    payload = message(question(long), *[record(CNAME, POINTER_TO_QUESTION)] * 4000, questions=1, answers=4000, flags=0x8180)
    assert assert_same("DNS", payload[:65535], "udp", 53, 40000)["dns-answer"] == [b".".join([b"x" * 49] * 5)]
    late = message(
        question(long), *[record(CNAME, POINTER_TO_QUESTION)] * 3000, record(CNAME, b"\1y\0"), record(A, bytes(4)),
        questions=1, answers=3002, flags=0x8180,
    )  # fmt: skip
    found = assert_same("DNS", late, "udp", 53, 40000)["dns-answer"]
    assert found == [b".".join([b"x" * 49] * 5), b"0.0.0.0"]


def test_chains_of_pointers() -> None:
    links = [b"\1a\0"] + [struct.pack(">H", 0xC000 | at) for at in (12, 19, *range(25, 25 + 6 * 500, 6))]
    payload = message(*map(question, links), questions=len(links))
    assert assert_same("DNS", payload, "udp", 40000, 53)["dns-qname"] == [b"a"]


def test_readers_agree_on_the_shared_captures() -> None:
    assert assert_corpus_same("DNS", mutated=20_000) > 1000


PORTS = "port 53 or port 5353 or port 5355"  # of captures with much else


@pytest.mark.parametrize(
    ("capture", "bpf"),
    [
        ("protocols/nfstream__mdns.pcap", ""),
        ("protocols/nfstream__dns_exfiltration.pcap", ""),
        ("protocols/nfstream__bad-dns-traffic.pcap", ""),
        ("protocols/suricata__dns-tcp-multirequest-buffer__dns-tcp-multirequest-buffer.pcap", ""),
        ("protocols/ics__Profinet_Failed.pcap", ""),
        ("protocols/pcapparser__wireshark_samples-test.pcapng", PORTS),
        ("protocols/arkime__dns-punycode.pcap", ""),
        ("protocols/nfstream__viber.pcap", PORTS),
        ("malformed/zeek__dns__dns-corrupt.pcap", ""),
        ("malformed/nfstream__badpackets.pcap", ""),
    ],
)
def test_names_are_tsharks(shared: Path, capture: str, bpf: str) -> None:
    told = json.loads((shared / "pcaps/truth" / f"{capture}.json").read_text())
    assert packets_with("dns-qname", capture, bpf) == told["any"]["dns.qry.name"]


BAD, ICMP = "protocols/nfstream__bad-dns-traffic.pcap", "protocols/dpkt__dns_icmp.pcap"
RESOLVERS = ("b.resolvers.Level3.net", "google-public-dns-a.google.com", "google-public-dns-b.google.com")


# tshark 4.0.17: -e dns.flags.rcode, dns.qry.type, dns.flags.response; dns.a and dns.ptr.domain_name, with no other sections
@pytest.mark.parametrize(
    ("field", "capture", "figures"),
    [
        ("dns-rcode", BAD, {"0": 159, "2": 3}),
        ("dns-qtype", BAD, {"5": 135, "16": 129, "15": 118}),
        ("dns-response", BAD, {"false": 220, "true": 162}),
        ("dns-answer", ICMP, {"174.137.42.65": 2, **dict.fromkeys(RESOLVERS, 1)}),
    ],
)
def test_counts_are_tsharks(field: str, capture: str, figures: dict[str, int]) -> None:
    assert packets_with(field, capture) == figures
