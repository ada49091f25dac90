"""docs/performance.md: sections that are replaced one by one, each between two marks."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
HEAD = """# Performance

Every figure on this page comes out of `script/benchmark`; each section says on what machine, of which day. Machines differ and
are noisy: compare within a section (its rows were measured in one run, in turns), and take ratios.
"""


def replaced(page: str, section: str, body: str) -> str:
    """`page` with the body of a section new; a section that it does not have comes last."""
    begin, end = f"<!-- begin {section} -->", f"<!-- end {section} -->"
    new = f"{begin}\n{body.strip()}\n{end}"
    if begin in page:
        return re.sub(f"{re.escape(begin)}.*?{re.escape(end)}", lambda _: new, page, flags=re.DOTALL)
    return f"{page.rstrip()}\n\n{new}\n"


def write(section: str, body: str, page: Path | None = None) -> None:
    """Replaces a section of a page on disk; of docs/performance.md if none is given."""
    page = page or PAGE
    text = page.read_text() if page.exists() else HEAD
    page.write_text(replaced(text, section, body))
