"""docs/settings.md names every variable that the code reads, and no other."""

from __future__ import annotations

import ast
import re
from typing import TypeGuard

from tests.picapweb.server import ROOT

HELPERS = {"raw", "text", "words", "integer", "boolean", "seconds", "size", "path", "url"}


def read_by_the_code() -> set[str]:
    """First arguments of calls such as environment.integer("NAME", ...)."""
    names = set()
    for folder in ("picapweb", "capture", "indexing", "proxy"):
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if is_helper(node):
                    assert isinstance(node.args[0], ast.Constant), f"{file}:{node.lineno}: the name must stand there as it is"
                    names.add(node.args[0].value)
    return names


def is_helper(node: ast.AST) -> TypeGuard[ast.Call]:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="environment"), attr=helper)):
            return helper in HELPERS
    return False


def test_every_variable_is_documented_and_every_documented_one_is_read():
    rows = re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "settings.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) == len(set(rows))
    assert set(rows) == read_by_the_code()
    assert len(rows) > 15
