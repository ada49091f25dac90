"""Where the cursor stands in a display filter."""

from __future__ import annotations

import re

from proxy.completion.place import Place, Want
from proxy.display.tokens import Token, tokens

_WORD_CHARACTERS = re.compile(r"(?:[\w:/+-]|\.(?!\.))*")
# What is there of an operator while it is typed: "=" may become "==", "&" "&&".
_PIECES = {"=", "!", "&", "|", "<", ">", "~"}
_JOINERS_IN_A_STRING = re.compile(r"&&|\|\|")


def place_of(text: str, at: int) -> Place:
    """What may stand at the offset `at` of a filter."""
    before = tokens(text[:at])
    here = before[-1] if before and before[-1].end == at else None
    if here is not None and not _is_typed(here):
        here = None
    if here is not None:
        before = before[:-1]
    state = _Reader()
    for token in before:
        state.read(token)
    if here is not None and here.text in _PIECES and state.want not in ("operator", "joiner"):
        state.read(here)
        here = None
    begin, end, typed = at, at, ""
    if here is not None:
        begin, end, typed = here.start, _end(text, here, at), _unquoted(here.text)
    return Place(state.wants(), begin, end, typed, state.field, state.operator)


def _is_typed(token: Token) -> bool:
    """Whether a token that ends at the cursor may still grow."""
    if token.kind == "text":
        return not token.is_closed
    return token.kind != "mark" and (token.text[-1].isalnum() or token.kind == "word" or token.text in _PIECES)


def _end(text: str, token: Token, at: int) -> int:
    """Where what a proposal replaces ends: with the word, or with the closing quote if that is this text's own."""
    if token.kind != "text":
        match = _WORD_CHARACTERS.match(text, at) if token.text[-1].isalnum() or token.kind == "word" else None
        return match.end() if match else at
    whole = next(one for one in tokens(text[token.start :]) if one.start == 0)
    rest = text[at : token.start + whole.end]
    return at + len(rest) if whole.is_closed and not _JOINERS_IN_A_STRING.search(rest) else at


def _unquoted(text: str) -> str:
    if text[:1] in "\"'":
        return re.sub(r"\\(.)", r"\1", text[1:], flags=re.DOTALL)
    return text[2:] if text[:2] in ('r"', 'R"') else text


class _Reader:
    """What is wanted after the tokens so far. brackets: what is open, "(", "f" (a function's) and "{"."""

    def __init__(self) -> None:
        self.want = "name"
        self.field = self.operator = ""
        self._brackets: list[str] = []
        self._last = ""

    def wants(self) -> tuple[Want, ...]:
        match self.want:
            case "operator":
                return ("operator", "joiner")
            case "inside":
                return ("joiner",) if self._brackets[-1:] != ["f"] else ()
            case "name" | "joiner" | "set" | "value" as one:
                return (one,)
        return ()

    def read(self, token: Token) -> None:
        before, self._last = self._last, token.kind
        match token.kind:
            case "word" | "text":
                if self.want == "name":
                    self.field, self.operator, self.want = token.text, "", "operator"
                else:
                    self.want = "next" if self._brackets[-1:] == ["{"] else "joiner"
            case "compare":
                self.operator, self.want = token.text, "value"
            case "and" | "or":
                self.field, self.operator, self.want = "", "", "name"
            case "not" | "quantifier":
                if not (token.kind == "not" and self.want == "operator"):  # `field not in`
                    self.want = "name"
            case "in":
                self.operator, self.want = "in", "set"
            case "bit":
                self.want = "mask"
            case "slice":
                self.want = "operator"
            case "mark":
                self._mark(token.text, before == "word")
            case "other":
                self.want = "nothing"

    def _mark(self, mark: str, behind_a_word: bool) -> None:
        match mark:
            case "(":
                function = behind_a_word and self.want == "operator"
                self._brackets.append(f"f{self.field}" if function else "(")
                self.field, self.want = "", "name"
            case ")":
                opened = self._brackets.pop() if self._brackets else ""
                self.want = "operator" if opened[:1] == "f" and opened != "fflow" else "joiner"
            case "{":
                self._brackets.append("{")
                self.want = "value"
            case "}":
                if self._brackets:
                    self._brackets.pop()
                self.want = "joiner"
            case "," | "..":
                self.want = "value" if self._brackets[-1:] == ["{"] else "name"
