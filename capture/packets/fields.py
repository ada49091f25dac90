"""The field registry's one shape: one declaration a field. It feeds the index schema, dissectors, `/fields/`, completion, docs.

Row ids of closed lists and enumerations are permanent: lists here only grow at their end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

# text:   values are bytes, translated to row ids by the translation table
# number: a decimal number that is its own row id (ports, job, linktype), perhaps with a label
# choice: a closed list of texts; the row id is the position in `choices`
# time:   an instant; row id = seconds since 1970 // seconds; its text is RFC 3339 UTC
# int:    bit-sliced integer; compared and summed, no rows
Encoding = Literal["text", "number", "choice", "time", "int"]


@dataclass(frozen=True)
class Field:
    """One field. `kind` for the index is "int" for encoding int, else "set"."""

    name: str
    encoding: Encoding
    description: str
    example: str  # a query that uses it
    level: str = "first"  # "first" IP header | "any" | "packet" (the record itself) | "inner" (in a tunnel) | "quoted" (by ICMP)
    protocol: str = ""
    wireshark: str = ""  # Wireshark's names for it, separated by a space
    picap: bool = False  # one of picap's fields
    always: bool = False  # indexed whatever fields a job chose
    choices: tuple[str, ...] = ()
    labels: dict[int, str] = field(default_factory=dict)  # number -> label
    seconds: int = 0  # of encoding time
    minimum: int = 0  # of encodings int and number
    maximum: int = 0  # of encodings int and number; of a number, 0 says: no bound but that of a row id
    plugin: str = ""  # the package that brings it; "": picapweb itself
    conversations: bool = False  # found by the second pass over conversations, not by dissectors

    @property
    def kind(self) -> str:
        return "int" if self.encoding == "int" else "set"
