"""Protocols of text lines that are asked on their ports: see capture.packets.recognise.text. Linear in the first line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from capture.packets.compiling import borrowing
from capture.packets.fast.recognise.octets import is_digit, is_letter, is_space, is_word, line_end, octets, three_digits
from capture.packets.recognise.verbs import FTP, SMTP_OPENINGS


def words(texts: Sequence[bytes]) -> NDArray[np.uint8]:
    """A constant for compiled code: one word a row, behind a byte that is its length."""
    table = np.zeros((len(texts), 1 + max(map(len, texts))), np.uint8)
    for row, text in zip(table, texts, strict=True):
        row[0] = len(text)
        row[1 : 1 + len(text)] = octets(text)
    return table


_SMTP = words([opening.encode() for opening in SMTP_OPENINGS])
_FTP = words(sorted((verb.encode() for verb in FTP), key=len, reverse=True))  # ALGS before ALG
_POP3 = words(b"+OK -ERR USER PASS STAT LIST RETR DELE NOOP RSET QUIT TOP UIDL APOP CAPA AUTH STLS".split())
_IMAP_UNTAGGED = words(b"OK NO BAD BYE PREAUTH CAPABILITY LIST FLAGS SEARCH STATUS".split())
_IMAP_TAGGED = words(
    b"OK NO BAD LOGIN CAPABILITY SELECT FETCH UID LOGOUT NOOP LIST LSUB STATUS AUTHENTICATE STARTTLS EXAMINE IDLE CLOSE "
    b"SEARCH".split()
)
_IRC = words(b"NICK USER JOIN PRIVMSG PING PONG MODE NOTICE QUIT PART TOPIC".split())

_SPACE, _DOT, _COLON, _STAR = 32, 46, 58, 42


@borrowing()
def word_length(data, at, end, table, fold):  # type: ignore[no-untyped-def]
    """Length of the first word of `table` that data[at:end] begins with, 0 if none. fold: small letters are as capital ones."""
    if at >= end:
        return 0
    first = _folded(data[at], fold)
    for w in range(len(table)):
        if table[w, 1] != first:
            continue
        size = np.int64(table[w, 0])
        k = 1
        while k < size and at + k < end and _folded(data[at + k], fold) == table[w, 1 + k]:
            k += 1
        if k == size:
            return size
    return 0


@borrowing()
def _folded(value, fold):  # type: ignore[no-untyped-def]
    return value - np.uint8(32) if fold and np.uint8(97) <= value <= np.uint8(122) else value


@borrowing()
def ends_line(data, at, end):  # type: ignore[no-untyped-def]
    """Whether a line end (LF, CR LF) is at `at`."""
    return at < end and (data[at] == 10 or (data[at] == 13 and at + 1 < end and data[at + 1] == 10))


@borrowing()
def is_line(data, at, end):  # type: ignore[no-untyped-def]
    """Whether a line end is at `at` or behind it, with no carriage return alone before."""
    return ends_line(data, line_end(data, at, end), end)


@borrowing()
def _is_reply(data, at, end):  # type: ignore[no-untyped-def]
    """Three digits, a blank or a hyphen, and a line's end."""
    if at + 4 > end or not three_digits(data, at, end):
        return False
    return (data[at + 3] == _SPACE or data[at + 3] == 45) and is_line(data, at + 4, end)


@borrowing()
def _is_command(data, at, end, table, colon):  # type: ignore[no-untyped-def]
    """A word of the table and the line's end, or a blank (or a colon) and a line's end."""
    size = word_length(data, at, end, table, True)
    if size == 0 or at + size >= end:
        return False
    at += size
    if data[at] == _SPACE or (colon and data[at] == _COLON):
        return is_line(data, at + 1, end)
    return ends_line(data, at, end)


@borrowing()
def is_smtp(data, at, end):  # type: ignore[no-untyped-def]
    return _is_reply(data, at, end) or _is_command(data, at, end, _SMTP, True)


@borrowing()
def is_ftp(data, at, end):  # type: ignore[no-untyped-def]
    return _is_reply(data, at, end) or _is_command(data, at, end, _FTP, False)


@borrowing()
def is_pop3(data, at, end):  # type: ignore[no-untyped-def]
    return _is_command(data, at, end, _POP3, False)


@borrowing()
def _is_one_of(data, at, end, table):  # type: ignore[no-untyped-def]
    """Whether data[at:end] is one of the words of the table, small letters as capital ones."""
    for w in range(len(table)):
        if np.int64(table[w, 0]) == end - at and word_length(data, at, end, table[w : w + 1], True):
            return True
    return False


@borrowing()
def is_imap(data, at, end):  # type: ignore[no-untyped-def]
    begun = at
    while at < end and at - begun < 17 and (is_letter(data[at]) or is_digit(data[at]) or data[at] == _DOT):
        at += 1
    tagged = 1 <= at - begun <= 16
    if at == begun and at < end and data[at] == _STAR:
        at += 1
    elif not tagged:
        return False
    if at >= end or data[at] != _SPACE:
        return False
    at += 1
    behind = _behind_word(data, at, end)
    if tagged:
        return _is_one_of(data, at, behind, _IMAP_TAGGED) and is_line(data, behind, end)
    if _is_one_of(data, at, behind, _IMAP_UNTAGGED):
        return is_line(data, behind, end)
    # a number and a word
    while at < end and is_digit(data[at]):
        at += 1
    if at == behind and at < end and is_digit(data[at - 1]) and data[at] == _SPACE:
        behind = _behind_word(data, at + 1, end)
        return behind > at + 1 and is_line(data, behind, end)
    return False


@borrowing()
def _behind_word(data, at, end):  # type: ignore[no-untyped-def]
    while at < end and is_word(data[at]):
        at += 1
    return at


@borrowing()
def is_irc(data, at, end):  # type: ignore[no-untyped-def]
    if at < end and data[at] == _COLON:
        at += 1
        origin = at
        while at < end and not is_space(data[at]):
            at += 1
        if at == origin or at >= end or data[at] != _SPACE:
            return False
        at += 1
    size = 3 if three_digits(data, at, end) else word_length(data, at, end, _IRC, False)
    return size > 0 and at + size < end and data[at + size] == _SPACE and is_line(data, at + size + 1, end)
