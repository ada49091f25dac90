"""The table of named queries in docs/flows.md, written from the registry: `python -m proxy.flows.doc`."""

from __future__ import annotations

import os
from pathlib import Path

import django

PAGE = Path(__file__).resolve().parents[2] / "docs/flows.md"
BEGIN, END = "<!-- begin: written by proxy/flows/doc.py -->", "<!-- end -->"


def table() -> str:
    """In Markdown."""
    from proxy.flows.named import QUERIES  # it needs Django's settings

    lines = ["| name | what it is | exactly |", "| --- | --- | --- |"]
    return "\n".join([*lines, *(f"| `{one.name}` | {one.sentence} | {one.definition} |" for one in QUERIES.values())])


def page(text: str) -> str:
    """The page with its table as it should be."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "picapweb.settings")
    django.setup()
    PAGE.write_text(page(PAGE.read_text()))
