"""/crosstab/: what is refused, and which parameter that names."""

from __future__ import annotations

import pytest

GOOD = {"rows": "netsrc", "columns": "netdst"}


@pytest.mark.parametrize(
    ("query", "option", "words"),
    [
        ({"columns": "netdst"}, "rows", "say which field"),
        ({"rows": "netsrc"}, "columns", "say which field"),
        ({**GOOD, "rows": "nosuch"}, "rows", "nosuch"),
        ({**GOOD, "columns": "length"}, "columns", "compared and summed"),
        ({**GOOD, "n_rows": "0"}, "n_rows", "from 1 to 200"),
        ({**GOOD, "n_columns": "201"}, "n_columns", "from 1 to 200"),
        ({**GOOD, "metric": "distinct:netsrc"}, "metric", "packets or bytes"),
    ],
)
def test_a_bad_parameter_is_named(indexed, query, option, words):
    said = indexed.refused("/crosstab/", **query)
    assert said[0] == option
    assert words in said[1]
