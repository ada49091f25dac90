"""What is remarkable about a TCP segment, given those before it: retransmissions, gaps, duplicate acknowledgements, windows.

Wireshark's rules ("TCP Analysis" in its user's guide) and its words, so that a conversation reads here as it does there.
"""

from __future__ import annotations

from dataclasses import dataclass

from capture.packets.segment import ACK, FIN, RST, SYN, Segment

RETRANSMISSION, FAST, SPURIOUS = "Retransmission", "Fast Retransmission", "Spurious Retransmission"
OUT_OF_ORDER, LOST, UNSEEN = "Out-Of-Order", "Previous segment not captured", "ACKed unseen segment"
DUP_ACK, KEEP_ALIVE, KEEP_ALIVE_ACK = "Dup ACK", "Keep-Alive", "Keep-Alive ACK"
ZERO_WINDOW, ZERO_PROBE, ZERO_PROBE_ACK = "ZeroWindow", "ZeroWindowProbe", "ZeroWindowProbeAck"
WINDOW_UPDATE, WINDOW_FULL = "Window Update", "Window Full"
WRONG = frozenset({RETRANSMISSION, FAST, SPURIOUS, OUT_OF_ORDER, LOST, UNSEEN, ZERO_WINDOW, WINDOW_FULL})
FAST_NS = 20_000_000  # behind the last duplicate acknowledgement
ORDER_NS = 3_000_000  # behind the highest segment, where no round-trip time is known
_ENDS = SYN | FIN | RST


@dataclass(slots=True)
class _Side:
    """first: sequence number of relative 0. next: behind the highest byte seen. reach: behind the highest byte up to which none
    is missing. Sequence numbers are as sent, None: not seen yet."""

    first: int | None = None
    next: int | None = None
    next_ns: int | None = None
    reach: int | None = None
    ack: int | None = None
    ack_ns: int | None = None
    window: int = -1
    shift: int | None = None
    seen_syn: bool = False
    only_syn: bool = True  # its last segment was a SYN, the window of which is not shifted
    duplicates: int = 0
    last: str = ""  # what its last segment was, of keep-alives and probes


@dataclass(frozen=True, slots=True)
class Noted:
    """sequence, acknowledgement: relative, as Wireshark counts them; window: shifted where both SYNs were seen."""

    sequence: int
    acknowledgement: int | None
    window: int
    notes: tuple[str, ...]


class Notes:
    """Of one connection; segments come in the order of capture."""

    def __init__(self) -> None:
        self._sides = (_Side(), _Side())
        self._syn_ns: int | None = None
        self._round_trip: int | None = None

    def begins_another(self, side: int, one: Segment) -> bool:
        """Whether a segment is the SYN of another connection between the same ports."""
        first = self._sides[side].first
        return one.flags & (SYN | ACK) == SYN and first is not None and one.sequence != first

    def add(self, side: int, one: Segment, time_ns: int | None) -> Noted:
        """side: 0 or 1, who sent it."""
        mine, other = self._sides[side], self._sides[1 - side]
        syn, acks = bool(one.flags & SYN), bool(one.flags & ACK)
        if mine.first is None or (syn and not mine.seen_syn):  # what was guessed before is known now
            mine.first = one.sequence if syn else _plus(one.sequence, -1)
        if other.first is None and acks:
            other.first = _plus(one.acknowledgement, -1)
        if syn:
            mine.shift, mine.seen_syn = one.shift, True
        self._time_round_trip(one, time_ns)
        notes = self._notes(mine, other, one, time_ns)
        window = one.window
        if not syn and mine.shift is not None and other.shift is not None:
            window <<= mine.shift
        relative = _ahead(one.sequence, mine.first)
        acknowledgement = _ahead(one.acknowledgement, other.first) if acks and other.first is not None else None
        self._keep(mine, one, notes, time_ns)
        return Noted(relative, acknowledgement, window, tuple(notes))

    def _time_round_trip(self, one: Segment, time_ns: int | None) -> None:
        """From the first SYN to the acknowledgement of the SYN-ACK."""
        if one.flags & SYN and not one.flags & ACK and self._syn_ns is None:
            self._syn_ns = time_ns
        elif self._round_trip is None and one.flags & (SYN | ACK) == ACK and all(side.seen_syn for side in self._sides):
            self._round_trip = _since(time_ns, self._syn_ns)

    def _notes(self, mine: _Side, other: _Side, one: Segment, time_ns: int | None) -> list[str]:
        length, ends, expected = one.length, one.flags & _ENDS, one.sequence == mine.next
        if length == 1 and expected and other.window == 0:
            return [ZERO_PROBE]
        notes: list[str] = []
        if one.window == 0 and not ends:
            notes.append(ZERO_WINDOW)
        if mine.next is not None and _after(one.sequence, mine.next) and not one.flags & RST:
            notes.append(LOST)
        keeps = mine.next is not None and length <= 1 and one.sequence == _plus(mine.next, -1) and not ends
        if keeps:
            notes.append(KEEP_ALIVE)
        if length == 0 and not ends and expected:
            notes += self._repeats(mine, other, one)
        if length and not ends and self._is_full(other, one):
            notes.append(WINDOW_FULL)
        if one.flags & ACK and other.reach is not None and _after(one.acknowledgement, other.reach):
            notes.append(UNSEEN)
            other.reach = other.next  # said once
        if not keeps and (length or one.flags & (SYN | FIN)) and mine.next is not None:
            again = self._again(mine, other, one, time_ns)
            if again:
                notes.append(again)
        return notes

    def _repeats(self, mine: _Side, other: _Side, one: Segment) -> list[str]:
        """Of a segment without data where the next byte is expected."""
        same, repeated = one.window == mine.window, one.acknowledgement == mine.ack
        if repeated and one.window and not same:
            return [WINDOW_UPDATE]
        if repeated and one.window and other.last == KEEP_ALIVE:
            return [KEEP_ALIVE_ACK]
        if other.last == ZERO_PROBE and not one.window and same and (repeated or mine.ack == _plus(one.acknowledgement, -1)):
            return [ZERO_PROBE_ACK]
        return [f"{DUP_ACK} #{mine.duplicates + 1}"] if repeated and one.window else []

    @staticmethod
    def _is_full(other: _Side, one: Segment) -> bool:
        """It goes to the very end of the other side's window."""
        if other.ack is None or other.window < 0 or not other.seen_syn:
            return False
        window = other.window << (0 if other.only_syn else other.shift or 0)
        return _plus(one.sequence, one.length) == _plus(other.ack, window)

    def _again(self, mine: _Side, other: _Side, one: Segment, time_ns: int | None) -> str:
        """What a segment with data (or SYN, or FIN) is that does not go on where the last one ended."""
        assert mine.next is not None
        behind = _after(mine.next, one.sequence)
        if one.length > 1 and _plus(mine.next, -1) == one.sequence:
            behind = False  # a probe of a zero window, which is sent again with more
        end = _plus(one.sequence, one.length)
        if one.length and other.ack is not None and not _after(end, other.ack):
            return SPURIOUS
        if not behind:
            return ""
        since_ack = _since(time_ns, other.ack_ns)
        if other.duplicates >= 2 and other.ack == one.sequence and since_ack is not None and since_ack < FAST_NS:
            return FAST
        since = _since(time_ns, mine.next_ns)
        limit = ORDER_NS if self._round_trip is None else self._round_trip
        if since is not None and since < limit and mine.next != _end(one):
            return OUT_OF_ORDER
        return RETRANSMISSION

    @staticmethod
    def _keep(mine: _Side, one: Segment, notes: list[str], time_ns: int | None) -> None:
        if one.acknowledgement != mine.ack:
            mine.duplicates = 0
        if any(note.startswith(DUP_ACK) for note in notes):
            mine.duplicates += 1
        end, probe = _end(one), ZERO_PROBE in notes
        if not probe and (mine.next is None or _after(end, mine.next)):
            mine.next, mine.next_ns = end, time_ns
        if not probe and (mine.reach is None or mine.reach == one.sequence):
            mine.reach = mine.next
        mine.window, mine.ack, mine.ack_ns = one.window, one.acknowledgement, time_ns
        mine.only_syn = bool(one.flags & SYN)
        mine.last = next((note for note in notes if note in (KEEP_ALIVE, ZERO_PROBE)), "")


def _end(one: Segment) -> int:
    """Sequence number behind it; SYN and FIN count as a byte."""
    return _plus(one.sequence, one.length + (1 if one.flags & (SYN | FIN) else 0))


def _plus(sequence: int, count: int) -> int:
    return (sequence + count) & 0xFFFFFFFF


def _ahead(sequence: int, other: int) -> int:
    return (sequence - other) & 0xFFFFFFFF


def _after(sequence: int, other: int) -> bool:
    return 0 < _ahead(sequence, other) < 1 << 31


def _since(now: int | None, then: int | None) -> int | None:
    return None if now is None or then is None else now - then
