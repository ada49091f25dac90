"""Every environment variable that is read is documented, and nothing else is."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
READ = re.compile(r"environment\.(?:text|words|integer|boolean|seconds|size|path|url|raw)\(\s*\"([A-Z_]+)\"")
# Packages below Django's settings read the environment themselves.
DIRECT = re.compile(r"os\.environ\.get\(\"(PICAPWEB_[A-Z_]+)\"")
WRITTEN = re.compile(r"^\| `([A-Z_]+)` \|", re.MULTILINE)


def test_docs_settings_lists_what_is_read():
    sources = [path for app in ("picapweb", "capture", "indexing", "proxy") for path in (ROOT / app).rglob("*.py")]
    read = {name for path in sources for name in (*READ.findall(path.read_text()), *DIRECT.findall(path.read_text()))}
    written = WRITTEN.findall((ROOT / "docs" / "settings.md").read_text())
    assert len(read) > 20
    assert sorted(written) == sorted(read)
