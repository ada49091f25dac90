"""docs/python-client.md as a notebook: its blocks of code in order, each with what it must show."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.components import ROOT

GUIDE = ROOT / "docs" / "python-client.md"
_BLOCK = re.compile(
    r"^(?P<skipped><!-- not run: [^\n]+ -->\n)?```python\n(?P<code>.*?)^```\n(?:```text\n(?P<shown>.*?)^```\n)?", re.M | re.S
)


@dataclass(frozen=True)
class Block:
    """line: of the guide, where the code begins. shown: what must be printed, "" for nothing. skipped: it cannot be run."""

    line: int
    code: str
    shown: str
    skipped: bool


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a guide."""
    for found in _BLOCK.finditer(text):
        line = text.count("\n", 0, found.start("code")) + 1
        yield Block(line, found["code"], found["shown"] or "", found["skipped"] is not None)


def plain(shown: str) -> str:
    """What is shown without what is not seen: blanks at the ends of lines, with which pandas fills its tables."""
    return "\n".join(line.rstrip() for line in shown.split("\n"))


def run(block: Block, names: dict[str, Any]) -> None:
    """Runs a block as a notebook does: what its last line is worth is printed, if that is an expression."""
    # Lines of what is raised are the guide's
    tree = ast.parse("\n" * (block.line - 1) + block.code, GUIDE.name)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, str(GUIDE), "exec"), names)
    if isinstance(last, ast.Expr):
        value = eval(compile(ast.Expression(last.value), str(GUIDE), "eval"), names)
        if value is not None:
            print(value if hasattr(value, "to_string") else repr(value))
