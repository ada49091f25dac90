"""What is remarkable about a packet of a conversation, in Wireshark's words, by what the second pass found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from proxy.flows import tcp_notes as words


@dataclass(frozen=True)
class Mark:
    """kind: of its colour: again, lost, ack, window or quiet. about: what it says, for the legend."""

    words: str
    kind: str
    about: str


# By the values of tcp-analysis
MARKS = {
    "retransmission": Mark(words.RETRANSMISSION, "again", "sent again"),
    "fast-retransmission": Mark(words.FAST, "again", "sent again at once, after duplicate ACKs"),
    "spurious-retransmission": Mark(words.SPURIOUS, "again", "sent again though it was acknowledged"),
    "out-of-order": Mark(words.OUT_OF_ORDER, "lost", "overtaken by the segment behind it"),
    "lost-segment": Mark(words.LOST, "lost", "what lies between this and the one before it is not in the capture"),
    "acked-unseen": Mark(words.UNSEEN, "lost", "acknowledges what is not in the capture"),
    "dup-ack": Mark(words.DUP_ACK, "ack", "the same ACK again: something behind it is missing"),
    "window-full": Mark(words.WINDOW_FULL, "window", "the other side has no room for more than this"),
    "zero-window": Mark(words.ZERO_WINDOW, "window", "no room for more data"),
    "zero-window-probe": Mark(words.ZERO_PROBE, "window", "asks whether there is room again"),
    "zero-window-probe-ack": Mark(words.ZERO_PROBE_ACK, "window", "no room still"),
    "window-update": Mark(words.WINDOW_UPDATE, "quiet", "there is room again, or more of it"),
    "keep-alive": Mark(words.KEEP_ALIVE, "quiet", "asks whether the other side is still there"),
    "keep-alive-ack": Mark(words.KEEP_ALIVE_ACK, "quiet", "it is still there"),
    "port-reuse": Mark("Port numbers reused", "quiet", "a connection between ports that had one before"),
}
_BY_WORDS = {mark.words: mark for mark in MARKS.values()}


@dataclass(frozen=True)
class Note:
    """A mark on a packet: its words, perhaps with a number (Dup ACK #2)."""

    words: str
    mark: Mark


def noted(texts: Iterable[str]) -> list[Note]:
    """Of what was read from the segments themselves (tcp_notes)."""
    return [Note(text, _BY_WORDS[text.partition(" #")[0]]) for text in texts]


def found(values: Iterable[str], read: Iterable[str]) -> list[Note]:
    """Of the values of tcp-analysis; `read` (tcp_notes of the same segment) tells which duplicate ACK it is."""
    numbered = {text.partition(" #")[0]: text for text in read}
    return [Note(numbered.get(mark.words, mark.words), mark) for mark in marks_of(values)]


def marks_of(values: Iterable[str]) -> list[Mark]:
    """Of the values of tcp-analysis."""
    return [MARKS[value] for value in values]


def legend(notes: Iterable[Note]) -> list[Mark]:
    """The marks that there are, each once, in the order of MARKS."""
    there = {note.mark for note in notes}
    return [mark for mark in MARKS.values() if mark in there]
