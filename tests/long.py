"""How many made inputs a test tries: few in every run of the suite, and many with TESTS_LONG=1 in the environment.

@settings(max_examples=examples(60, long=250))
"""

from __future__ import annotations

import os

LONG = os.environ.get("TESTS_LONG") == "1"


def examples(few: int, long: int) -> int:
    return long if LONG else few
