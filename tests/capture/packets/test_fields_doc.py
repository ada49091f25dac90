"""docs/fields.md says what the registry says."""

from __future__ import annotations

from capture.packets.fields_doc import render
from capture.packets.registry import FIELDS
from tests.components import ROOT


def test_the_committed_page_is_that_of_the_registry() -> None:
    assert (ROOT / "docs" / "fields.md").read_text() == render()


def test_every_field_has_its_section() -> None:
    page = render()
    for name, field in FIELDS.items():
        assert f"\n## {name}\n" in page and field.example in page
