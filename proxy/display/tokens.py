"""A display filter as tokens, whatever is wrong with it: for completion, which reads what is not finished yet, and for chips,
which need to know where a part of a filter begins and ends. What a filter means is for parse.py to say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

# word: a field or a bare value; text: in quotes, the closing one perhaps missing; mark: one of ( ) { } , ..
Kind = Literal["word", "text", "compare", "and", "or", "not", "in", "quantifier", "bit", "slice", "mark", "other"]

_BY_WORD = ("eq", "ne", "gt", "ge", "lt", "le", "contains", "matches", "any_eq", "any_ne", "all_eq", "all_ne")
COMPARISONS = frozenset((*_BY_WORD, "==", "!=", ">", ">=", "<", "<=", "~", "===", "!==", "~="))
_WORDS: dict[str, Kind] = {"and": "and", "or": "or", "not": "not", "in": "in", "any": "quantifier", "all": "quantifier"}
_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
      | (?P<text>[rR]?"(?:[^"\\]|\\.)*(?:"|\\?\Z) | '(?:[^'\\]|\\.)*(?:'|\\?\Z))
      | (?P<compare>===|!==|==|!=|~=|<=|>=|<|>|~)
      | (?P<and>&&) | (?P<or>\|\|) | (?P<not>!) | (?P<bit>&)
      | (?P<slice>\[[^\]]*(?:\]|\Z))
      | (?P<mark>\.\.|[(){},])
      | (?P<word>(?:[\w:/+-]|\.(?!\.))+)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Token:
    kind: Kind
    text: str
    start: int
    end: int

    @property
    def is_closed(self) -> bool:
        """Of a text: whether its closing quote is there."""
        body = self.text.lstrip("rR")
        return len(body) > 1 and body[-1] == body[0] and (len(body) - len(body[:-1].rstrip("\\"))) % 2 == 1


def tokens(text: str) -> list[Token]:
    """All but white space, in order."""
    found: list[Token] = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "space" or kind is None:
            continue
        word = match[0]
        if kind == "word":
            kind = "compare" if word in COMPARISONS else _WORDS.get(word, "word")
        found.append(Token(kind, word, match.start(), match.end()))  # type: ignore[arg-type]
    return found


def conjuncts(text: str) -> list[str]:
    """The parts of a filter that all have to hold, as they are written; one if it is no conjunction. Of a filter that parses."""
    return [part for start, end in _conjuncts(text, 0, len(text)) if (part := text[start:end].strip())]


def disjuncts(text: str) -> list[str]:
    """The parts of a filter of which one is enough, without brackets around them; one if it is no disjunction. Of a filter that
    parses. Without recursion: what a click adds may stand deep in parentheses."""
    todo, out = [text.strip()], []
    while todo:
        part = todo.pop()
        found = _with_depth(tokens(part))
        tops = [token for token, depth in found if depth == 0]
        cuts = [token for token in tops if token.kind == "or"]
        if cuts:
            edges = [0, *(edge for token in cuts for edge in (token.start, token.end)), len(part)]
            todo += [part[low:high].strip() for low, high in reversed(list(zip(edges[::2], edges[1::2], strict=True)))]
        elif len(tops) == 2 and tops[0].text == "(" and tops[1] is found[-1][0]:
            todo.append(part[tops[0].end : tops[1].start].strip())
        elif part:
            out.append(part)
    return out


def is_disjunction(text: str) -> bool:
    """Whether parts stand side by side of which one is enough."""
    return any(depth == 0 and token.kind == "or" for token, depth in _with_depth(tokens(text)))


def _with_depth(found: list[Token]) -> list[tuple[Token, int]]:
    """Each token with how many brackets it stands in; a bracket itself stands outside of its own."""
    out, depth = [], 0
    for token in found:
        if token.kind == "mark" and token.text in ")}":
            depth -= 1
        out.append((token, depth))
        if token.kind == "mark" and token.text in "({":
            depth += 1
    return out


def _conjuncts(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Without recursion: what a click adds may stand deep in parentheses."""
    todo, out = [(start, end)], []
    while todo:
        low, high = todo.pop()
        found = _with_depth(tokens(text[low:high]))
        if not found:
            continue
        tops = [token for token, depth in found if depth == 0]
        if any(token.kind == "or" for token in tops):
            out.append((low, high))
            continue
        cuts = [token for token in tops if token.kind == "and"]
        if cuts:
            edges = [low, *(low + edge for token in cuts for edge in (token.start, token.end)), high]
            todo += reversed(list(zip(edges[::2], edges[1::2], strict=True)))
            continue
        inner = [token for token, _ in found]
        if inner[0].text == "(" and len(tops) == 2 and tops[1] is inner[-1]:
            todo.append((low + inner[0].end, low + inner[-1].start))
            continue
        out.append((low, high))
    return out
