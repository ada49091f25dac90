"""docs/flows.md says what the registry says."""

from __future__ import annotations

from proxy.flows.doc import PAGE, page


def test_the_table_of_named_queries_is_as_written():
    text = PAGE.read_text()
    assert page(text) == text
