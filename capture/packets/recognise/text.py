"""Protocols of text lines: SIP (RFC 3261), RTSP (RFC 7826), SMTP, FTP, POP3, IMAP, IRC."""

from __future__ import annotations

import re

from capture.packets.recognise.verbs import FTP, SMTP_OPENINGS

_SIP = re.compile(rb"(?:SIP/2\.0 \d{3} |[A-Z]{2,20} \S+ SIP/2\.0\r?\n)")
_RTSP = re.compile(rb"(?:RTSP/\d\.\d \d{3} |[A-Z_]{2,20} \S+ RTSP/\d\.\d\r?\n)")
_REPLY = re.compile(rb"\d{3}[ -][^\r\n]*\r?\n")
_SMTP = re.compile("(?:{})(?:[ :][^\r\n]*)?\r?\n".format("|".join(SMTP_OPENINGS)).encode(), re.I)
_FTP = re.compile("(?:{})(?: [^\r\n]*)?\r?\n".format("|".join(FTP)).encode(), re.I)
_POP3 = re.compile(
    rb"(?:\+OK|-ERR|USER|PASS|STAT|LIST|RETR|DELE|NOOP|RSET|QUIT|TOP|UIDL|APOP|CAPA|AUTH|STLS)(?: [^\r\n]*)?\r?\n", re.I
)
_IMAP = re.compile(
    rb"(?:\* (?:OK|NO|BAD|BYE|PREAUTH|CAPABILITY|LIST|FLAGS|SEARCH|STATUS|\d+ \w+)"
    rb"|[A-Za-z0-9.]{1,16} (?:OK|NO|BAD|LOGIN|CAPABILITY"
    rb"|SELECT|FETCH|UID|LOGOUT|NOOP|LIST|LSUB|STATUS|AUTHENTICATE|STARTTLS|EXAMINE|IDLE|CLOSE|SEARCH))\b[^\r\n]*\r?\n",
    re.I,
)
_IRC = re.compile(rb"(?::\S+ )?(?:NICK|USER|JOIN|PRIVMSG|PING|PONG|MODE|NOTICE|QUIT|PART|TOPIC|\d{3}) [^\r\n]*\r?\n")


def is_sip(payload: bytes) -> bool:
    """True if a message begins with SIP's request or status line, on any port."""
    return _SIP.match(payload) is not None


def is_rtsp(payload: bytes) -> bool:
    """True if a message begins with RTSP's request or status line, on any port."""
    return _RTSP.match(payload) is not None


def is_smtp(payload: bytes) -> bool:
    """True if a segment begins with an SMTP command or reply. Asked on SMTP's ports only: FTP's replies look the same."""
    return (_REPLY.match(payload) or _SMTP.match(payload)) is not None


def is_ftp(payload: bytes) -> bool:
    """True if a segment begins with an FTP command or reply. Asked on FTP's ports only."""
    return (_REPLY.match(payload) or _FTP.match(payload)) is not None


def is_pop3(payload: bytes) -> bool:
    """True if a segment begins with a POP3 command or reply. Asked on POP3's ports only."""
    return _POP3.match(payload) is not None


def is_imap(payload: bytes) -> bool:
    """True if a segment begins with an IMAP command or response. Asked on IMAP's ports only."""
    return _IMAP.match(payload) is not None


def is_irc(payload: bytes) -> bool:
    """True if a segment begins with an IRC message. Asked on IRC's ports only."""
    return _IRC.match(payload) is not None
