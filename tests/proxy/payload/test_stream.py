"""What becomes of segments that are missing, come twice, too late, in part, or over the end of the sequence numbers."""

from __future__ import annotations

from capture.packets.segment import ACK, FIN, SYN, TCP, Segment
from proxy.flows.stream import CUT, HELD, MISSING, Chunk, Connection


class Talk:
    """A connection; `begin` is the sequence number of side 0's first byte."""

    def __init__(self, begin: int = 1000, syn: bool = True) -> None:
        self.connection, self.begin, self.place = Connection(), begin, 0
        self.chunks: list[Chunk] = []
        if syn:
            self.send(b"", -1, flags=SYN)

    def send(self, data: bytes, at: int, *, length: int | None = None, flags: int = ACK, side: int = 0, ack: int = 0) -> None:
        """Bytes from offset `at` on; ack: offset up to which the other side's are acknowledged."""
        size = len(data) if length is None else length
        numbers = (self.begin + at) & 0xFFFFFFFF, (self.begin + ack) & 0xFFFFFFFF
        one = Segment(TCP, b"", b"", 1, 2, 0, len(data), size, *numbers, flags, 100)
        self.chunks += self.connection.add(side, self.place, one, data)
        self.place += 1

    def acknowledge(self, up_to: int) -> None:
        self.send(b"", 0, side=1, ack=up_to)

    @property
    def said(self) -> list[bytes | tuple[int, str]]:
        """Bytes that hang together, and (how many, why) between them."""
        out: list[bytes | tuple[int, str]] = []
        for chunk in self.chunks:
            if chunk.missing:
                out.append((chunk.missing, chunk.why))
            elif out and isinstance(out[-1], bytes):
                out[-1] += chunk.data
            else:
                out.append(chunk.data)
        return out


def test_what_comes_later_fills_the_gap_before_it():
    talk = Talk()
    talk.send(b"cd", 2)
    assert talk.said == []
    talk.send(b"ab", 0)
    talk.send(b"ef", 4)
    assert talk.said == [b"abcdef"]
    assert [chunk.packet for chunk in talk.chunks] == [2, 1, 3]
    assert [chunk.offset for chunk in talk.chunks] == [0, 2, 4]


def test_bytes_that_come_again_count_once_and_are_counted():
    talk = Talk()
    talk.send(b"abcd", 0)
    talk.send(b"abcd", 0)
    talk.send(b"XXef", 2)
    assert talk.said == [b"abcdef"]
    assert talk.connection.sides[0].repeated == 6


def test_a_gap_is_given_up_when_what_lies_behind_it_is_acknowledged():
    talk = Talk()
    talk.send(b"ab", 0)
    talk.send(b"gh", 6)
    talk.acknowledge(2)
    assert talk.said == [b"ab"]
    talk.acknowledge(8)
    assert talk.said == [b"ab", (4, MISSING), b"gh"]
    talk.send(b"cdef", 2)  # too late
    assert talk.said == [b"ab", (4, MISSING), b"gh"]


def test_what_waits_at_the_end_is_told():
    talk = Talk()
    talk.send(b"ab", 0)
    talk.send(b"ef", 4)
    talk.chunks += talk.connection.finish()
    assert talk.said == [b"ab", (2, MISSING), b"ef"]


def test_bytes_that_were_acknowledged_and_never_seen_are_told_at_the_end():
    talk = Talk()
    talk.send(b"ab", 0)
    talk.send(b"", 7, flags=FIN | ACK)
    talk.acknowledge(8)
    talk.chunks += talk.connection.finish()
    assert talk.said == [b"ab", (5, MISSING)]


def test_nothing_is_missing_where_a_fin_is_acknowledged_that_was_not_seen():
    talk = Talk()
    talk.send(b"ab", 0)
    talk.acknowledge(3)
    talk.chunks += talk.connection.finish()
    assert talk.said == [b"ab"]


def test_a_packet_that_was_cut():
    talk = Talk()
    talk.send(b"ab", 0, length=5)
    talk.send(b"fg", 5)
    assert talk.said == [b"ab", (3, CUT), b"fg"]


def test_sequence_numbers_begin_again():
    talk = Talk(begin=0xFFFFFFFE)
    talk.send(b"ab", 0)
    talk.send(b"ef", 4)
    talk.send(b"cd", 2)
    assert talk.said == [b"abcdef"]


def test_a_capture_that_begins_in_the_middle():
    talk = Talk(syn=False)
    talk.send(b"cd", 2)
    talk.send(b"ab", 0)  # from before, too late
    talk.send(b"bcde", 1)
    assert talk.said == [b"cde"]
    assert talk.connection.sides[0].early == 3
    assert talk.connection.sides[0].repeated == 2


def test_of_very_much_that_waits_the_gap_is_given_up():
    talk = Talk()
    piece = bytes(1 << 20)
    for number in range((HELD >> 20) + 1):
        talk.send(piece, 10 + number * len(piece))
    assert talk.said[0] == (10, MISSING)
    assert len(talk.said[1]) == (HELD >> 20) * len(piece) + len(piece)


def test_another_connection_between_the_same_ports():
    talk = Talk()
    again = Segment(TCP, b"", b"", 1, 2, 0, 0, 0, 999, 0, SYN, 100)
    other = Segment(TCP, b"", b"", 1, 2, 0, 0, 0, 5000, 0, SYN, 100)
    assert not talk.connection.begins_another(0, again)
    assert talk.connection.begins_another(0, other)
