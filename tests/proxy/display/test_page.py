"""docs/display-filter.md says what the code does."""

from __future__ import annotations

import re

from proxy.display.compile import compile_filter
from proxy.display.doc import PAGE, page


def test_its_table_is_that_of_the_fields():
    assert PAGE.read_text() == page(PAGE.read_text()), "run python -m proxy.display.doc"


def test_its_examples_are_filters():
    text = PAGE.read_text()
    examples = re.findall(r"'q=(.*?)' localhost", text)
    examples += re.findall(r"`((?:[a-z0-9_]+\.)+[a-z0-9_]+(?:\[[^`]*\])? (?:==|>=|&|in|contains) [^`]*)`", text)
    assert len(examples) >= 10
    for example in examples:
        assert compile_filter(example).call is not None
