"""Command verbs of SMTP and FTP: the words that a command is told by, for recognisers and readers alike."""

from __future__ import annotations

# RFC 5321; RFC 821 (SEND, SOML, SAML, TURN), 1985 (ETRN), 2645 (ATRN), 3030 (BDAT), 3207 (STARTTLS), 4468 (BURL), 4954 (AUTH);
# XCLIENT and XFORWARD are Postfix's
SMTP: tuple[str, ...] = (
    "EHLO", "HELO", "MAIL", "RCPT", "DATA", "BDAT", "RSET", "VRFY", "EXPN", "HELP", "NOOP", "QUIT", "STARTTLS", "AUTH", "ETRN",
    "TURN", "ATRN", "SEND", "SOML", "SAML", "XCLIENT", "XFORWARD", "BURL",
)  # fmt: skip

# what follows these in the same segment is message text
SMTP_LAST: tuple[str, ...] = ("DATA", "BDAT")

# RFC 959; RFC 737 and 743 (XSEN, XSEM, XMAS, XRSQ, XRCP), 765 (MAIL, MLFL, MSND, MSOM, MSAM, MRSQ, MRCP), 775 (X directories),
# 1639 (LPRT, LPSV), 2228 (security), 2389 (FEAT, OPTS), 2428 (EPRT, EPSV), 2640 (LANG), 3659 (MDTM, MLSD, MLST, SIZE), 7151
# (HOST); then what servers are known to take: IANA's registry has only those of RFCs
FTP: tuple[str, ...] = (
    "USER", "PASS", "ACCT", "CWD", "CDUP", "SMNT", "QUIT", "REIN", "PORT", "PASV", "TYPE", "STRU", "MODE", "RETR", "STOR", "STOU",
    "APPE", "ALLO", "REST", "RNFR", "RNTO", "ABOR", "DELE", "RMD", "MKD", "PWD", "LIST", "NLST", "SITE", "SYST", "STAT", "HELP",
    "NOOP", "XSEN", "XSEM", "XMAS", "XRSQ", "XRCP", "MAIL", "MLFL", "MSND", "MSOM", "MSAM", "MRSQ", "MRCP", "XCUP", "XCWD",
    "XMKD", "XPWD", "XRMD", "LPRT", "LPSV", "ADAT", "AUTH", "CCC", "CONF", "ENC", "MIC", "PBSZ", "PROT", "FEAT", "OPTS", "EPRT",
    "EPSV", "LANG", "MDTM", "MLSD", "MLST", "SIZE", "HOST", "ALG", "ALGS", "AVBL", "CLNT", "COMB", "CSID", "DSIZ", "ESTA",
    "ESTP", "MACB", "MFCT", "MFF", "MFMT", "SPSV", "THMB", "XCRC", "XDUP", "XMD5", "XSHA", "XSHA1", "XSHA256", "XSHA512",
)  # fmt: skip

# What a segment of SMTP may begin with. Message text looks like this, too: where a verb is an English word, no more than must be
SMTP_OPENINGS: tuple[str, ...] = (
    "EHLO", "HELO", "MAIL FROM", "RCPT TO", "DATA", "RSET", "QUIT", "NOOP", "VRFY", "STARTTLS", "AUTH", "EXPN", "BDAT", "HELP",
    "SEND FROM", "SOML FROM", "SAML FROM", "ETRN", "ATRN", "XCLIENT", "XFORWARD", "BURL",
)  # fmt: skip
