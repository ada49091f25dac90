"""Where the cursor stands in PQL."""

from __future__ import annotations

import re
from dataclasses import dataclass

from proxy.completion.place import Place, Want

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
      | (?P<text>"(?:[^"\\]|\\.)*(?:"|\\?\Z) | '(?:[^'\\]|\\.)*(?:'|\\?\Z))
      | (?P<call>[A-Za-z][A-Za-z0-9]*\()
      | (?P<compare>><|<=|>=|==|!=|<|>)
      | (?P<mark>[=(),\[\]])
      | (?P<word>[\w:.-]+)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_WORD_CHARACTERS = re.compile(r"[\w:-]*\(?")

ROWS = frozenset({"Row", "Range", "Set", "Clear", "ClearRow", "Store"})
FIELD_FIRST = frozenset({"TopN", "Rows", "Values", "SetRowAttrs"})
AGGREGATES = frozenset({"Sum", "Min", "Max", "MinRow", "MaxRow"})
# What stands behind the first argument, or behind its children.
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "TopN": ("n", "ids", "threshold"),
    "Rows": ("previous", "limit", "column"),
    "GroupBy": ("filter", "limit", "offset"),
    "Sum": ("field",),
    "Min": ("field",),
    "Max": ("field",),
    "MinRow": ("field",),
    "MaxRow": ("field",),
    "Options": ("shards", "excludeColumns"),
    "Time": ("from", "to"),
    "FrameNumber": ("from", "to"),
    "TimeRelative": ("from", "to"),
    "Values": (
        *("cidr", "contains", "prefix", "suffix", "like", "matches", "in", "value", "op", "from", "to", "order"),
        *("ignorecase", "length", "slice", "where"),
    ),
    "Bitmap": ("frame", "rowID"),
}
# Arguments whose value is a value of the call's field.
_OF_THE_FIELD = frozenset({"value", "in", "prefix", "suffix", "contains", "from", "to", "ids", "previous", "rowID", "row"})


@dataclass
class _Frame:
    """A call that is open: its name, how many items are behind it, and the field that it is about."""

    name: str
    items: int = 0
    field: str = ""
    lists: int = 0


def place_of(text: str, at: int) -> Place:
    """What may stand at the offset `at` of a query."""
    before = [match for match in _TOKEN.finditer(text[:at]) if match.lastgroup != "space"]
    here = None
    if before and before[-1].end() == at and _is_typed(before[-1]):
        here = before.pop()
    reader = _Reader()
    for match in before:
        reader.read(match.lastgroup or "", match[0])
    begin, end, typed = at, at, ""
    if here is not None:
        begin, end, typed = here.start(), _end(text, here, at), here[0]
        if here.lastgroup == "text":
            typed = re.sub(r"\\(.)", r"\1", typed[1:], flags=re.DOTALL)
    top = reader.frames[-1] if reader.frames else _Frame("")
    return Place(reader.wants(), begin, end, typed, reader.field, reader.operator, top.name)


def _is_typed(match: re.Match[str]) -> bool:
    if match.lastgroup == "text":
        text = match[0]
        return not (len(text) > 1 and text[-1] == text[0] and (len(text) - len(text[:-1].rstrip("\\"))) % 2 == 1)
    return match.lastgroup == "word"


def _end(text: str, here: re.Match[str], at: int) -> int:
    if here.lastgroup == "word":
        match = _WORD_CHARACTERS.match(text, at)
        return match.end() if match else at
    whole = _TOKEN.match(text, here.start())
    rest = text[at : whole.end()] if whole else ""
    # A quote further on that opens another text is not this one's end
    return at + len(rest) if rest.endswith(here[0][0]) and not re.search(r"[(),=]", rest) else at


class _Reader:
    """What is wanted after the tokens so far."""

    def __init__(self) -> None:
        self.frames: list[_Frame] = []
        self.state = "start"
        self.name = self.operator = ""

    @property
    def field(self) -> str:
        """Whose operator or value comes."""
        if not self.frames:
            return ""
        frame = self.frames[-1]
        if self.state == "named" or frame.name in ROWS:
            return self.name
        return frame.field

    def wants(self) -> tuple[Want, ...]:
        if not self.frames:
            return ("call",) if self.state in ("start", "after") else ()
        frame = self.frames[-1]
        if self.state == "item":
            return self._item(frame)
        if self.state == "named":
            return ("operator",) if frame.name in ROWS and frame.items == 0 else ()
        if self.state == "value":
            return self._value(frame)
        return ()

    @staticmethod
    def _item(frame: _Frame) -> tuple[Want, ...]:
        name = frame.name
        if name in ROWS:
            return ("any-field",) if frame.items == 0 else ()
        if name in FIELD_FIRST and frame.items == 0:
            return ("field",)
        if name == "Named":
            return ("named",)
        if name == "GroupBy":
            return ("call", "argument") if frame.items else ("call",)
        if name == "TopN":
            return ("argument", "call")
        if name in AGGREGATES:
            return ("argument", "call")
        if name in ARGUMENTS and name != "Options":
            return ("argument",)
        return ("call",) if name != "Options" or not frame.items else ("argument",)

    def _value(self, frame: _Frame) -> tuple[Want, ...]:
        if self.name == "filter":
            return ("call",)
        if self.name == "frame":
            return ("any-field",)
        if self.name == "field":
            return ("field",) if frame.name.endswith("Row") else ("int-field",)
        if frame.name in ROWS and frame.items == 0:
            return ("value",)
        return ("value",) if self.name in _OF_THE_FIELD and frame.field else ()

    def read(self, kind: str, text: str) -> None:
        frame = self.frames[-1] if self.frames else None
        if kind == "call":
            self.frames.append(_Frame(text[:-1]))
            self.state, self.name, self.operator = "item", "", ""
        elif frame is None:
            self.state = "start" if kind == "mark" else "nothing"
        elif kind in ("word", "text"):
            self._word(frame, text.strip("\"'"))
        elif kind == "compare" or text == "=":
            self.operator, self.state = text, "value"
        elif text == ",":
            if frame.lists:
                self.state = "value"
            else:
                frame.items += 1
                self.state, self.name, self.operator = "item", "", ""
        elif text == "[":
            frame.lists += 1
            self.state = "value"
        elif text == "]":
            frame.lists -= 1
            self.state = "after"
        elif text == ")":
            self.frames.pop()
            self.state = "after"

    def _word(self, frame: _Frame, word: str) -> None:
        if self.state == "item":
            self.name, self.state = word, "named"
            if frame.name in FIELD_FIRST and frame.items == 0:
                frame.field = word
        else:
            if self.name in ("frame", "field"):
                frame.field = word
            self.state = "after"
