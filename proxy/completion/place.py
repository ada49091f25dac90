"""Where the cursor stands in a query: what the rest of completion is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# name: a field or function of a display filter; field, int-field: of a PQL call; joiner: && and ||; set: the { behind "in";
# argument: an argument of a PQL call, by its name; named: the name of a named query
Want = Literal["name", "operator", "joiner", "set", "value", "field", "any-field", "int-field", "call", "argument", "named"]


@dataclass(frozen=True)
class Place:
    """wants: what may stand here, the likeliest first. begin, end: what a proposal takes the place of. typed: what stands there
    in front of the cursor, without quotes. field: whose operator or value it is. operator: in front of the value. function: the
    call (PQL) that the place is in."""

    wants: tuple[Want, ...]
    begin: int
    end: int
    typed: str = ""
    field: str = ""
    operator: str = ""
    function: str = ""


@dataclass(frozen=True)
class Proposal:
    """text: what is written, white space that belongs behind it included. note: what it is, in a few words."""

    text: str
    kind: Literal["field", "value", "call", "operator"]
    note: str = ""

    def as_json(self) -> dict[str, str]:
        return {"text": self.text, "kind": self.kind, "note": self.note}
