"""DNS in compiled loops: see capture.packets.applications.dns. Names are put together here, and made text once for each."""

from __future__ import annotations

import numpy as np

from capture.packets.applications.dns_wire import (
    AAAA,
    CLASS,
    CNAME,
    COST,
    COST_PER_BYTE,
    HEADER,
    IN,
    LONGEST_LABEL,
    LONGEST_NAME,
    MX,
    NS,
    POINTER,
    PTR,
    SRV,
    A,
    ipv4_text,
    ipv6_text,
    name_text,
)
from capture.packets.compiling import borrowing, compiled
from capture.packets.fast.out import EXTRACT, TCP, byte, heap_text, number, room, span
from capture.packets.fast.slots import HEAP, NUMBER, SPAN, Slot

ID, RESPONSE, RCODE, QNAME, QNAME_COMPRESSED, QTYPE, ADDRESS_4, ADDRESS_6, NAME, NAME_COMPRESSED = range(10)
SLOTS = (
    Slot("dns-id", NUMBER),
    Slot("dns-response", NUMBER),
    Slot("dns-rcode", NUMBER),
    Slot("dns-qname", SPAN, name_text),
    Slot("dns-qname", HEAP, name_text),
    Slot("dns-qtype", NUMBER),
    Slot("dns-answer", SPAN, ipv4_text),
    Slot("dns-answer", SPAN, ipv6_text),
    Slot("dns-answer", SPAN, name_text),
    Slot("dns-answer", HEAP, name_text),
)


@borrowing()
def _u16(data, at):  # type: ignore[no-untyped-def]
    return np.int64(data[at]) << 8 | np.int64(data[at + 1])


@borrowing()
def _copy(data, at, end, out):  # type: ignore[no-untyped-def]
    for k in range(at, end):
        byte(out, data[k])


@borrowing()
def _name(data, message, at, end, left, out):  # type: ignore[no-untyped-def]
    """Reads the name at `at` of the message [message, end).

    Answers the offset behind it (-1: it is no name); where it begins on the heap, -1 if it is not compressed and stands in
    the data as it is; and what is left for names.
    """
    begin, part, size = at, at, np.int64(0)
    behind, heap = np.int64(-1), np.int64(-1)
    while at < end:
        label = np.int64(data[at])
        if label == 0:
            if heap < 0:
                return at + 1, heap, left
            _copy(data, part, at + 1, out)
            return behind, heap, left
        if label >= POINTER:
            left -= 2
            if at + 2 > end:
                break
            pointer = message + (_u16(data, at) & 0x3FFF)
            if pointer < message + HEADER or pointer >= begin or left < 0:
                break
            if heap < 0:
                behind, heap = at + 2, out.used[1]
            _copy(data, part, at, out)
            at = begin = part = pointer
        else:
            at += 1 + label
            size += 1 + label
            left -= 1 + label
            if label > LONGEST_LABEL or at > end or size >= LONGEST_NAME or left < 0:
                break
    if heap >= 0:
        out.used[1] = heap
    return np.int64(-1), np.int64(-1), left


@borrowing()
def _write(slot, i, at, end, heap, out):  # type: ignore[no-untyped-def]
    """The name that `_name` found; the slot behind `slot` is that of compressed names."""
    if heap < 0:
        span(out, slot, i, at, end)
    else:
        heap_text(out, slot + 1, i, heap)


@borrowing()
def _behind_name(data, at, end):  # type: ignore[no-untyped-def]
    """The offset behind the name at `at`, wherever its pointer points. Behind `end` if it is none."""
    while at < end:
        label = np.int64(data[at])
        if label == 0:
            return at + 1
        if label >= POINTER:
            return at + 2
        if label > LONGEST_LABEL:
            break
        at += 1 + label
    return end + 1


@borrowing()
def _questions(data, message, end, i, left, out):  # type: ignore[no-untyped-def]
    """Reads the questions. The offset behind them (-1: they are not whole), and what is left for names."""
    at = message + HEADER
    for _ in range(_u16(data, message + 4)):
        behind, heap, left = _name(data, message, at, end, left, out)
        if behind < 0 or behind + 4 > end:
            return np.int64(-1), left
        _write(QNAME, i, at, behind, heap, out)
        number(out, QTYPE, i, _u16(data, behind))
        at = behind + 4
    return at, left


@borrowing()
def _answers(data, message, at, end, i, left, out):  # type: ignore[no-untyped-def]
    """Reads the answer section. What is left for names."""
    for _ in range(_u16(data, message + 6)):
        record = _behind_name(data, at, end)
        if record + 10 > end:
            break
        begin = record + 10
        at = begin + _u16(data, record + 8)
        if at > end:
            break
        kind = _u16(data, record)
        if kind == A or kind == AAAA:
            if _u16(data, record + 2) & CLASS == IN:
                if kind == A and at - begin == 4:
                    span(out, ADDRESS_4, i, begin, at)
                elif kind == AAAA and at - begin == 16:
                    span(out, ADDRESS_6, i, begin, at)
        elif kind == CNAME or kind == PTR or kind == NS or kind == MX or kind == SRV:
            begin += 2 if kind == MX else 6 if kind == SRV else 0
            behind, heap, left = _name(data, message, begin, end, left, out)
            if 0 <= behind <= at:
                _write(NAME, i, begin, behind, heap, out)
    return left


@borrowing()
def _message(data, message, end, i, left, out):  # type: ignore[no-untyped-def]
    """Reads the message [message, end). What is left for names."""
    if message + HEADER > end:
        return left
    response = data[message + 2] >> 7
    number(out, ID, i, _u16(data, message))
    number(out, RESPONSE, i, response)
    if response:
        number(out, RCODE, i, data[message + 3] & 0xF)
    at, left = _questions(data, message, end, i, left, out)
    if at >= 0:
        left = _answers(data, message, at, end, i, left, out)
    return left


@compiled(EXTRACT)
def extract(data, payloads, packets, out):  # type: ignore[no-untyped-def]
    """Header fields, questions and answers of the messages in `packets`."""
    for k in range(len(packets)):
        i = packets[k]
        at, end = payloads.at[i], payloads.end[i]
        left = np.int64(COST + COST_PER_BYTE * (end - at))
        out = room(out, (end - at) // 2 + 4, left)  # a question of 5 bytes has two values; all else takes more bytes
        if payloads.transport[i] != TCP:
            _message(data, at, end, i, left, out)
            continue
        while at + 2 <= end:
            message = at + 2
            at = message + _u16(data, at)
            if at < message + HEADER:
                break
            left = _message(data, message, min(at, end), i, left, out)
    return out
