"""Every environment variable that is read, or named anywhere, is documented, and nothing else is."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WRITTEN = re.compile(r"^\| `([A-Z_]+)` \|", re.MULTILINE)
# Whatever looks like one of our variables; `PICAPWEB_LIVE_*` and the like are no names.
NAMED = re.compile(r"\bPICAPWEB_[A-Z]+(?:_[A-Z]+)*\b(?![_*])")
APPS = sorted(path.parent.name for path in ROOT.glob("*/apps.py"))
# Not ours: who made them documents them.
OTHERS = {"DJANGO_SETTINGS_MODULE", "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION", "HOME", "PATH", "XDG_CACHE_HOME", "COLUMNS"}
OTHERS |= {"NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES", "NUMBA_CACHE_DIR"}


def read_by(path: Path) -> set[str]:
    """Names of variables that a file reads: by environment.*, os.environ.get, os.environ[...], os.getenv."""
    found: list[ast.expr] = []
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = {
        ast.unparse(one.targets[0]): one.value for one in tree.body if isinstance(one, ast.Assign) and len(one.targets) == 1
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            if re.fullmatch(r"environment\.[a-z]+|os\.environ\.get|os\.getenv", ast.unparse(node.func)):
                found.append(node.args[0])
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ" and isinstance(node.ctx, ast.Load):
            found.append(node.slice)
    found = [constants.get(ast.unparse(name), name) for name in found]
    names = {name.value for name in found if isinstance(name, ast.Constant) and isinstance(name.value, str)}
    return {name for name in names if name.isupper()} - OTHERS


def test_docs_settings_lists_what_is_read():
    assert {"picapweb", "capture", "indexing", "proxy", "retention"} <= set(APPS)
    read = set().union(*(read_by(path) for app in APPS for path in (ROOT / app).rglob("*.py")))
    written = WRITTEN.findall((ROOT / "docs" / "settings.md").read_text(encoding="utf-8"))
    assert len(read) > 40
    assert sorted(written) == sorted(read)


def test_what_is_named_anywhere_is_documented():
    written = set(WRITTEN.findall((ROOT / "docs" / "settings.md").read_text(encoding="utf-8")))
    # Packages beside the product document their own.
    examples = {name for path in (ROOT / "examples").rglob("*.py") for name in NAMED.findall(path.read_text(encoding="utf-8"))}
    files = [path for app in APPS for path in (ROOT / app).rglob("*.py")]
    files += [path for folder in ("docs", "docker", "templates", "script") for path in (ROOT / folder).rglob("*")]
    files += [ROOT / "README.md", ROOT / "CHANGELOG.md"]
    for path in files:
        if path.is_file() and path.suffix not in (".png", ".webp", ".pyc"):
            named = NAMED.findall(path.read_text(encoding="utf-8", errors="replace"))
            assert {name.removesuffix("_FILE") for name in named} <= written | examples, path
