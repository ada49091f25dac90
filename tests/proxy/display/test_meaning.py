"""What filters mean, in calls: P(f) is every packet that has the field, on every level that is indexed."""

from __future__ import annotations

import pytest

from capture.packets.declarations.conversations import TCP_ANALYSIS
from capture.packets.registry import FIELDS
from capture.packets.values import bytes_of
from indexing import predicates as p
from indexing.calls import Call, RowRef, postorder
from proxy.display.compile import compile_filter
from proxy.display.fields import REFUSED, meanings
from proxy.display.write import narrowed, value_filter, without


def call(text: str) -> str:
    return show(compile_filter(text).call)


def show(one: Call) -> str:
    """A call in few words."""
    if one.name == "Row":
        ref = one.args.get("row")
        if isinstance(ref, RowRef):
            return f"{ref.field}={ref.row}"
        field, condition = one.args["condition"]
        return f"{field} {condition.op} {'null' if condition.value is None else condition.value}"
    if one.name == "Values":
        where = one.args["where"]
        return f"{one.args['field']}:*" if where == p.Everything() else f"{one.args['field']}:{where}"
    sign = {"Union": " | ", "Intersect": " & ", "Difference": " - "}.get(one.name)
    if sign is None:
        return f"{one.name}({', '.join(map(show, one.children))})"
    return f"({sign.join(map(show, one.children))})"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("ip.src == 10.0.0.1", "(netsrc=10.0.0.1 | inner-netsrc=10.0.0.1 | quoted-netsrc=10.0.0.1)"),
        ("outer:ip.src == 10.0.0.1", "netsrc=10.0.0.1"),
        ("ipv6.dst == 2001:DB8:0::1", "(netdst=2001:db8::1 | inner-netdst=2001:db8::1 | quoted-netdst=2001:db8::1)"),
        ("outer:tcp.dstport == 0x1BB", "(transdst=443 & transproto=TCP)"),
        ("outer:tcp.flags == 0x012", "tcp-flagset=SYN,ACK"),
        ("outer:tcp.flags == 0", "tcp-flagset=none"),
        ("outer:tcp.flags & 2", "tcp=SYN"),
        ("outer:tcp.flags.syn == 1", "tcp=SYN"),
        ("outer:tcp.flags.syn == 0", "(tcp-flagset:* - tcp=SYN)"),
        ("outer:tcp.flags.syn", "tcp-flagset:*"),
        ("outer:tcp.flags.syn != 1", "(tcp-flagset:* - tcp=SYN)"),
        ("vlan.id == 5", "vlan=5"),
        ("ieee8021ad.id == 5", "vlan-svc=5"),
        ("vlan.id != 5", "(vlan:* - vlan=5)"),
        ("!(vlan.id == 5)", "Not(vlan=5)"),
        ("vlan.id not in {5, 6}", "Not((vlan=5 | vlan=6))"),
        ("any vlan.id != 5", "vlan:Not(inner=Compare(op='==', value=b'5', order='number'))"),
        ("all vlan.id == 5", "(vlan:* - vlan:Not(inner=Compare(op='==', value=b'5', order='number')))"),
        ("dns", "protocols=dns"),
        (
            "tcp.analysis.retransmission",
            "(tcp-analysis=retransmission | tcp-analysis=fast-retransmission | tcp-analysis=spurious-retransmission)",
        ),
        ("tcp.analysis.fast_retransmission", "tcp-analysis=fast-retransmission"),
        ("tcp.analysis.flags", "tcp-analysis:*"),
        ("not tcp.analysis.flags", "Not(tcp-analysis:*)"),
        ("tcp.analysis", "(tcp-analysis:* | tcp-rtt-us != null | tcp-irtt-us != null)"),
        ("icmp.no_resp", "(icmp-unanswered=true & protocols=icmp)"),
        ("tcp.analysis.ack_rtt > 0.2", "tcp-rtt-us > 200000"),
        ("tcp.analysis.ack_rtt > 0.2000001", "tcp-rtt-us >= 200001"),
        ("tcp.analysis.ack_rtt >= 0.2000001", "tcp-rtt-us >= 200001"),
        ("tcp.analysis.ack_rtt < 0.2000001", "tcp-rtt-us <= 200000"),
        ("tcp.analysis.ack_rtt == 0.2000001", "()"),
        ("tcp.analysis.ack_rtt != 0.2000001", "tcp-rtt-us != null"),
        ("tcp.analysis.initial_rtt <= 1", "tcp-irtt-us <= 1000000"),
        ("dns.time != 1", "(dns-rtt-us != null - dns-rtt-us == 1000000)"),
        ("http.time in {1..2.5}", "http-response-us >< [1000000, 2500000]"),
        ("icmp.resptime > 1.5", "(icmp-rtt-us > 1500 & protocols=icmp)"),
        ("icmpv6.resptime < 0.0005", "(icmp-rtt-us <= 0 & protocols=icmpv6)"),
        ("tcp-rtt-us > 1099511627775", "tcp-rtt-us > 1099511627775"),
        ("frame", "Not((" + "))"),
        ("dns.flags.response", "(dns-response=false | dns-response=true)"),
        ("dns.flags.response == 1", "dns-response=true"),
        ('arp.opcode == "Reply"', "arp-op=2"),
        ("arp.opcode == reply", "arp-op=2"),
        ('appproto == "DNS"', "appproto=DNS"),
        ("job == 7", "job=7"),
        ('tunnel == "vxlan"', "tunnel=vxlan"),
        ("frame.len > 1000", "length > 1000"),
        ("frame.len in {60..70}", "length >< [60, 70]"),
        ('http.host contains ""', "()"),
        ('http.host matches "X"', "http-hostname:Matches(pattern='X', ignore_case=True)"),
        ("tcp.flags == 0x1000", "()"),
    ],
)
def test_a_filter_in_calls(text, meant):
    assert call(text) == meant


def test_time_takes_the_longest_rows_that_fit():
    text = call('frame.time >= "2012-04-02 23:58:30" and frame.time < "2012-04-05 00:00:00Z"')
    assert "time-day:Compare(op='>=', value=b'1333411200'" in text
    assert "time-second:Between(low=b'1333411110', high=b'1333411139'" in text
    assert "time-minute:Between(low=b'1333411140', high=b'1333411140'" in text


def test_a_zone_moves_a_time():
    assert call('frame.time >= "2012-04-02 04:28:30+02:00"') == call('frame.time >= "2012-04-02 02:28:30"')
    assert call('frame.time >= "2012-04-02T02:28:30Z"') == call("frame.time_epoch >= 1333333710")


def test_every_name_of_the_registry_can_be_asked_for():
    for field in FIELDS.values():
        for name in [*field.wireshark.split(), field.name]:
            assert name in meanings() or name in REFUSED, name
            if name in meanings():
                assert compile_filter(name).call is not None


def test_what_the_index_does_not_tell_apart_is_said():
    assert "not told apart" in compile_filter('dns.cname == "a"').notes[0]
    assert compile_filter("tcp.port == 80 or udp.port == 80").notes == compile_filter("sctp.port == 1").notes != ()
    assert compile_filter("outer:tcp.port == 80").notes == ()
    assert compile_filter("ip.src == 10.0.0.1").notes == ()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("netsrc", "10.0.0.1"),
        ("netdst", "2001:db8::1"),
        ("eth-src", "00:0c:29:aa:bb:cc"),
        ("transsrc", "443"),
        ("vlan", "5"),
        ("http-hostname", 'a"b\\\\c'),
        ("http-path", "\\xff\\x00 \u00e9\n"),
        ("dns-answer", "www.example.com"),
        ("dns-answer", "10.0.0.1"),
        ("ip-flags", "DF"),
        ("tcp", "NS"),
        ("time-minute", "2012-04-02T02:28:00Z"),
        ("appproto", "DNS"),
    ],
)
def test_a_click_on_a_value_makes_a_filter_of_its_row(field, value):
    found = compile_filter(value_filter(field, value)).call
    assert found.args["row"].field == field
    assert bytes_of(found.args["row"].row) == bytes_of(value)
    assert show(compile_filter(narrowed("dns or arp", field, value)).call) == f"((protocols=dns | protocols=arp) & {show(found)})"
    assert show(compile_filter(without("", field, value)).call) == f"Not({show(found)})"


def test_every_mark_of_tcp_analysis_has_a_filter():
    """Wireshark's words, one for each of ours; `retransmission` is all kinds of it."""
    found = set()
    for name in meanings():
        if name.startswith("tcp.analysis."):
            for node in postorder(compile_filter(name).call):
                if isinstance(node.args.get("row"), RowRef):
                    found.add(node.args["row"].row)
    assert found == set(TCP_ANALYSIS)


def test_where_less_is_told_apart_it_is_said():
    assert "whole microseconds" in compile_filter("dns.time > 1").notes[0]
    assert "one packet of a connection" in compile_filter("tcp.analysis.initial_rtt > 1").notes[0]
    assert "bytes in flight" in compile_filter("tcp.analysis").notes[0]
    assert compile_filter("tcp.analysis.retransmission").notes == ()
